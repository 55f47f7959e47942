"""Integers, floats, numerics and booleans."""

from windlass.verify.chtype import ChType
from windlass.verify.passage import AS_TEXT, Hazard, Passage, Plain, Rule, Rules, or_text
from windlass.verify.pgtype import PgType

_INT_BITS = (8, 16, 32, 64, 128, 256)
INTEGERS = {f"Int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in _INT_BITS} | {
    f"UInt{bits}": (0, 2**bits - 1) for bits in _INT_BITS
}
"""The range of each ClickHouse integer type."""
INTEGERS_64 = {name for name, (low, high) in INTEGERS.items() if low >= -(2**63) and high < 2**63}
"""Those whose every value is an Int64."""

_SOURCE = {
    "int2": INTEGERS["Int16"],
    "int4": INTEGERS["Int32"],
    "int8": INTEGERS["Int64"],
    "oid": INTEGERS["UInt32"],
}
_PLAIN = "toString({c})"
_PG_DOUBLE_BITS = "('x'||encode(float8send({e}),'hex'))::bit(64)::bigint::text"
_PG_REAL_BITS = "('x'||encode(float4send({e}),'hex'))::bit(32)::int::text"
# What 2^53 + 1 and its like round to; a bigint above this rounds to 2^63, which none can hold.
_LAST_EXACT_BIGINT = 2**63 - 1024


def _bounds(low: int, high: int, has: tuple[int, int], what: str) -> tuple[Hazard, ...]:
    parts = [f"{{c}} < {_number(low)}"] if has[0] < low else []
    parts += [f"{{c}} > {_number(high)}"] if has[1] > high else []
    reason = f"outside {what} ({low} to {high})"
    return (Hazard(" or ".join(parts), reason),) if parts else ()


def _number(value: int) -> str:
    return str(value) if value >= 0 else f"({value})"


def _read_int(source: PgType) -> str:
    # The driver gives oid as a signed 32-bit integer: 4294967295 would arrive as -1.
    return "({c})::bigint" if source.family == "oid" else "{c}"


def int_to_int(source: PgType, target: ChType) -> Passage:
    """Equal digits; values outside the target's range would wrap."""
    low, high = INTEGERS[target.name]
    hazards = _bounds(low, high, _SOURCE[source.family], target.name)
    plain = _INT64 if target.name in INTEGERS_64 else None
    return Passage(_read_int(source), AS_TEXT, _PLAIN, _PLAIN, hazards, plain)


_INT64 = Plain("toInt64({c})", "toInt64({c})")


def int_to_decimal(source: PgType, target: ChType) -> Passage:
    """Equal digits, as long as the part before the point fits."""
    precision, scale = _decimal(target)
    most = 10 ** (precision - scale) - 1
    has = _SOURCE[source.family]
    hazards = _bounds(-most, most, has, f"Decimal({precision}, {scale})")
    return Passage(AS_TEXT, AS_TEXT, _PLAIN, "{c}", hazards)


def int_to_bool(source: PgType, target: ChType) -> Passage:
    """Only 0 and 1 are booleans."""
    hazards = (Hazard("{c} not in (0, 1)", "neither 0 nor 1, which are the values of Bool"),)
    return Passage(_read_int(source), AS_TEXT, "toString(toUInt8({c}))", _PLAIN, hazards)


def int_to_float(source: PgType, target: ChType) -> Passage:
    """Compared as bits; integers that a float rounds are hazards."""
    if target.name == "Float32":
        return _int_to_real(source)
    hazards = tuple(Hazard(sql, "rounded by Float64") for sql in _rounded_by_double(source))
    bits = or_text(_double_bits("({c})::bigint::float8"), hazards)
    return Passage("({c})::bigint::float8", bits, _CH_DOUBLE_BITS, _CH_DOUBLE_BITS, hazards)


