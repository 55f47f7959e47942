"""A row as text, on each server by its own output functions, brought to one form in Python.

Shares nothing with windlass.verify: no template, no hash, no driver of the load.
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.model.carriage import Carriage, ch, pg
from tests.model.schemas import Table

_NUMBER = re.compile(r"[-+]?(\d|\.\d)")
_TIME = re.compile(r"(-?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00)?$")


def rows_of_source(carriage: Carriage, table: Table, start: str, end: str) -> dict[int, list[Any]]:
    """`{key: values}` of kept rows, as PostgreSQL writes them."""
    carriage.pg.execute("SET TimeZone = 'UTC'")
    listed = ", ".join(_source_item(one.name, one.source, one.target) for one in table.columns)
    found = carriage.pg.execute(
        f"SELECT the_key, {listed} FROM {carriage.name}.items WHERE at >= '{start}' "
        f"AND at < '{end}' AND kept_out IS NOT TRUE".encode()
    )
    return {row[0]: list(row[1:]) for row in found.fetchall()}


def _source_item(name: str, source: str, target: str) -> str:
    """Bytes as hex; a host without its mask where the target holds addresses."""
    column = pg(name)
    if source == "bytea":
        return f"encode({column}, 'hex')"
    if source == "inet" and "IPv" in target:
        return f"host({column})"
    if source.endswith("[]") and "Array" in target:
        return f"to_json(ARRAY(SELECT e::text FROM unnest({column}) e))::text"
    return f"({column})::text"


def rows_of_target(carriage: Carriage, table: Table, start: str, end: str) -> dict[int, list[Any]]:
    """`{key: values}` of live rows, as ClickHouse writes them."""
    listed = ", ".join(_target_item(one.name, one.source, one.target) for one in table.columns)
    final = "FINAL" if table.replacing else ""
    text = carriage.ch.raw_query(
        f"SELECT the_key, {listed} FROM `{carriage.name}`.items {final} "
        f"WHERE at >= toDateTime64('{start}', 6, 'UTC') AND at < toDateTime64('{end}', 6, 'UTC') "
        "FORMAT JSONCompactEachRow",
        settings={"output_format_json_quote_64bit_integers": 1},
    )
    found = [json.loads(line) for line in text.splitlines()]
    assert len({row[0] for row in found}) == len(found), "keys doubled"
    return {row[0]: row[1:] for row in found}


def _target_item(name: str, source: str, target: str) -> str:
    """Everything as text, in UTC, bytes as hex, arrays as JSON of texts."""
    column = ch(name)
    if "Array" in target:
        return f"toJSONString(arrayMap(e -> {_one('e', target)}, {column}))"
    if source == "bytea":
        return f"lower(hex({column}))"
    return _one(column, target)


def _one(column: str, target: str) -> str:
    if "DateTime" in target:
        return f"toString({column}, 'UTC')"
    return f"toString({column})"


def same(left: Any, right: Any, target: str) -> bool:
    """Whether two texts stand for one value of that type."""
    if left is None or right is None:
        return left is right
    if "Array" in target:
        ones = zip(json.loads(left), json.loads(right), strict=True)
        inner = target.removeprefix("Array(")
        return len(json.loads(left)) == len(json.loads(right)) and all(
            same(one, other, inner) for one, other in ones
        )
    return bool(_plain(str(left), target) == _plain(str(right), target))


def _plain(text: str, target: str) -> Any:
    for kinds, form in _FORMS:
        if any(kind in target for kind in kinds):
            return form(text)
    return text


def _number(text: str) -> Any:
    lowered = {"true": "1", "t": "1", "false": "0", "f": "0"}.get(text, text).lower()
    if lowered in {"nan", "-nan"}:
        return "nan"
    try:
        return Decimal(lowered.replace("inf", "Infinity") if lowered.endswith("inf") else lowered)
    except InvalidOperation:
        return text


def _float(text: str) -> Any:
    lowered = {"true": "1", "false": "0"}.get(text, text).lower()
    return "nan" if "nan" in lowered else float(lowered)


def _single(text: str) -> Any:
    import numpy

    value = _float(text)
    return value if value == "nan" else float(numpy.float32(value))


def _instant(text: str) -> Any:
    found = _TIME.match(text)
    if not found:
        return text
    return datetime.fromisoformat(found[1]), (found[2] or "").rstrip("0")


def _padded(text: str) -> str:
    return text.rstrip("\0")


def _address(text: str) -> str:
    return text.removeprefix("::ffff:")


_FORMS: Sequence[tuple[tuple[str, ...], Any]] = (
    (("FixedString",), _padded),
    (("String", "Enum", "UUID"), str),
    (("Float32",), _single),
    (("Float64",), _float),
    (("Int", "Decimal", "Bool"), _number),
    (("DateTime",), _instant),
    (("IPv",), _address),
)
