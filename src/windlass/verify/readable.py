"""Canonical texts as an operator writes the values."""

from datetime import UTC, datetime, timedelta

from windlass.domain.schema import ColumnPair

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WITH_LENGTH = "octet_length"


def readable(pair: ColumnPair, text: str) -> str:
    """`5:hello` as `hello`, microseconds and days since 1970 as times; anything else, and NULL
    (`N`), as it is."""
    if text == "N":
        return "NULL"
    if _WITH_LENGTH in pair.source_text and text.partition(":")[0].isdecimal():
        return text.partition(":")[2]
    if pair.source_type.startswith("timestamp"):
        return _moment(text)
    return _day(text) if pair.source_type == "date" else text


def _moment(text: str) -> str:
    try:
        at = _EPOCH + timedelta(microseconds=int(text))
    except (ValueError, OverflowError):  # infinity, or a value that only the source can hold
        return text
    return f"{at.replace(tzinfo=None).isoformat()}Z"


def _day(text: str) -> str:
    try:
        return f"{_EPOCH + timedelta(days=int(text)):%Y-%m-%d}"
    except (ValueError, OverflowError):
        return text
