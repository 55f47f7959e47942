"""The fleet file: found, read, checked, and turned into the domain's words.

`find` says which file, `load` reads it, `Fleet` answers questions about it. Every error is a
ConfigError with file, line, column and YAML path; a mistyped name is a UsageError with the
nearest one that exists.
"""

from windlass.settings.load import find, load, validated
from windlass.settings.models import (
    ClickHouse,
    Cluster,
    Fleet,
    Limits,
    PostgreSQL,
    Temporal,
    TlsFiles,
    schema,
)

__all__ = [
    "ClickHouse",
    "Cluster",
    "Fleet",
    "Limits",
    "PostgreSQL",
    "Temporal",
    "TlsFiles",
    "find",
    "load",
    "schema",
    "validated",
]
