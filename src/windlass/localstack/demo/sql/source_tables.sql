-- The source as an application would have it. Keys and indexes come after the rows: see source_indexes.sql.
create schema if not exists app;

drop table if exists app.scorecard_scores, app.scores, app.scorecards;

create table app.scorecards (
    scorecard_id    uuid             not null,
    customer_id     text             not null,
    profile_id      text             not null,
    scorecard_type  text             not null,
    template_id     uuid             not null,
    agent_id        uuid             not null,
    conversation_id uuid             not null,
    score           double precision,
    max_score       numeric(10, 2)   not null,
    submitted       boolean          not null,
    comment         text,
    created_at      timestamptz      not null,
    updated_at      timestamptz      not null
);

create table app.scores (
    score_id       uuid             not null,
    scorecard_id   uuid             not null,
    criterion_id   text             not null,
    kind           text             not null,
    outcome        text,
    numeric_value  double precision,
    weight         double precision not null,
    not_applicable boolean          not null,
    ai_scored      boolean          not null,
    created_at     timestamptz      not null,
    updated_at     timestamptz      not null
);

create table app.scorecard_scores (
    scorecard_id uuid        not null,
    score_id     uuid        not null,
    position     integer     not null,
    created_at   timestamptz not null,
    updated_at   timestamptz not null,
    primary key (scorecard_id, score_id)
);
