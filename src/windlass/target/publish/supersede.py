"""One publish of a group at a time: what an earlier attempt left running is ended before this
one begins, and an attempt that a later one has overtaken does not begin at all."""

from windlass.domain.attempt import Attempt
from windlass.domain.errors import StagingGoneError
from windlass.target.client import Server, fill
from windlass.target.kill import kill, subject_marker
from windlass.target.names import literal

_NUMBERS = """
SELECT DISTINCT toUInt32OrZero(extract(substring($comment, $skip), '^[0-9]+'))
FROM system.processes WHERE startsWith($comment, $prefix)
UNION DISTINCT
SELECT DISTINCT toUInt32OrZero(extract(command, $number))
FROM system.mutations WHERE NOT is_done AND position(command, $subject) > 0
"""


def supersede(server: Server, attempt: Attempt) -> None:
    """Kill earlier attempts at the same subject. StagingGoneError: a later one is at work."""
    for number in sorted(_numbers(server, attempt), reverse=True):
        if number > attempt.number:
            raise _overtaken(attempt, number)
        if number < attempt.number:
            kill(server, Attempt(attempt.campaign, attempt.subject, number).tag)


def _numbers(server: Server, attempt: Attempt) -> set[int]:
    """The numbers of all attempts at the subject that the server is still busy with."""
    prefix = attempt.tag.removesuffix(str(attempt.number))
    subject = subject_marker(attempt.tag)
    statement = fill(
        _NUMBERS,
        comment="Settings['log_comment']",
        skip=f"length({literal(prefix)}) + 1",
        prefix=literal(prefix),
        number=literal(f"{subject}([0-9]+):"),
        subject=literal(subject),
    )
    return {int(row[0]) for row in server.quick.rows(statement, "windlass/kill")} - {0}


def _overtaken(attempt: Attempt, number: int) -> StagingGoneError:
    return StagingGoneError(
        f"attempt {attempt.number} was overtaken",
        where=attempt.subject,
        why=f"attempt {number} is at work on the server",
        next_step="nothing: the later attempt publishes",
    )
