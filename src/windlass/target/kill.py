"""Stopping statements by their tag, and proving that they are gone."""

import hashlib
import time
import uuid
from collections.abc import Sequence

from windlass.domain.errors import TransientError
from windlass.target.client import Server, fill
from windlass.target.names import literal

_COMMENT = "Settings['log_comment']"
_COUNT = "SELECT count() FROM system.processes WHERE $match"
_KILL = "KILL QUERY WHERE $match SYNC FORMAT Null"
_OURS = "NOT is_done AND multiSearchAny(command, [$markers])"
_MUTATIONS = f"SELECT count() FROM system.mutations WHERE {_OURS}"
_KILL_MUTATIONS = f"KILL MUTATION WHERE {_OURS} FORMAT Null"
_PATIENCE = 60.0


def statement_tag(tag: str) -> str:
    """A tag of one statement of the attempt: found by the attempt's tag, and by itself alone."""
    return f"{tag}/{uuid.uuid4().hex[:12]}"


def running(server: Server, *tags: str) -> int:
    """How many statements of those tags the server lists."""
    return int(server.quick.value(fill(_COUNT, match=_match(tags)), "windlass/kill"))


def kill(server: Server, *tags: str, patience: float = _PATIENCE) -> int:
    """Kill every statement and mutation of those tags; returns how many statements there were,
    only after the server lists none. TransientError: they would not die within `patience`
    seconds."""
    if not tags:
        return 0
    found = running(server, *tags)
    deadline = time.monotonic() + patience
    while running(server, *tags) or _mutating(server, tags):
        server.quick.run(fill(_KILL, match=_match(tags)), "windlass/kill")
        if _mutating(server, tags):
            kill_mutations(server, *tags)
        if time.monotonic() > deadline:
            raise _immortal(server, tags)
        time.sleep(0.05)
    return found


def marker(tag: str) -> str:
    """What stands in the commands of the attempt's mutations, the tag being free text."""
    return f"{subject_marker(tag)}{tag.rpartition('#')[2]}:"


def subject_marker(tag: str) -> str:
    """What stands in the commands of all attempts at the same subject, before the number."""
    subject = tag.rpartition("#")[0]
    return f"windlass:{hashlib.sha256(subject.encode()).hexdigest()[:16]}:"


def kill_mutations(server: Server, *tags: str) -> None:
    """Take back the attempts' unfinished mutations."""
    server.quick.run(fill(_KILL_MUTATIONS, markers=_markers(tags)), "windlass/kill")


def _match(tags: Sequence[str]) -> str:
    """Exactly a tag, or what it is the beginning of: `a#1` never means `a#10`."""
    begun = [f"startsWith({_COMMENT}, {literal(tag + end)})" for tag in tags for end in "/#"]
    exactly = f"{_COMMENT} IN ({', '.join(map(literal, tags))})"
    return f"({' OR '.join([exactly, *begun])})"


def _mutating(server: Server, tags: Sequence[str]) -> int:
    return int(server.quick.value(fill(_MUTATIONS, markers=_markers(tags)), "windlass/kill"))


def _markers(tags: Sequence[str]) -> str:
    return ", ".join(literal(marker(tag)) for tag in tags)


def _immortal(server: Server, tags: Sequence[str]) -> TransientError:
    whose = tags[0] if len(tags) == 1 else f"{tags[0]} and {len(tags) - 1} others"
    return TransientError(
        "statements of a stopped attempt are still running",
        where=str(server.address),
        why=f"KILL QUERY was sent for {whose}; system.processes or system.mutations still lists "
        "some",
        next_step="nothing: it is tried again; if it stays so, restart the server's stuck query",
    )
