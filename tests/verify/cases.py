"""Edge values of every pair: what must arrive equal, and what must be caught."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """Literals of the source type; None is NULL. `beyond` are bad ones that the engine stores
    as they are although its type does not promise to."""

    source: str
    target: str
    good: tuple[str | None, ...]
    bad: tuple[str | None, ...] = ()
    setup: tuple[str, ...] = field(default=(), repr=False)
    beyond: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.source}->{self.target}"


INT2 = ("-32768", "-1", "0", "1", "32767")
INT4 = ("-2147483648", "-1", "0", "1", "2147483647")
INT8 = ("-9223372036854775808", "-1", "0", "1", "9223372036854775807")
TEXT = (
    "",
    "a",
    "N",
    "|",
    "1:a",
    "a|b",
    "%s {c} ? :x",
    "käse ☃ 𝄞",
    "\\N",
    "\\",
    "'",
    '"',
    "\n\t",
    "x" * 300,
    " x ",
)
TSTZ = (
    "1970-01-01 00:00:00Z",
    "2024-02-29 12:34:56.123456+02",
    "1900-01-01 00:00:00Z",
    "2299-12-31 23:59:59.999999Z",
    "1969-12-31 23:59:59.999999Z",
)
MOOD = ("create type proof.mood as enum ('sad', 'so so', 'gl|ad')",)
EMAIL = ("create domain proof.email as text check (value like '%@%')",)
PEAR = ("create type proof.pear as (a int, b text)",)
CASES = [
    Case("smallint", "Int16", INT2, (None,)),
    Case("integer", "Int32", INT4, (None,)),
    Case("bigint", "Int64", INT8, (None,)),
    Case("bigint", "Nullable(Int64)", (*INT8, None)),
    Case("bigint", "Int32", INT4, ("2147483648", "-2147483649", "9223372036854775807", None)),
    Case("bigint", "UInt64", ("0", "9223372036854775807"), ("-1", None)),
    Case("bigint", "UInt8", ("0", "255"), ("-1", "256", "4294967296", None)),
    Case("bigint", "Int256", INT8, (None,)),
    Case("bigint", "UInt256", ("0", "9223372036854775807"), ("-1",)),
    Case(
        "bigint",
        "Decimal(10, 2)",
        ("0", "-99999999", "99999999"),
        (),
        beyond=("100000000", "-100000000"),
    ),
    Case("bigint", "Bool", ("0", "1"), ("2", "-1")),
    Case(
        "bigint",
        "Float64",
        ("0", "-5", "9007199254740992", "9007199254740994", "-9223372036854775808"),
        ("9007199254740993", "9223372036854775807", "-9223372036854775807", "9223372036854775295"),
    ),
    Case("integer", "Float64", INT4),
    Case("integer", "Float32", ("0", "16777216", "16777218"), ("16777217", "2147483647", None)),
    Case(
        "bigint",
        "Float32",
        ("0", "16777216", "4611686018427387904"),
        ("16777217", "9223372036854775807", "9007199254740993"),
    ),
    Case("oid", "UInt32", ("0", "4294967295"), (None,)),
    Case("oid", "Int64", ("0", "4294967295")),
    Case("oid", "Int32", ("0", "2147483647"), ("2147483648",)),
    Case(
        "double precision",
        "Float64",
        (
            "0",
            "-0",
            "1.5",
            "0.1",
            "NaN",
            "Infinity",
            "-Infinity",
            "5e-324",
            "1.7976931348623157e308",
        ),
        (None,),
    ),
    Case("double precision", "Nullable(Float64)", ("0", "NaN", None)),
    Case(
        "real",
        "Float32",
        ("0", "-0", "1.5", "0.1", "NaN", "Infinity", "-Infinity", "1e-45", "3.4028235e38"),
    ),
    Case(
        "real",
        "Float64",
        ("0", "-0", "1.5", "0.1", "NaN", "Infinity", "-Infinity", "1e-45", "3.4028235e38"),
    ),
    Case(
        "double precision",
        "Float32",
        ("0", "-0", "1.5", "NaN", "Infinity", "-Infinity", "1.401298464324817e-45"),
        ("0.1", "1e39", "-1e39", "1e-46", "5e-324", "3.4028235677973366e38"),
    ),
    Case("boolean", "Bool", ("t", "f"), (None,)),
    Case("boolean", "Nullable(Bool)", ("t", "f", None)),
    Case("boolean", "UInt8", ("t", "f")),
    Case("boolean", "Int32", ("t", "f")),
    Case("boolean", "String", ("t", "f")),
    Case(
        "uuid",
        "UUID",
        (
            "00000000-0000-0000-0000-000000000000",
            "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
        ),
        (None,),
    ),
    Case(
        "uuid",
        "Nullable(UUID)",
        ("00000000-0000-0000-0000-000000000000", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", None),
    ),
    Case("uuid", "String", ("f81d4fae-7dec-11d0-a765-00a0c91e6bf6",)),
    Case("uuid", "FixedString(36)", ("f81d4fae-7dec-11d0-a765-00a0c91e6bf6",)),
    Case(
        "text",
        "UUID",
        ("f81d4fae-7dec-11d0-a765-00a0c91e6bf6",),
        ("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", "", "x", "f81d4fae7dec11d0a76500a0c91e6bf6", None),
    ),
    Case("text", "String", TEXT, (None,)),
    Case("text", "Nullable(String)", (*TEXT, None)),
    Case("text", "LowCardinality(String)", TEXT, (None,)),
    Case("text", "LowCardinality(Nullable(String))", (*TEXT, None)),
    Case("character varying(5)", "String", ("", "abcde", "a ")),
    Case("character(5)", "String", ("", "abcde", "a")),
    Case("text", "FixedString(4)", ("", "a", "abcd", "☃"), ("abcde", "☃☃", None)),
    Case("text", "Nullable(FixedString(4))", ("", "a", "abcd", None), ("abcde",)),
    Case(
        "text", "Enum8('a' = 1, 'b\\'{c}' = -2, '' = 3)", ("a", "b'{c}", ""), ("c", "1", "A", None)
    ),
    Case("text", "LowCardinality(String)", TEXT),
    Case("json", "String", ('{"a": 1}', '{"b":[1,  2], "a":null}', '"☃"', "null"), (None,)),
    Case("jsonb", "String", ('{"a": 1}', '{"b":[1,  2], "a":null}', '"☃"', "null", "1.50")),
    Case("jsonb", "Nullable(String)", ('{"a": 1}', None)),
    Case(
        "numeric(10,2)",
        "Decimal(10, 2)",
        ("0", "1.50", "-1.05", "99999999.99", "-99999999.99", "100"),
        ("NaN", None),
    ),
    Case(
        "numeric",
        "Decimal(10, 2)",
        ("0", "1.50", "-1.0500", "99999999.99", "-99999999.99", "1e3"),
        ("NaN", "Infinity", "-Infinity", "1.005", "-99999999.999", "1e-20", None),
        beyond=("100000000",),
    ),
    Case("numeric(20,4)", "Decimal64(2)", ("0", "1.5", "9999999999999999.99"), ("0.001", "NaN")),
    Case(
        "numeric",
        "Decimal(76, 30)",
        ("0", "1e45", "-123456789012345678901234567890.123456789012345678901234567891"),
        ("1e46", "1e-31"),
    ),
    Case("numeric", "Nullable(Decimal(38, 10))", ("1.10", None)),
    Case(
        "numeric",
        "Int64",
        ("0", "9223372036854775807", "-9223372036854775808", "5.00"),
        ("9223372036854775808", "0.5", "NaN", "-Infinity"),
    ),
    Case(
        "numeric",
        "UInt256",
        ("0", "115792089237316195423570985008687907853269984665640564039457584007913129639935"),
        ("-1", "115792089237316195423570985008687907853269984665640564039457584007913129639936"),
    ),
    Case(
        "numeric",
        "Float64",
        (
            "0",
            "0.1",
            "1.50",
            "1e308",
            "NaN",
            "Infinity",
            "-Infinity",
            "123456789012345.6",
            "5e-324",
        ),
        ("0.12345678901234567891", "1e309", "-1e309", "1e-400", "1e-324", "9007199254740993"),
    ),
    Case("numeric", "String", ("1.50", "NaN", "-Infinity", "1e40")),
    Case(
        "timestamp with time zone",
        "DateTime64(6, 'UTC')",
        TSTZ,
        (
            "infinity",
            "-infinity",
            "294276-12-31Z",
            None,
        ),
        beyond=("2300-01-01 00:00:00Z", "1899-12-31 23:59:59.999999Z", "0044-03-15 BC"),
    ),
    Case("timestamp with time zone", "DateTime64(6, 'America/New_York')", TSTZ, ("infinity",)),
    Case("timestamp with time zone", "DateTime64(6)", TSTZ, ("infinity",)),
    Case("timestamp with time zone", "Nullable(DateTime64(6))", (*TSTZ, None), ("infinity",)),
    Case(
        "timestamp with time zone",
        "DateTime64(3, 'UTC')",
        ("2024-02-29 12:34:56.123Z", "1969-12-31 23:59:59.999Z"),
        ("2024-02-29 12:34:56.1234Z", "1969-12-31 23:59:59.9999Z", "infinity", "-infinity"),
    ),
    Case(
        "timestamp with time zone",
        "DateTime64(9, 'UTC')",
        (*TSTZ[:3], TSTZ[4], "2262-04-11 23:47:16.854775Z"),
        ("2262-04-11 23:47:16.854776Z", "infinity"),
    ),
    Case("timestamp with time zone", "DateTime64(7, 'UTC')", TSTZ, ("infinity",)),
    Case(
        "timestamp with time zone",
        "DateTime64(0, 'UTC')",
        ("2024-02-29 12:34:56Z",),
        ("2024-02-29 12:34:56.1Z",),
    ),
    Case(
        "timestamp with time zone",
        "DateTime('Europe/Berlin')",
        ("1970-01-01Z", "2024-03-31 01:30:00Z", "2106-02-07 06:28:15Z"),
        (
            "2106-02-07 06:28:16Z",
            "1969-12-31 23:59:59Z",
            "2024-01-01 00:00:00.000001Z",
            "infinity",
            "-infinity",
            None,
        ),
    ),
    Case("timestamp with time zone", "String", TSTZ),
    Case(
        "timestamp without time zone",
        "DateTime64(6, 'UTC')",
        ("2024-02-29 12:34:56.123456", "1900-01-01"),
        ("infinity", "-infinity"),
        beyond=("2300-01-01",),
    ),
    Case(
        "timestamp without time zone",
        "DateTime64(6, 'America/New_York')",
        ("2024-02-29 12:34:56.123456",),
    ),
    Case(
        "timestamp without time zone",
        "DateTime",
        ("2024-02-29 12:34:56",),
        ("infinity", "2024-02-29 12:34:56.5"),
    ),
    Case("timestamp without time zone", "Nullable(DateTime)", ("2024-02-29 12:34:56", None)),
    Case(
        "date",
        "Date",
        ("1970-01-01", "2149-06-06", "2024-02-29"),
        ("1969-12-31", "2149-06-07", "infinity", "-infinity", None),
    ),
    Case(
        "date",
        "Date32",
        ("1900-01-01", "2299-12-31", "1969-12-31"),
        ("infinity", "-infinity"),
        beyond=("1899-12-31", "2300-01-01"),
    ),
    Case("date", "Nullable(Date)", ("1970-01-01", None)),
    Case("bytea", "String", ("\\x", "\\x00ff7c", "\\x4e"), (None,)),
    Case("bytea", "Nullable(String)", ("\\x", "\\x00ff7c", None)),
    Case("bytea", "FixedString(2)", ("\\x0000", "\\x00ff"), ("\\x", "\\x00", "\\x000102")),
    Case("inet", "IPv4", ("10.0.0.1", "0.0.0.0", "255.255.255.255"), ("10.0.0.0/8", "::1", None)),
    Case(
        "inet",
        "IPv6",
        ("::1", "10.0.0.1", "2001:db8::ff00:42:8329", "::"),
        ("::ffff:10.0.0.1", "10.0.0.0/8", "fe80::/10"),
    ),
    Case("inet", "Nullable(IPv4)", ("10.0.0.1", None), ("10.0.0.0/8",)),
    Case("inet", "String", ("10.0.0.1", "10.0.0.0/8", "::1")),
    Case("cidr", "String", ("10.0.0.0/8", "::/0")),
    Case(
        "integer[]",
        "Array(Int32)",
        ("{}", "{1}", "{-1,2147483647,0}"),
        ("{{1,2},{3,4}}", "{1,NULL}", "{NULL}", None),
    ),
    Case(
        "integer[]", "Array(Nullable(Int32))", ("{}", "{1,NULL}", "{NULL}"), ("{{1,2},{3,4}}", None)
    ),
    Case("bigint[]", "Array(Int32)", ("{}", "{1}"), ("{2147483648}", "{1,-2147483649}")),
    Case(
        "text[]", "Array(String)", ("{}", '{""}', '{"a,b","]","N"}', "{☃}"), ("{NULL}", "{{a},{b}}")
    ),
    Case("text[]", "Array(LowCardinality(Nullable(String)))", ("{}", '{"",NULL}', '{"NULL"}')),
    Case("uuid[]", "Array(UUID)", ("{}", "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}"), ("{NULL}",)),
    Case("double precision[]", "Array(Float64)", ("{}", "{1.5,NaN,-0,Infinity}"), ("{NULL}",)),
    Case("boolean[]", "Array(Bool)", ("{}", "{t,f}"), ("{NULL}",)),
    Case(
        "numeric[]",
        "Array(Decimal(10, 2))",
        ("{}", "{1.50,2}"),
        ("{NaN}", "{1.001}", "{NULL}", "{{1}}", "{{1},{2}}", None),
    ),
    Case("numeric[]", "Array(Nullable(Decimal(10, 2)))", ("{}", "{1.50,NULL}")),
    Case(
        "timestamp with time zone[]",
        "Array(DateTime64(6, 'UTC'))",
        ("{}", '{"2024-01-01 00:00:00.5Z"}'),
        ("{infinity}", "{NULL}"),
    ),
    Case(
        "timestamp with time zone[]",
        "Array(DateTime)",
        ("{}", '{"2024-01-01 00:00:00Z"}'),
        ("{infinity}", "{NULL}", '{"2024-01-01 00:00:00.5Z"}'),
    ),
    Case("date[]", "Array(Date)", ("{}", "{2024-01-01}"), ("{infinity}", "{NULL}", "{1960-01-01}")),
    Case("bigint", "LowCardinality(Int32)", INT4, ("2147483648", None)),
    Case("bigint", "String", INT8),
    Case("text", "LowCardinality(Nullable(FixedString(4)))", ("", "abcd", None), ("abcde",)),
    Case("text", "Nullable(Enum16('a' = 1000, 'b' = -1000))", ("a", None), ("", "c")),
    Case("proof.mood", "Enum8('sad' = 1, 'so so' = 2)", ("sad", "so so"), ("gl|ad",), MOOD),
    Case("proof.mood", "Nullable(Enum16('sad' = 999))", ("sad", None), ("so so",), MOOD),
    Case("proof.mood", "String", ("sad", "gl|ad"), (None,), MOOD),
    Case("proof.mood", "LowCardinality(Nullable(String))", ("sad", None), (), MOOD),
    Case("proof.mood[]", "Array(String)", ("{}", '{sad,"so so"}'), ("{NULL}", None), MOOD),
    Case("proof.mood[]", "Array(Enum8('sad' = 1, 'so so' = 2))", ("{sad}",), ("{gl|ad}",), MOOD),
    Case("proof.email", "String", ("a@b",), (None,), EMAIL),
    Case("proof.pear", "String", ('(1,"a,b")', "(,)"), (None,), PEAR),
    Case("interval", "String", ("1 year 2 mons -3 days 04:05:06.789", "0", "-1 us"), (None,)),
    Case("interval(3)", "Nullable(String)", ("1.2345 s", None)),
    Case("time without time zone", "String", ("00:00", "24:00", "12:34:56.123456")),
    Case("time with time zone", "String", ("00:00+02", "12:34:56.123456-11:30")),
    Case("money", "String", ("$1,234.50", "-0.01", "-92233720368547758.08")),
    Case("name", "String", ("", "a", "☃")),
    Case('"char"', "String", ("", "a")),
    Case("bit(3)", "String", ("101",)),
    Case("bit varying", "String", ("", "101")),
    Case("macaddr", "String", ("08:00:2b:01:02:03",)),
    Case("point", "String", ("(1,2.5)",)),
    Case("int4range", "String", ("empty", "[1,5)", "(,)")),
    Case("tstzrange", "String", ("[2024-01-01 00:00:00Z,)", "(,infinity]")),
    Case("int4multirange", "String", ("{[1,2),[5,6)}",)),
    Case("tsvector", "String", ("a:1 b:2",)),
    Case("pg_lsn", "String", ("16/B374D848",)),
    Case("jsonpath", "String", ("$.a",)),
    Case("bpchar", "String", ("", "a  ", " b")),
    Case("character(5)", "FixedString(5)", ("", "a", "abcde")),
    Case("character(5)", "Enum8('a' = 1)", ("a",), ("b",)),
    Case("character(5)[]", "Array(String)", ("{}", "{a,abcde}")),
    Case("character varying(3)[]", "Array(String)", ("{}", '{a,"b c"}'), ("{NULL}",)),
    Case("real", "String", ("0", "-0", "NaN", "1e-45", "0.1")),
    Case("double precision", "String", ("0", "-0", "NaN", "-Infinity", "5e-324", "0.1")),
    Case("date", "String", ("2024-02-29", "infinity", "0044-03-15 BC")),
    Case("timestamp without time zone", "String", ("2024-02-29 12:34:56.1", "-infinity")),
    Case("timestamp(3) with time zone", "DateTime64(3)", ("2024-02-29 12:34:56.123Z",), (None,)),
    Case("timestamp(0) without time zone", "DateTime", ("2024-02-29 12:34:56",), ("infinity",)),
    Case("jsonb[]", "Array(String)", ("{}", '{"{\\"a\\": 1}"}'), ("{NULL}",)),
    Case("json[]", "Array(Nullable(String))", ("{}", '{"[1,  2]",NULL}')),
    Case("bytea[]", "Array(String)", ("{}", '{"\\\\x00ff7c","\\\\x"}'), ("{NULL}",)),
    Case("smallint[]", "Array(Int16)", ("{}", "{-32768,32767}"), ("{NULL}",)),
    Case("bigint[]", "Array(UInt64)", ("{}", "{9223372036854775807}"), ("{-1}",)),
    Case("bigint[]", "Array(Nullable(Int64))", ("{}", "{NULL,1}"), ("{{1},{2}}",)),
    Case("bigint[]", "Array(Float64)", ("{}", "{1}"), ("{9007199254740993}",)),
    Case("oid[]", "Array(UInt32)", ("{}", "{4294967295}"), ("{NULL}",)),
    Case("real[]", "Array(Float32)", ("{}", "{1.5,NaN,-0}"), ("{NULL}",)),
    Case("double precision[]", "Array(Float32)", ("{1.5}",), ("{0.1}", "{1e39}")),
    Case("boolean[]", "Array(UInt8)", ("{}", "{t,f}"), ("{NULL}",)),
    Case("inet[]", "Array(IPv4)", ("{}", "{10.0.0.1}"), ("{::1}", "{NULL}")),
    Case("inet[]", "Array(String)", ("{10.0.0.1,10.0.0.0/8}",)),
    Case("uuid[]", "Array(Nullable(UUID))", ("{f81d4fae-7dec-11d0-a765-00a0c91e6bf6,NULL}",)),
    Case("uuid[]", "Array(String)", ("{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}",)),
    Case("timestamp without time zone[]", "Array(DateTime64(6, 'UTC'))", ("{2024-01-01}",)),
    Case("date[]", "Array(Nullable(Date32))", ("{1960-01-01,NULL}",), ("{-infinity}",)),
    Case("interval[]", "Array(String)", ("{}", '{"1 day","02:00"}'), ("{NULL}",)),
    Case("integer[]", "String", ("{}", "{{1,2},{3,4}}", "[0:1]={1,2}", "{NULL}"), (None,)),
    Case("integer[]", "Array(Int32)", ("[0:1]={1,2}",), ("{{1}}", "[0:0][0:1]={{1,2}}")),
    Case("text[]", "Nullable(String)", ("{}", '{"a b"}', None)),
]


SIZES = {"smallint": 15, "integer": 31, "bigint": 63}
"""Bits of the largest value."""


def _integers() -> list[Case]:
    """Every integer into every integer type: both ends of both, and one beyond."""
    found = []
    limits = {kind: (-(2**bits), 2**bits - 1) for kind, bits in SIZES.items()}
    for kind, (low, high) in (limits | {"oid": (0, 2**32 - 1)}).items():
        for bits in (8, 16, 32, 64, 128, 256):
            for name, least in (("Int", -(2 ** (bits - 1))), ("UInt", 0)):
                most = least + 2**bits - 1
                ends = {low, high, 0, least, most, least - 1, most + 1}
                values = sorted(value for value in ends if low <= value <= high)
                good = [str(value) for value in values if least <= value <= most]
                bad = [str(value) for value in values if not least <= value <= most]
                found.append(Case(kind, f"{name}{bits}", tuple(good), (*bad, None)))
    return found


def _numerics() -> list[Case]:
    found = []
    for bits in (8, 16, 32, 64, 128, 256):
        for name, least in (("Int", -(2 ** (bits - 1))), ("UInt", 0)):
            most = least + 2**bits - 1
            good = (str(least), str(most), "0.000", "5.0")
            bad = (str(least - 1), str(most + 1), "0.5", "NaN", "Infinity", "-Infinity")
            found.append(Case("numeric", f"{name}{bits}", good, bad))
    return found


CASES += [*_integers(), *_numerics()]
CASES += [
    Case("boolean", f"{sign}Int{bits}", ("t", "f"), (None,))
    for sign in ("", "U")
    for bits in (8, 16, 32, 64, 128, 256)
]
CASES += [Case(kind, "String", ("0", "1", "32767"), (None,)) for kind in (*SIZES, "oid")]
CASES += [Case(kind, "Bool", ("0", "1"), ("2",)) for kind in (*SIZES, "oid")]
CASES += [Case(kind, "Decimal(4, 1)", ("0", "999"), beyond=("1000",)) for kind in (*SIZES, "oid")]
CASES += [Case(kind, "Float64", ("0", "1", "32767")) for kind in (*SIZES, "oid")]
CASES += [Case("smallint", "Float32", INT2), Case("oid", "Float32", ("5",), ("4294967295",))]
