"""Which engines keep rows as they were inserted, and what to do about those that do not."""

from windlass.domain.errors import PlanError
from windlass.domain.schema import TargetTable
from windlass.domain.states import Mode

SERVED = ("MergeTree", "ReplacingMergeTree")

_MERGED = "merges fold rows of one sorting key into one, so single rows cannot be replaced"
_CANCELLED = "its rows cancel each other by a sign that the source does not have"
_UNKEPT = "it has no partitions and takes no deletes: the range could not be replaced"
_ELSEWHERE = "its rows live elsewhere"

_REASONS = {
    "AggregatingMergeTree": _MERGED,
    "SummingMergeTree": _MERGED,
    "CoalescingMergeTree": _MERGED,
    "GraphiteMergeTree": _MERGED,
    "CollapsingMergeTree": _CANCELLED,
    "VersionedCollapsingMergeTree": _CANCELLED,
    "Log": _UNKEPT,
    "TinyLog": _UNKEPT,
    "StripeLog": _UNKEPT,
    "Memory": _UNKEPT,
    "Set": _UNKEPT,
    "Join": _UNKEPT,
    "EmbeddedRocksDB": _UNKEPT,
    "View": "it is a query, not a table",
    "LiveView": "it is a query, not a table",
    "WindowView": "it is a query, not a table",
    "MaterializedView": "its rows are made from another table's inserts",
    "Buffer": "rows wait in memory before they reach the table behind it",
    "Null": "it keeps no rows",
    "Merge": "it reads from several tables at once",
    "Dictionary": _ELSEWHERE,
    "Distributed": "its rows live on shards that could not be resolved",
}
_NEXT = {
    **dict.fromkeys(
        ("AggregatingMergeTree", "SummingMergeTree", "CoalescingMergeTree", "GraphiteMergeTree"),
        "rebuild the table that it is filled from, then fill it again from there",
    ),
    "View": "name the table that it reads as the dataset's table",
    "MaterializedView": "rebuild the table that it reads, and the view's target from that",
    "Buffer": "name the table behind it, and FLUSH (OPTIMIZE TABLE the buffer) beforehand",
    "Merge": "name one of the tables that it reads",
}
_FED = ("Kafka", "RabbitMQ", "NATS", "S3Queue", "AzureQueue", "FileLog", "RedisStreams")
_LEAVE = "point the dataset at a MergeTree or ReplacingMergeTree table, or leave the table out"


def base_engine(engine: str) -> str:
    """The engine without `Replicated` or `Shared`."""
    return engine.removeprefix("Replicated").removeprefix("Shared")


def check_engine(live: TargetTable, mode: Mode) -> None:
    """Refuse tables that the mode cannot serve exactly. Raises PlanError."""
    where = f"target table {live.database}.{live.name}"
    base = base_engine(live.engine)
    if base not in SERVED:
        raise PlanError(
            f"the engine {live.engine} cannot serve mode {mode}",
            where=where,
            why=_why(base),
            next_step=_NEXT.get(base, _LEAVE),
        )
    if live.refusal:
        raise PlanError(
            "the table cannot be rebuilt",
            where=where,
            why=live.refusal,
            next_step="make the shards' tables alike (SHOW CREATE TABLE on each), or leave the "
            "table out",
        )


def _why(base: str) -> str:
    if base in _FED:
        return "it is a stream that is read once, not a table"
    return _REASONS.get(base, f"{_ELSEWHERE}, or it keeps them in a way that is not known here")
