create table {database}.scorecard (
    scorecard_id   Int64,
    customer_id    LowCardinality(String),
    profile_id     LowCardinality(String),
    scorecard_type LowCardinality(String),
    score          Int32,
    comment        Nullable(String),
    created_at     DateTime64(6, 'UTC'),
    updated_at     DateTime64(6, 'UTC')
) engine = ReplacingMergeTree(updated_at) partition by toYYYYMM(created_at) order by scorecard_id
settings enable_block_number_column = 1, enable_block_offset_column = 1;
create table {database}.score (
    score_id     Int64,
    scorecard_id Int64,
    criterion    LowCardinality(String),
    value        Int32,
    created_at   DateTime64(6, 'UTC'),
    updated_at   DateTime64(6, 'UTC')
) engine = ReplacingMergeTree(updated_at) partition by toYYYYMM(created_at) order by score_id
settings enable_block_number_column = 1, enable_block_offset_column = 1