def _int_to_real(source: PgType) -> Passage:
    real = "({c})::bigint::float4"
    rounded = f"{real}::float8 <> ({{c}})::bigint::float8"
    hazards = tuple(
        Hazard(sql, "rounded by Float32") for sql in (*_rounded_by_double(source), rounded)
    )
    bits = or_text(_real_bits(real), hazards)
    return Passage(real, bits, _CH_REAL_BITS, _CH_REAL_BITS, hazards)


def _rounded_by_double(source: PgType) -> tuple[str, ...]:
    if source.family != "int8":
        return ()
    # The cast back overflows for what rounds up to 2^63: the first arm keeps it from being tried.
    cast = "({c})::float8::bigint <> {c}"
    return (f"case when {{c}} > {_LAST_EXACT_BIGINT} then true else {cast} end",)


def _double_bits(value: str) -> str:
    return _PG_DOUBLE_BITS.replace("{e}", value)


def _real_bits(value: str) -> str:
    return _PG_REAL_BITS.replace("{e}", value)


# -0.0 and 0.0 are equal to both databases, and so are NaNs of any payload: one text for each.
_CH_DOUBLE_BITS = "multiIf({c}=0,'0',isNaN({c}),'nan',toString(reinterpretAsInt64({c})))"
_CH_REAL_BITS = "multiIf({c}=0,'0',isNaN({c}),'nan',toString(reinterpretAsInt32({c})))"


_ONE_DOUBLE = "multiIf({c}=0,toFloat64(0),isNaN({c}),nan,toFloat64({c}))"
_DOUBLE = Plain(_ONE_DOUBLE, _ONE_DOUBLE)


def _float_text(value: str, bits: str) -> str:
    return f"case when {value}=0 then '0' when {value}='NaN' then 'nan' else {bits} end"


_SOURCE_DOUBLE = _float_text("{c}", _double_bits("{c}"))
_SOURCE_REAL = _float_text("{c}", _real_bits("{c}"))


def float_same(source: PgType, target: ChType) -> Passage:
    """Bit by bit; NaN and the infinities travel as they are."""
    if source.family == "float8":
        return Passage("{c}", _SOURCE_DOUBLE, _CH_DOUBLE_BITS, _CH_DOUBLE_BITS, plain=_DOUBLE)
    return Passage("{c}", _SOURCE_REAL, _CH_REAL_BITS, _CH_REAL_BITS, plain=_DOUBLE)


def float_widened(source: PgType, target: ChType) -> Passage:
    """Every real is a double."""
    text = _float_text("{c}", _double_bits("({c})::float8"))
    return Passage("({c})::float8", text, _CH_DOUBLE_BITS, _CH_DOUBLE_BITS, plain=_DOUBLE)


def float_narrowed(source: PgType, target: ChType) -> Passage:
    """Only doubles that a real holds; PostgreSQL's cast raises on the rest, so it is guarded."""
    too_large = "abs({c}) > 3.4028234663852886e38 and {c} <> 'NaN' and abs({c}) <> 'Infinity'"
    too_small = "{c} <> 0 and abs({c}) < 1.401298464324817e-45"
    raises = f"({too_large}) or ({too_small})"
    inexact = f"case when {raises} then true else ({{c}})::float4::float8 <> {{c}} end"
    hazards = (Hazard(inexact, "not exactly a Float32"),)
    text = or_text(_float_text("{c}", _real_bits("({c})::float4")), hazards)
    return Passage("({c})::float4", text, _CH_REAL_BITS, _CH_REAL_BITS, hazards)


def _decimal(target: ChType) -> tuple[int, int]:
    precision, *rest = target.numbers or (10,)
    return precision, rest[0] if rest else 0


_TRIMMED = "trim_scale({c})::text"


