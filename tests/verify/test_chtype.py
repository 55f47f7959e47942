"""Type names of ClickHouse and PostgreSQL are taken apart as the servers print them."""

import pytest

from windlass.verify import pgtype
from windlass.verify.chtype import ChType, parse


def test_nesting() -> None:
    found = parse("Array(LowCardinality(Nullable(String)))")
    assert found.name == "Array"
    assert found.inner[0].core == ChType("String")
    assert found.inner[0].nullable
    assert not found.nullable


def test_enum_names_keep_quotes_commas_and_escapes() -> None:
    found = parse(r"Nullable(Enum16('a, b' = -1, 'it\'s (x)' = 2, '' = 3, '\\n' = 4, '\n' = 5))")
    assert found.core.name == "Enum16"
    assert found.core.strings == ("a, b", "it's (x)", "", "\\n", "\n")
    assert found.core.numbers == (-1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Decimal(10, 2)", (10, 2)),
        ("Decimal32(3)", (9, 3)),
        ("Decimal64(3)", (18, 3)),
        ("Decimal128(0)", (38, 0)),
        ("Decimal256(76)", (76, 76)),
    ],
)
def test_decimals_are_one_kind(text: str, numbers: tuple[int, ...]) -> None:
    assert parse(text) == ChType("Decimal", numbers=numbers)


def test_zones_and_named_tuples() -> None:
    assert parse("DateTime64(6, 'Europe/Berlin')") == ChType(
        "DateTime64", numbers=(6,), strings=("Europe/Berlin",)
    )
    found = parse("Tuple(a Array(Int8), `b c` Map(String, Nullable(UUID)))")
    assert [one.name for one in found.inner] == ["Array", "Map"]


@pytest.mark.parametrize("text", ["", "Array(", "Array(Int8", "Int8)", "Int8 Int8 Int8", "'x'"])
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ClickHouse type"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "family", "modifiers"),
    [
        ("numeric(10,-2)", "numeric", (10, -2)),
        ("timestamp(3) with time zone", "timestamptz", (3,)),
        ("timestamp without time zone", "timestamp", ()),
        ("character varying(20)", "text", (20,)),
        ("character(5)", "other", (5,)),
        ("double precision", "float8", ()),
        ('"char"', "other", ()),
        ("app.mood", "other", ()),
        ('"my schema".text', "other", ()),
        ("time with time zone", "other", ()),
    ],
)
def test_families(text: str, family: str, modifiers: tuple[int, ...]) -> None:
    found = pgtype.parse(text)
    assert (found.family, found.modifiers) == (family, modifiers)


def test_arrays_know_their_element() -> None:
    found = pgtype.parse("numeric(10,2)[]")
    assert found.family == "array"
    assert found.element == pgtype.parse("numeric(10,2)")
