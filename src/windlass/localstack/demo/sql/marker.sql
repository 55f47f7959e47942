-- Says that the tables in schema app are the demo's own, and how they were made.
create schema if not exists windlass_demo;
create table if not exists windlass_demo.seed (
    scale     double precision not null,
    seed      bigint           not null,
    complete  boolean          not null,
    seeded_at timestamptz      not null default now()
);
