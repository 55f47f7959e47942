"""Names and literals in ClickHouse SQL: whatever an operator or a catalog gave passes here."""

import hashlib
from collections.abc import Iterable
from urllib.parse import quote as percent

from windlass.domain.attempt import Staging
from windlass.domain.schema import TargetTable

_LONGEST = 150
"""Bytes of a table's name as the server writes it to disk (percent-escaped), well under 255."""


def quote(name: str) -> str:
    """The identifier in backticks; any name that ClickHouse allows."""
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def quoted(names: Iterable[str]) -> str:
    """Identifiers in backticks, joined by commas."""
    return ", ".join(quote(name) for name in names)


def literal(text: str) -> str:
    """The text as a string literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def live_ref(live: TargetTable) -> str:
    """The live table, qualified."""
    return f"{quote(live.database)}.{quote(live.name)}"


def staging_name(staging: Staging) -> str:
    """The staging table's name; a long one keeps its attempt's token and is hashed behind it."""
    if len(percent(staging.name, safe="")) <= _LONGEST:
        return staging.name
    digest = hashlib.sha256(staging.name.encode()).hexdigest()[:24]
    return f"{staging.attempt.token}_{staging.purpose}_{digest}"
