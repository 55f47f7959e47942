"""What ClickHouse and the way to it say, as errors of the domain."""

import re
from collections.abc import Callable

from windlass.domain.errors import (
    AccessError,
    PlanError,
    RefusedError,
    StagingGoneError,
    TransientError,
    UnreachableError,
    UnrepresentableError,
    WindlassError,
)

UNKNOWN_TABLE = 60
UNKNOWN_DATABASE = 81
NO_CODE = 0

_GRANT = re.compile(r"grant\s+(.+?)\.?\s*(?:\(ACCESS_DENIED\)|\(NOT_ENOUGH_PRIVILEGES\)|$)", re.I)
_TRAILERS = re.compile(r"\s*\(for url .*?\)|\s*\(version .*?\)|, server response:", re.DOTALL)
_ATTEMPT = re.compile(r"\s*executing HTTP request attempt.*", re.DOTALL)
_POOL = re.compile(r"^\w+\(host=[^)]*\): ")
_PASSWORD = re.compile(r"//[^/@\s]*@")


class RemovalTooLargeError(RefusedError):
    """The server's own guard against dropping large partitions is in the way."""

    kind = AccessError.kind


class StatementKilledError(TransientError):
    """Somebody ended the statement. When that was us, we know why; else it is tried again."""


class TableThereError(TransientError):
    """A table of that name is there already."""


class StuckMutationError(WindlassError):
    """A mutation of the live table fails again and again; what waits for it cannot go on."""

    kind = AccessError.kind


def translate(error: BaseException, where: str) -> WindlassError:
    """The domain error for what clickhouse-connect raised; never carries a password."""
    code = getattr(error, "code", None) or _code_in(str(error))
    why = reason(error)
    if code in _BY_CODE:
        return _BY_CODE[code](where, why)
    if code:
        return _plain(TransientError, f"ClickHouse error {code}")(where, why)
    return _unreachable(where, why)


def reason(error: BaseException) -> str:
    """The server's words without its version, the URL and anything secret."""
    text = _TRAILERS.sub(" ", _ATTEMPT.sub("", _POOL.sub("", _told(error))))
    return _PASSWORD.sub("//", text).strip()[:2000]


def _told(error: BaseException) -> str:
    """What the connection's library says went wrong, else all of the error's text."""
    # Its own text repeats the whole URL, with every setting of the statement.
    below = getattr(error.__cause__, "reason", None)
    return str(below) if isinstance(below, BaseException) else str(error)


def _code_in(text: str) -> int:
    match = re.search(r"Code: (\d+)\.", text) or re.search(r"exception, code: (\d+)", text)
    return int(match.group(1)) if match else NO_CODE


def _plain(kind: type[WindlassError], what: str, next_step: str = "") -> "_Maker":
    def make(where: str, why: str) -> WindlassError:
        return kind(what, where=where, why=why, next_step=next_step)

    return make


_Maker = Callable[[str, str], WindlassError]


def _unreachable(where: str, why: str) -> WindlassError:
    return UnreachableError(
        "ClickHouse does not answer",
        where=where,
        why=why,
        next_step="check target.url, and that the server runs: windlass doctor",
    )


def _access(where: str, why: str) -> WindlassError:
    match = _GRANT.search(why)
    wanted = f"GRANT {match.group(1)} TO <the user of target.url>" if match else "windlass grants"
    return AccessError("ClickHouse refuses the permission", where=where, why=why, next_step=wanted)


_LOGIN = _plain(AccessError, "ClickHouse refuses user or password", "check target.url")
_GONE = _plain(
    StagingGoneError,
    "a table that the statement names is not there",
    "nothing: this attempt is over, the next one stages afresh",
)
_BUSY = "nothing: it is tried again; windlass doctor shows parts, merges and disks"
_DATA = _plain(
    UnrepresentableError,
    "the server cannot take a value as it is",
    "cast the column in the SELECT of `from:`, or widen the target column",
)
_BY_CODE: dict[int, _Maker] = {
    UNKNOWN_TABLE: _GONE,
    UNKNOWN_DATABASE: _plain(PlanError, "the database is not there", "create it, then plan again"),
    516: _LOGIN,
    193: _LOGIN,
    194: _LOGIN,
    192: _LOGIN,
    497: _access,
    164: _plain(AccessError, "the user may only read", "use a user without readonly"),
    241: _plain(TransientError, "ClickHouse ran out of memory for the statement", _BUSY),
    252: _plain(TransientError, "the table has too many parts", _BUSY),
    202: _plain(TransientError, "too many statements run at once", _BUSY),
    243: _plain(TransientError, "no disk space can be reserved", "free disk space on the server"),
    57: _plain(TableThereError, "a table of that name is there already"),
    394: _plain(StatementKilledError, "the statement was killed"),
    341: _plain(
        StuckMutationError,
        "a mutation of the table cannot finish",
        "see latest_fail_reason in system.mutations, KILL MUTATION, then run it again",
    ),
    242: _plain(TransientError, "the table is read-only for now", _BUSY),
    359: _plain(
        RemovalTooLargeError,
        "the partition is larger than the server lets anyone drop",
        "raise max_partition_size_to_drop for the user, then run it again",
    ),
    122: _plain(PlanError, "the tables' structures differ", "plan again: the live DDL changed"),
    62: _plain(
        PlanError,
        "the server cannot read the statement",
        "if it is too long: plan with a larger --window, or raise max_query_size for the user",
    ),
    36: _plain(PlanError, "the server refuses the arguments", "plan again"),
    349: _DATA,
    321: _DATA,
    69: _DATA,
    407: _DATA,
}
