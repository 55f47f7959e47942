"""From what psycopg, ADBC and libpq say to errors that an operator can act on."""

import re
from dataclasses import dataclass

from windlass.domain.errors import (
    AccessError,
    PlanError,
    SnapshotLostError,
    TransientError,
    UnreachableError,
    WindlassError,
)

_CONNECTION = ("08", "57P01", "57P02", "57P03", "57P05", "53300", "58030")
_SNAPSHOT = ("22023", "42704", "55000", "25001")
_DENIED = re.compile(
    r"password authentication failed|no password supplied|no pg_hba\.conf entry"
    r"|authentication failed|role .* does not exist|is not permitted to log in"
    r"|permission denied for database|database .* does not exist|certificate",
    re.IGNORECASE,
)
_SERVER_SAID = re.compile(
    r"(?:ERROR|FATAL):\s+(.*?)(?=\n\s*\n?Query was|\. SQLSTATE:|$)", re.DOTALL
)
_QUERY_WAS = re.compile(r"\s*Query was: .*", re.DOTALL)
_BROKEN = re.compile(
    r"FATAL:|server closed the connection"
    r"|connection (?:not open|reset|refused|timed out|to server)"
    r"|could not (?:receive|send) data|SSL (?:error|SYSCALL)|lost synchronization"
    r"|no COPY in progress|no connection to the server|broken pipe|unexpected EOF|end of file",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Failure:
    """What a driver said: SQLSTATE ('' where the driver keeps it back), text, the server's hint,
    and whether the session was still being set up."""

    sqlstate: str
    text: str
    hint: str = ""
    connecting: bool = False


def said(text: str) -> str:
    """The server's own words out of a driver's message, without the statement."""
    match = _SERVER_SAID.search(text)
    words = match[1] if match else _QUERY_WAS.sub("", text)
    return " ".join(words.split()).removesuffix(". SQLSTATE: NULL")


def translate(failure: Failure, where: str, doing: str) -> WindlassError:
    """The error to raise for a failure while `doing` something `where`."""
    state, why = failure.sqlstate, said(failure.text)
    if state.startswith("28") or (failure.connecting and _DENIED.search(failure.text)):
        return _refused(where, why)
    if failure.connecting or state.startswith(_CONNECTION):
        return _unreachable(where, why)
    if not state and _BROKEN.search(failure.text):
        return _unreachable(where, why)
    if state == "42501":
        return _forbidden(where, doing, why)
    if state.startswith(("42", "22P02", "22007", "22008")) or state in {"0A000", "25006"}:
        return _wrong(where, doing, why, failure.hint)
    return _transient(state, where, doing, why)


def snapshot_lost(failure: Failure, where: str, snapshot: str) -> WindlassError:
    """The error for a failed import of a snapshot."""
    if failure.sqlstate not in _SNAPSHOT:
        return translate(failure, where, "importing the snapshot")
    return SnapshotLostError(
        f"snapshot {snapshot} is gone",
        where=where,
        why=said(failure.text),
        next_step="nothing: the publish group takes a new snapshot and starts over",
    )


def _refused(where: str, why: str) -> AccessError:
    fix = "check user, password, database and sslmode in source.url, then: windlass doctor"
    return AccessError("PostgreSQL refuses the login", where=where, why=why, next_step=fix)


def _unreachable(where: str, why: str) -> UnreachableError:
    fix = (
        "check source.url, and that the server runs: windlass doctor; a running campaign tries "
        "again by itself"
    )
    return UnreachableError("PostgreSQL does not answer", where=where, why=why, next_step=fix)


def _forbidden(where: str, doing: str, why: str) -> AccessError:
    fix = f"as the owner: {_wanted(why)} (all grants: windlass grants)"
    return AccessError(f"not allowed: {doing}", where=where, why=why, next_step=fix)


def _wanted(why: str) -> str:
    if "row-level security" in why:
        return "ALTER ROLE the user in source.url BYPASSRLS, or every rebuild misses rows"
    match = re.search(r"permission denied for (\w+) (\S+)", why)
    kind, name = (match[1], match[2]) if match else ("", "the tables")
    wanted = f"GRANT USAGE ON SCHEMA {name}" if kind == "schema" else f"GRANT SELECT ON {name}"
    return f"{wanted} TO the user in source.url"


def _wrong(where: str, doing: str, why: str, hint: str) -> PlanError:
    fix = hint or "correct the dataset in the fleet file, then: windlass plan"
    return PlanError(f"failed: {doing}", where=where, why=why, next_step=fix)


def _transient(state: str, where: str, doing: str, why: str) -> TransientError:
    code = f" ({state})" if state else ""
    fix = "nothing if the next try succeeds; otherwise look for this in PostgreSQL's log"
    return TransientError(f"failed: {doing}", where=where, why=f"{why}{code}", next_step=fix)
