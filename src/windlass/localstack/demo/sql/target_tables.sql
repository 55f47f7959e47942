-- Run once per tenant, in the tenant's database. The block number and offset columns let stale rows
-- go by patch delete, which readers see as one step.
create table {database}.scorecard (
    scorecard_id    UUID,
    customer_id     LowCardinality(String),
    profile_id      LowCardinality(String),
    scorecard_type  LowCardinality(String),
    template_id     UUID,
    agent_id        UUID,
    conversation_id UUID,
    score           Nullable(Float64),
    max_score       Decimal(10, 2),
    submitted       Bool,
    comment         Nullable(String),
    created_at      DateTime64(6, 'UTC'),
    updated_at      DateTime64(6, 'UTC')
) engine = ReplacingMergeTree(updated_at)
partition by toYYYYMM(created_at)
order by scorecard_id
settings enable_block_number_column = 1, enable_block_offset_column = 1;

create table {database}.score (
    score_id       UUID,
    scorecard_id   UUID,
    criterion_id   LowCardinality(String),
    kind           LowCardinality(String),
    outcome        LowCardinality(Nullable(String)),
    numeric_value  Nullable(Float64),
    weight         Float64,
    not_applicable Bool,
    ai_scored      Bool,
    created_at     DateTime64(6, 'UTC'),
    updated_at     DateTime64(6, 'UTC')
) engine = ReplacingMergeTree(updated_at)
partition by toYYYYMM(created_at)
order by score_id
settings enable_block_number_column = 1, enable_block_offset_column = 1;

create table {database}.scorecard_score (
    scorecard_id UUID,
    score_id     UUID,
    position     Int32,
    created_at   DateTime64(6, 'UTC'),
    updated_at   DateTime64(6, 'UTC')
) engine = ReplacingMergeTree(updated_at)
partition by toYYYYMM(created_at)
order by (scorecard_id, score_id)
settings enable_block_number_column = 1, enable_block_offset_column = 1;
