"""Stopping statements by their tag, and proving that they are gone."""

import hashlib
import time
import uuid

from windlass.domain.errors import TransientError
from windlass.target.client import Server, fill
from windlass.target.names import literal

_COMMENT = "Settings['log_comment']"
_COUNT = "SELECT count() FROM system.processes WHERE $match"
_KILL = "KILL QUERY WHERE $match SYNC FORMAT Null"
_MUTATIONS = """
SELECT count() FROM system.mutations WHERE NOT is_done AND position(command, $marker) > 0
"""
_KILL_MUTATIONS = "KILL MUTATION WHERE NOT is_done AND position(command, $marker) > 0 FORMAT Null"
_PATIENCE = 60.0


def statement_tag(tag: str) -> str:
    """A tag of one statement of the attempt: found by the attempt's tag, and by itself alone."""
    return f"{tag}/{uuid.uuid4().hex[:12]}"


def running(server: Server, tag: str) -> int:
    """How many statements of that tag the server lists."""
    return int(server.quick.value(fill(_COUNT, match=_match(tag)), "windlass/kill"))


def kill(server: Server, tag: str, patience: float = _PATIENCE) -> int:
    """Kill every statement and mutation of that tag; returns how many statements there were,
    only after the server lists none. TransientError: they would not die within `patience`
    seconds."""
    found = running(server, tag)
    deadline = time.monotonic() + patience
    while running(server, tag) or _mutating(server, tag):
        server.quick.run(fill(_KILL, match=_match(tag)), "windlass/kill")
        if _mutating(server, tag):
            kill_mutations(server, tag)
        if time.monotonic() > deadline:
            raise _immortal(server, tag)
        time.sleep(0.05)
    return found


def marker(tag: str) -> str:
    """What stands in the commands of the attempt's mutations, the tag being free text."""
    return f"{subject_marker(tag)}{tag.rpartition('#')[2]}:"


def subject_marker(tag: str) -> str:
    """What stands in the commands of all attempts at the same subject, before the number."""
    subject = tag.rpartition("#")[0]
    return f"windlass:{hashlib.sha256(subject.encode()).hexdigest()[:16]}:"


def kill_mutations(server: Server, tag: str) -> None:
    """Take back the attempt's unfinished mutations."""
    server.quick.run(fill(_KILL_MUTATIONS, marker=literal(marker(tag))), "windlass/kill")


def _match(tag: str) -> str:
    """Exactly the tag, or what it is the beginning of: `a#1` never means `a#10`."""
    begun = " OR ".join(f"startsWith({_COMMENT}, {literal(tag + end)})" for end in "/#")
    return f"({_COMMENT} = {literal(tag)} OR {begun})"


def _mutating(server: Server, tag: str) -> int:
    return int(server.quick.value(fill(_MUTATIONS, marker=literal(marker(tag))), "windlass/kill"))


def _immortal(server: Server, tag: str) -> TransientError:
    return TransientError(
        "statements of a stopped attempt are still running",
        where=str(server.address),
        why=f"KILL QUERY was sent for {tag}, system.processes or system.mutations still lists them",
        next_step="nothing: it is tried again; if it stays so, restart the server's stuck query",
    )
