"""Where the parts of a stack answer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoints:
    """Where the parts are: URLs, except `temporal` (host:port) and `config` (a path)."""

    postgres: str
    clickhouse: str
    temporal: str
    temporal_ui: str
    config: str
