-- One cluster's source, in a database of its own. Names of customers come in by COPY.
create schema app;
create table app.customers (
    name text primary key, profile text, scorecards bigint, scores bigint, first bigint
);
create table app.scorecards (
    scorecard_id   bigint      not null,
    customer_id    text        not null,
    profile_id     text        not null,
    scorecard_type text        not null,
    score          integer     not null,
    comment        text,
    created_at     timestamptz not null,
    updated_at     timestamptz not null
);
create table app.scores (
    score_id     bigint      not null,
    scorecard_id bigint      not null,
    criterion    text        not null,
    value        integer     not null,
    created_at   timestamptz not null,
    updated_at   timestamptz not null
);
