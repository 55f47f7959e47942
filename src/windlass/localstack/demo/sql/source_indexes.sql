-- After the rows are in: sorting once is several times faster than keeping order row by row.
alter table app.scorecards add primary key (scorecard_id);
create index on app.scorecards (customer_id, profile_id, created_at);
create index on app.scorecards (updated_at);
alter table app.scores add primary key (score_id);
create index on app.scores (scorecard_id);
create index on app.scores (created_at);
create index on app.scores (updated_at);
alter table app.scores add foreign key (scorecard_id) references app.scorecards;
