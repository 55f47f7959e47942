"""Which step of a campaign a ClickHouse statement belongs to, told from its tag and its kind."""

import re
from dataclasses import dataclass

LIVE_STEPS = ("swap", "drop-partition", "insert-live", "delete-live", "move", "catch-up-insert")
"""Steps that change what readers see."""

STEPS = (
    "load-create", "load-insert", "load-check", "guard", "staged-check", "assemble", "attach",
    *LIVE_STEPS, "published", "settle", "sweep", "kill",
)  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """One statement on the wire."""

    tag: str
    sql: str
    step: str


_KINDS = (
    (r"ALTER TABLE .* REPLACE PARTITION", "swap"),
    (r"ALTER TABLE .* DROP PARTITION", "drop-partition"),
    (r"ALTER TABLE .* MOVE PARTITION", "move"),
    (r"ALTER TABLE .* ATTACH PARTITION", "attach"),
    (r"(DELETE FROM|ALTER TABLE .* DELETE)", "delete-live"),
    (r"KILL ", "kill"),
    (r"DROP TABLE", "sweep"),
)


def classify(tag: str, sql: str, staging: str) -> Statement:
    """`staging` is the staging database's name: an INSERT elsewhere changes live rows."""
    flat = " ".join(sql.split())
    return Statement(tag, flat, _step(tag, flat, staging))


def _step(tag: str, sql: str, staging: str) -> str:
    for pattern, name in _KINDS:
        if re.match(pattern, sql, re.IGNORECASE):
            return name
    role = _role(tag)
    into = re.match(r"INSERT INTO (\S+)", sql, re.IGNORECASE)
    if into and not into[1].replace("`", "").startswith(f"{staging}."):
        return "catch-up-insert" if role == "settle" else "insert-live"
    if role == "load":
        return "load-insert" if into else _created(sql, "load-create", "load-check")
    if role == "group":
        return _created(sql, "assemble", "published")
    return role


def _created(sql: str, made: str, other: str) -> str:
    return made if sql.upper().startswith("CREATE TABLE") else other


def _role(tag: str) -> str:
    subject = tag.removeprefix("windlass/").split("#")[0]
    last = subject.rpartition("/")[2]
    if last in {"guard", "settle", "snapshot"}:
        return last
    if last.startswith("group-"):
        return "group"
    return "look" if subject in {"look", "kill"} or not subject else "load"
