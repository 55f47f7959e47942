-- After app.customers is filled. The n-th thing's moment: between Thursday 2026-01-01 and Saturday
-- 2026-02-21, nine in ten of a week's on its working days, in whole numbers only, so that
-- ClickHouse comes to the same result. A few rows lie before the range: they must stay untouched.
insert into app.scorecards
select c.first + n, c.name, c.profile,
    case when n % 12 = 0 then 'appeal_request' else 'standard' end,
    (n * 37 % 101)::int, case when n % 9 = 0 then 'call ' || n end,
    to_timestamp(1767225600 + w / 604800 * 604800 - 259200
        + case when w % 604800 < 544320 then w % 604800 * 432000 / 544320
               else 432000 + (w % 604800 - 544320) * 172800 / 60480 end)
        + (n * 7919 % 1000000) * interval '1 microsecond',
    timestamptz '2026-02-21 12:00+00'
from app.customers c, generate_series(0, c.scorecards - 1) n,
    lateral (select 326592 + n * 4451328 / c.scorecards) as weeks(w);

insert into app.scores
select c.first + 2 * c.scorecards + m, c.first + n, 'criterion-' || m % 14, (m * 53 % 6)::int,
    to_timestamp(1767225600 + w / 604800 * 604800 - 259200
        + case when w % 604800 < 544320 then w % 604800 * 432000 / 544320
               else 432000 + (w % 604800 - 544320) * 172800 / 60480 end)
        + (n * 7919 % 1000000) * interval '1 microsecond',
    timestamptz '2026-02-21 12:00+00'
from app.customers c, generate_series(0, c.scores - 1) m,
    lateral (select m * c.scorecards / c.scores) as cards(n),
    lateral (select 326592 + n * 4451328 / c.scorecards) as weeks(w);

insert into app.scorecards
select c.first + c.scorecards + n, c.name, c.profile, 'standard', 50, 'december',
    timestamptz '2025-12-30 00:00+00' + n * interval '1 second',
    timestamptz '2025-12-31 12:00+00'
from app.customers c, generate_series(0, least(c.scorecards, 40) - 1) n;

alter table app.scorecards add primary key (scorecard_id);
create index on app.scorecards (customer_id, profile_id, created_at);
create index on app.scorecards (updated_at);
alter table app.scores add primary key (score_id);
create index on app.scores (scorecard_id);
create index on app.scores (created_at);
create index on app.scores (updated_at);
vacuum (freeze, analyze) app.scorecards;
vacuum (freeze, analyze) app.scores;