def numeric_to_decimal(source: PgType, target: ChType) -> Passage:
    """As trimmed digits; NaN, infinities, more digits than fit on either side are hazards."""
    precision, scale = _decimal(target)
    hazards = _numeric_hazards(source, precision - scale, scale, _type_text(precision, scale))
    return Passage(_TRIMMED, _TRIMMED, _PLAIN, "{c}", hazards)


def _type_text(precision: int, scale: int) -> str:
    return f"Decimal({precision}, {scale})"


def _numeric_hazards(source: PgType, whole: int, scale: int, name: str) -> tuple[Hazard, ...]:
    has_scale = source.modifiers[1] if len(source.modifiers) > 1 else 0
    typed = bool(source.modifiers)
    has_whole = source.modifiers[0] - has_scale if typed else whole + 1
    if has_whole > whole:
        # NaN sorts above every number, and abs('-Infinity') is Infinity: one test finds all.
        hazards = [Hazard(f"abs({{c}}) >= 1e{whole}", f"NaN, infinite or too large for {name}")]
    else:
        hazards = [Hazard("{c} = 'NaN'", f"NaN, which {name} does not have")]
    if not typed or has_scale > scale:
        hazards.append(Hazard(f"min_scale({{c}}) > {scale}", f"more decimals than {name} keeps"))
    return tuple(hazards)


def numeric_to_int(source: PgType, target: ChType) -> Passage:
    """Whole numbers inside the range."""
    low, high = INTEGERS[target.name]
    outside = f"{{c}} < {_number(low)} or {{c}} > {_number(high)}"
    hazards = (
        Hazard(outside, f"NaN, infinite or outside {target.name} ({low} to {high})"),
        Hazard("min_scale({c}) > 0", "decimals, which integers do not keep"),
    )
    return Passage(_TRIMMED, _TRIMMED, _PLAIN, "{c}", hazards)


def numeric_to_float(source: PgType, target: ChType) -> Passage:
    """Kept when the float's shortest decimal text is the very number: 0.1 is, 1e-17 + 1 is not."""
    too_small = "{c} <> 0 and abs({c}) < 5e-324"
    too_large = "abs({c}) > 1.7976931348623157e308 and scale({c}) is not null"
    raises = f"({too_small}) or ({too_large})"
    cast = "({c})::float8"
    inexact = f"case when {raises} then true else {cast}::text::numeric <> {{c}} end"
    hazards = (Hazard(inexact, "more digits than Float64 keeps"),)
    text = or_text(_float_text(cast, _double_bits(cast)), hazards)
    return Passage(cast, text, _CH_DOUBLE_BITS, _CH_DOUBLE_BITS, hazards)


def bool_to_number(source: PgType, target: ChType) -> Passage:
    """true is 1, false is 0."""
    text = "toString(toUInt8({c}))" if target.name == "Bool" else _PLAIN
    plain = Plain("toUInt8({c})", "toUInt8({c})")
    return Passage("{c}", "({c})::int::text", text, "toString(toUInt8({c}))", plain=plain)


def _all(families: tuple[str, ...], names: tuple[str, ...], rule: Rule) -> Rules:
    return {(family, name): rule for family in families for name in names}


_INTS = tuple(_SOURCE)
RULES: Rules = (
    _all(_INTS, tuple(INTEGERS), int_to_int)
    | _all(_INTS, ("Decimal",), int_to_decimal)
    | _all(_INTS, ("Bool",), int_to_bool)
    | _all(_INTS, ("Float32", "Float64"), int_to_float)
    | _all(("float8",), ("Float64",), float_same)
    | _all(("float4",), ("Float32",), float_same)
    | _all(("float4",), ("Float64",), float_widened)
    | _all(("float8",), ("Float32",), float_narrowed)
    | _all(("numeric",), ("Decimal",), numeric_to_decimal)
    | _all(("numeric",), tuple(INTEGERS), numeric_to_int)
    | _all(("numeric",), ("Float64",), numeric_to_float)
    | _all(("bool",), ("Bool", *INTEGERS), bool_to_number)
)
