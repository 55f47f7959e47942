-- What earlier appends left: appeals that should not be there, one row in 31 missing, one in 17
-- with an old value, all of an older version. The moments are those of source_rows.sql.
insert into {database}.scorecard
with intDiv(326592 * {cards:Int64} + n * 4451328, {cards:Int64}) as w, w % 604800 as p,
    intDiv(w, 604800) * 604800 - 259200 + if(p < 544320, intDiv(p * 432000, 544320),
        432000 + intDiv((p - 544320) * 172800, 60480)) as s
select {first:Int64} + n, {name:String}, {profile:String},
    if(n % 12 = 0, 'appeal_request', 'standard'), if(n % 17 = 3, 0, n * 37 % 101),
    if(n % 9 = 0, concat('call ', toString(n)), null),
    fromUnixTimestamp64Micro((1767225600 + s) * 1000000 + n * 7919 % 1000000, 'UTC'),
    toDateTime64('2026-02-20 12:00:00', 6, 'UTC')
from (select toInt64(number) as n from numbers({cards:UInt64}) where number % 31 != 5);

insert into {database}.score
with intDiv(m * {cards:Int64}, {scores:Int64}) as n,
    intDiv(326592 * {cards:Int64} + n * 4451328, {cards:Int64}) as w, w % 604800 as p,
    intDiv(w, 604800) * 604800 - 259200 + if(p < 544320, intDiv(p * 432000, 544320),
        432000 + intDiv((p - 544320) * 172800, 60480)) as s
select {first:Int64} + 2 * {cards:Int64} + m, {first:Int64} + n,
    concat('criterion-', toString(m % 14)), if(m % 17 = 3, 9, m * 53 % 6),
    fromUnixTimestamp64Micro((1767225600 + s) * 1000000 + n * 7919 % 1000000, 'UTC'),
    toDateTime64('2026-02-20 12:00:00', 6, 'UTC')
from (select toInt64(number) as m from numbers({scores:UInt64}) where number % 31 != 5);

insert into {database}.scorecard
select {first:Int64} + {cards:Int64} + n, {name:String}, {profile:String}, 'standard', 50,
    'december', toDateTime64('2025-12-30 00:00:00', 6, 'UTC') + toIntervalSecond(n),
    toDateTime64('2025-12-31 12:00:00', 6, 'UTC')
from (select toInt64(number) as n from numbers(least({cards:UInt64}, 40)))
