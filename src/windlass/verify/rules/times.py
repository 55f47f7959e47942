"""Instants and days. A `timestamp` without zone is read as UTC."""

from windlass.verify.chtype import ChType
from windlass.verify.passage import Hazard, Passage, Plain, Rules
from windlass.verify.pgtype import PgType

_TICKS = "toUnixTimestamp64Micro({c})"
_MICROS = f"toString({_TICKS})"
_SOURCE_DAYS = "case when isfinite({c}) then ({c}-date '1970-01-01')::text else ({c})::text end"


def _literal(source: PgType, instant: str) -> str:
    return f"{source.family} '{instant}+00'"


def _source_micros(source: PgType) -> str:
    # Infinities have no epoch, and the last years of PostgreSQL no microseconds in 64 bits: their
    # own text keeps the expression from raising.
    fits = f"isfinite({{c}}) and {{c}} < {_literal(source, '294247-01-01 00:00:00')}"
    micros = "(extract(epoch from {c})*1000000)::bigint::text"
    return f"case when {fits} then {micros} else ({{c}})::text end"


def _range(source: PgType, low: str, high: str, name: str) -> Hazard:
    """PostgreSQL's infinities lie outside every range, so they need no test of their own."""
    sql = f"{{c}} < {_literal(source, low)} or {{c}} > {_literal(source, high)}"
    return Hazard(sql, f"infinite or outside {name} ({low[:19]} to {high[:19]} UTC)")


def _fraction(digits: int, name: str) -> tuple[Hazard, ...]:
    if digits >= 6:
        return ()
    step = 10 ** (6 - digits)
    sql = f"mod(extract(microseconds from {{c}})::int, {step}) <> 0"
    return (Hazard(sql, f"finer than {name} keeps"),)


def to_datetime(source: PgType, target: ChType) -> Passage:
    """Whole seconds of 1970 to 2106, in whatever zone the column shows them."""
    bounds = _range(source, "1970-01-01 00:00:00", "2106-02-07 06:28:15.999999", "DateTime")
    micros = "toInt64(toUnixTimestamp({c}))*1000000"
    hazards = (bounds, *_fraction(0, "DateTime"))
    plain = Plain(micros, _TICKS)
    return Passage("{c}", _source_micros(source), f"toString({micros})", _MICROS, hazards, plain)


def to_datetime64(source: PgType, target: ChType) -> Passage:
    """Years 1900 to 2299, with as many digits of a second as the column keeps."""
    digits = target.numbers[0] if target.numbers else 3
    name = f"DateTime64({digits})"
    low, high = "1900-01-01 00:00:00", "2299-12-31 23:59:59.999999"
    if digits == 9:  # 64 bits of nanoseconds end sooner
        low, high = "1900-01-01 00:00:00", "2262-04-11 23:47:16.854775"
    hazards = (_range(source, low, high, name), *_fraction(digits, name))
    text, plain = _target_micros(digits), Plain(_TICKS, _TICKS) if digits <= 6 else None
    return Passage("{c}", _source_micros(source), text, _MICROS, hazards, plain)


def _target_micros(digits: int) -> str:
    if digits <= 6:
        return _MICROS
    # The source has no digits below microseconds; a live row that does must not look equal.
    step = 10 ** (digits - 6)
    ticks = "reinterpretAsInt64({c})"
    rest = f"positiveModulo({ticks},{step})"
    tail = f"if({rest}=0,'',concat('+',toString({rest}),'/{step}'))"
    return f"concat(toString(intDiv({ticks}-{rest},{step})),{tail})"


def to_date(source: PgType, target: ChType) -> Passage:
    """Days; Date ends in 2149, Date32 spans 1900 to 2299."""
    low, high = ("1970-01-01", "2149-06-06") if target.name == "Date" else _DATE32
    sql = f"{{c}} < date '{low}' or {{c}} > date '{high}'"
    hazard = Hazard(sql, f"infinite or outside {target.name} ({low} to {high})")
    days = "toInt32({c})"
    text = f"toString({days})"
    return Passage("{c}", _SOURCE_DAYS, text, text, (hazard,), Plain(days, days))


_DATE32 = ("1900-01-01", "2299-12-31")

RULES: Rules = {
    ("timestamptz", "DateTime"): to_datetime,
    ("timestamp", "DateTime"): to_datetime,
    ("timestamptz", "DateTime64"): to_datetime64,
    ("timestamp", "DateTime64"): to_datetime64,
    ("date", "Date"): to_date,
    ("date", "Date32"): to_date,
}
