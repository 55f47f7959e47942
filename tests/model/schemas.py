"""Any table out of the proven pairs: types, names, rows with hostile values, exclusions, ranges.

What is proven is asked of `windlass.verify.rules` itself, so that a pair that is added there is
tested here without a word.
"""

from dataclasses import dataclass

from hypothesis import strategies as st

from windlass.domain.schema import SourceColumn, TargetColumn
from windlass.verify.pairs import UnprovenPairError, pair

SOURCES = {
    "smallint": ("-32768", "-1", "0", "7", "255", "256", "32767"),
    "integer": ("-2147483648", "-129", "0", "1", "16777217", "65536", "2147483647"),
    "bigint": ("-9223372036854775808", "0", "1", "9007199254740993", "9223372036854775807"),
    "oid": ("0", "1", "4294967295"),
    "real": ("NaN", "-0", "0", "1.5", "3.4028235e38", "1e-45", "Infinity", "-Infinity"),
    "double precision": ("NaN", "-0", "0.1", "5e-324", "1.7976931348623157e308", "-Infinity"),
    "numeric": ("NaN", "0", "0.10", "-1.23", "1e40", "99999999999999.9999", "Infinity", "5e-30"),
    "numeric(20,4)": ("NaN", "-0.0001", "0.1000", "9999999999999999.9999", "12345"),
    "boolean": ("true", "false"),
    "text": ("", "N", "|", "\\N", "'\"`", "\n\t\r", "käse ☃ 𝄞", "x" * 300, "a", "b", "{c} %s ?"),
    "character varying(36)": ("", "a", "00000000-0000-0000-0000-00000000000a", "ключ"),
    "character(5)": ("", "ab", "a   "),
    "uuid": ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    "timestamp with time zone": (
        "1900-01-01Z",
        "1969-12-31 23:59:59.999999Z",
        "1970-01-01Z",
        "2026-03-29 01:59:59.5Z",
        "2026-10-25 02:30:00+02",
        "2106-02-07 06:28:16Z",
        "2299-12-31 23:59:59.999999Z",
        "infinity",
        "-infinity",
        "0044-03-15 00:00:00Z BC",
    ),
    "timestamp without time zone": ("1970-01-01", "2026-03-29 02:30:00", "infinity", "9999-12-31"),
    "date": ("1900-01-01", "1970-01-01", "2149-06-07", "2299-12-31", "infinity", "0001-01-01"),
    "jsonb": ("{}", "null", '{"a": [1, null, "é\\u0001"]}', "1e400"),
    "bytea": ("\\x", "\\x00", "\\x00ff7c4e", "\\x" + "ab" * 36),
    "inet": ("10.0.0.1", "10.0.0.0/8", "::1", "::ffff:1.2.3.4", "2001:db8::/32"),
    "interval": ("1 mon -1 day", "00:00:00.000001", "-178000000 years"),
    "time with time zone": ("00:00:00+00", "24:00:00-15:59"),
    "money": ("-92233720368547758.08", "0"),
    "int4range": ("empty", "[1,5)", "(,)"),
    "bit varying(9)": ("", "101"),
    "integer[]": ("{}", "{1,2}", "{NULL,300}", "{{1,2},{3,4}}", "[0:1]={7,8}", "{-1}"),
    "text[]": ("{}", '{"",N,"a,b"}', "{NULL}", '{"NULL","\\""}'),
    "double precision[]": ("{NaN,-0}", "{NULL,1e308}", "{}"),
    "timestamp with time zone[]": ("{1970-01-01Z}", "{infinity}", "{NULL}"),
    "numeric[]": ("{1.5,NaN}", "{0.00001}", "{}"),
    "uuid[]": ("{00000000-0000-0000-0000-000000000001}", "{NULL}"),
}
"""Source types, and literals that hurt."""

_INTS = tuple(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64, 128, 256))
_PLAIN = (
    *_INTS, "Bool", "Float32", "Float64", "Decimal(9, 2)", "Decimal(18, 4)", "Decimal(76, 20)",
    "String", "FixedString(36)", "Enum8('a' = 1, 'b' = -2)", "Enum16('' = 0, 'ключ' = 300)",
    "UUID", "DateTime", "DateTime('Europe/Berlin')", "DateTime64(3)",
    "DateTime64(6, 'Asia/Kathmandu')", "DateTime64(9)", "Date", "Date32", "IPv4", "IPv6",
)  # fmt: skip
_LOW = ("String", "FixedString(36)", "Date", "DateTime", "UUID", "Int64", "Float64")
NAMES = (
    "plain", 'quo"ted', "back`tick", "back\\slash", "a b", "select", "ключ", "{c}", "100%", "x?",
    ":y", "a.b", "'", "$n", "t", "parent", "excluded", "e", "🙂", "Case", "case", "id", "version",
    "__live", "at_0", "row",
)  # fmt: skip


def _targets() -> list[str]:
    low = [f"LowCardinality({kind})" for kind in _LOW]
    both = [f"LowCardinality(Nullable({kind}))" for kind in _LOW]
    arrays = [f"Array({kind})" for kind in _PLAIN] + [f"Array(Nullable({k}))" for k in _PLAIN]
    return [*_PLAIN, *(f"Nullable({kind})" for kind in _PLAIN), *low, *both, *arrays]


def _proven(source: str, target: str) -> bool:
    try:
        pair(SourceColumn("c", source), TargetColumn("c", target))
    except UnprovenPairError:
        return False
    return True


PAIRS = {source: [t for t in _targets() if _proven(source, t)] for source in SOURCES}
"""All proven pairs of these types."""


@dataclass(frozen=True)
class Column:
    """One column on both sides."""

    name: str
    source: str
    target: str


@dataclass(frozen=True)
class Table:
    """Columns beside key, tenant, time and version; rows are literals or None, and a day."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[int, tuple[str | None, ...]], ...]
    excluded: tuple[bool, ...]
    start: int
    end: int
    cuts: tuple[int, ...]
    replacing: bool
    partition: str


@st.composite
def columns(draw: st.DrawFn) -> tuple[Column, ...]:
    """One to six columns of proven pairs, with hostile names."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique=True))
    made = []
    for name in names:
        source = draw(st.sampled_from(sorted(PAIRS)))
        made.append(Column(name, source, draw(st.sampled_from(PAIRS[source]))))
    return tuple(made)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A table with rows over thirty days, and a range with windows."""
    made = draw(columns())
    values = st.tuples(*(st.none() | st.sampled_from(SOURCES[one.source]) for one in made))
    rows = draw(st.lists(st.tuples(st.integers(0, 29), values), min_size=1, max_size=12))
    start = draw(st.integers(0, 28))
    end = draw(st.integers(start + 1, 30))
    return Table(
        made,
        tuple(rows),
        tuple(draw(st.booleans()) for _ in rows),
        start,
        end,
        tuple(draw(st.lists(st.integers(0, 30), max_size=2))),
        draw(st.booleans()),
        draw(st.sampled_from(["", "toYYYYMM(at)", "toDate(at)", "toMonday(at)"])),
    )
