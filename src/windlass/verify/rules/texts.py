"""Text, bytes, enums, uuids, addresses, and everything that travels as PostgreSQL's own text."""

from windlass.verify.chtype import ChType
from windlass.verify.passage import AS_TEXT, Hazard, Passage, Plain, Rules, or_text, pg_literal
from windlass.verify.pgtype import PgType

_LENGTHY = "concat(toString(length({c})),':',{c})"
_NATIVE = {"text", "json"}
_HEX = "lower(hex({c}))"


def _text(source: PgType) -> str:
    """The value as `text`: text and json are read as they are, the rest by PostgreSQL's output."""
    return "{c}" if source.family in _NATIVE else AS_TEXT


def _lengthy(text: str) -> str:
    return f"octet_length({text})||':'||{text}"


def to_string(source: PgType, target: ChType) -> Passage:
    """Byte for byte; the length in front keeps a text with separators from looking like two."""
    plain = Plain("{c}", "{c}", "''")
    return Passage(_text(source), _lengthy(AS_TEXT), _LENGTHY, _LENGTHY, plain=plain)


def to_fixed_string(source: PgType, target: ChType) -> Passage:
    """At most n bytes: ClickHouse pads with zero bytes, which no PostgreSQL text can hold."""
    size = target.numbers[0]
    hazards = (Hazard(f"octet_length({AS_TEXT}) > {size}", f"longer than {size} bytes"),)
    padded = f"rpad(encode(convert_to({AS_TEXT},'UTF8'),'hex'),{2 * size},'0')"
    arrow = f"rightPad(lower(hex({{c}})),{2 * size},'0')"
    return Passage(_text(source), or_text(padded, hazards), _HEX, arrow, hazards)


def to_enum(source: PgType, target: ChType) -> Passage:
    """By name; a text that is no name of the enum is a hazard."""
    names = ", ".join(pg_literal(name) for name in target.strings)
    hazard = Hazard(f"{AS_TEXT} not in ({names})", f"not a name of {target.name}")
    named = "concat(toString(length(toString({c}))),':',toString({c}))"
    plain = Plain("toString({c})", "{c}", "''")
    return Passage(AS_TEXT, _lengthy(AS_TEXT), named, _LENGTHY, (hazard,), plain)


def uuid_same(source: PgType, target: ChType) -> Passage:
    """Sixteen bytes in the order that they are written, which every ClickHouse reads into UUID."""
    plain = Plain("UUIDToNum({c})", "{c}", "toFixedString('',16)")
    return Passage("{c}", AS_TEXT, "toString({c})", "UUIDNumToString({c})", plain=plain)


def text_to_uuid(source: PgType, target: ChType) -> Passage:
    """Only the canonical spelling: lower case with four hyphens."""
    digits = "[0-9a-f]" * 4
    shape = "-".join(digits * n for n in (2, 1, 1, 1, 3))
    hazard = Hazard(f"{AS_TEXT} !~ '^{shape}$'", "not a UUID in lower case with hyphens")
    return Passage(AS_TEXT, AS_TEXT, "toString({c})", "{c}", (hazard,))


def bytes_to_string(source: PgType, target: ChType) -> Passage:
    """Byte for byte."""
    return Passage("{c}", "encode({c},'hex')", _HEX, _HEX)


def bytes_to_fixed_string(source: PgType, target: ChType) -> Passage:
    """Exactly n bytes: padding could not be told from zero bytes of the value."""
    size = target.numbers[0]
    hazard = Hazard(f"octet_length({{c}}) <> {size}", f"not exactly {size} bytes")
    return Passage("{c}", "encode({c},'hex')", _HEX, _HEX, (hazard,))


# inet_send: family, bits, is_cidr and length take four bytes, then comes the address.
_ADDRESS = "encode(substring(inet_send({c}) from 5),'hex')"


def to_ipv4(source: PgType, target: ChType) -> Passage:
    """One IPv4 host; networks and IPv6 are hazards."""
    hazards = (Hazard("family({c}) <> 4 or masklen({c}) <> 32", "not one IPv4 host"),)
    text = "lower(leftPad(hex(toUInt32({c})),8,'0'))"
    arrow = text.replace("{c}", "toIPv4({c})")
    return Passage("host({c})", or_text(_ADDRESS, hazards), text, arrow, hazards)


def to_ipv6(source: PgType, target: ChType) -> Passage:
    """One host; IPv4 is stored as ::ffff:a.b.c.d, so an IPv6 address of that form is a hazard."""
    whole = "masklen({c}) <> case family({c}) when 4 then 32 else 128 end"
    mapped = f"family({{c}}) = 6 and left({_ADDRESS},24) = '00000000000000000000ffff'"
    hazards = (
        Hazard(whole, "a network, not one host"),
        Hazard(mapped, "IPv4 written as IPv6, which IPv6 cannot tell from plain IPv4"),
    )
    source_text = (
        f"case family({{c}}) when 4 then '00000000000000000000ffff' else '' end||{_ADDRESS}"
    )
    arrow = "lower(hex(toIPv6({c})))"
    return Passage("host({c})", or_text(source_text, hazards), _HEX, arrow, hazards)


_ANY = (
    "text", "json", "other", "uuid", "inet", "bool", "numeric", "date", "timestamp", "timestamptz",
    "int2", "int4", "int8", "oid", "float4", "float8", "array",
)  # fmt: skip
_STRINGS: Rules = {(family, "String"): to_string for family in _ANY}
RULES: Rules = (
    _STRINGS
    | {(family, "FixedString"): to_fixed_string for family in ("text", "other", "uuid")}
    | {(f, enum): to_enum for f in ("text", "other") for enum in ("Enum8", "Enum16")}
    | {
        ("uuid", "UUID"): uuid_same,
        ("text", "UUID"): text_to_uuid,
        ("bytea", "String"): bytes_to_string,
        ("bytea", "FixedString"): bytes_to_fixed_string,
        ("inet", "IPv4"): to_ipv4,
        ("inet", "IPv6"): to_ipv6,
    }
)
