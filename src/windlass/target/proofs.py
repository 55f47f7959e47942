"""What staging holds, right before it is published: table by table, and partition by partition."""

from collections.abc import Sequence

from windlass.domain.attempt import Attempt, Staging
from windlass.domain.chunks import chunked
from windlass.domain.errors import TransientError
from windlass.domain.results import Digest
from windlass.domain.schema import ColumnPair, TargetTable
from windlass.domain.undo import Prints
from windlass.ports import Pulse
from windlass.target.client import fill
from windlass.target.kill import statement_tag
from windlass.target.names import quote, quoted
from windlass.target.publish.keep import printed
from windlass.target.settings import LONG_STATEMENT
from windlass.target.staging import StagingArea, insertable
from windlass.target.watch import watched
from windlass.verify.canonical import fast_digest, target_values

_AT_ONCE = 50
"""Staging tables that one statement reads."""
_END = 2**32 - 1
_STAGED = f"""
SELECT * FROM (
  SELECT __number, _partition_id, $digest, $print FROM ($tables) GROUP BY __number, _partition_id
  UNION ALL SELECT toUInt32({_END}), '', toUInt64(0), '0', '0'
) ORDER BY 1
"""
"""With a last row: a statement that is killed at the right moment answers with less, without an
error."""
_NO_PRINT = "'0'"
_TABLE = "SELECT toUInt32($number) AS __number, _partition_id, $columns FROM $table"

_Row = tuple[int, str, Digest, Digest]
"""Number of the staging table, partition, digest, print."""


def proofs(
    area: StagingArea,
    live: TargetTable,
    stagings: Sequence[Staging],
    pairs: Sequence[ColumnPair],
    attempt: Attempt,
    pulse: Pulse,
    *,
    prints: bool,
) -> tuple[list[Digest], Prints]:
    """See ports.KeepingTarget.proofs."""
    found = list[_Row]()
    for some in chunked(list(enumerate(stagings)), _AT_ONCE):
        tables = " UNION ALL ".join(
            fill(_TABLE, number=number, columns=quoted(insertable(live)), table=area.ref(one))
            for number, one in some
        )
        statement = fill(
            _STAGED,
            digest=fast_digest(target_values(pairs, quote)),
            print=printed(live) if prints else _NO_PRINT,
            tables=tables,
        )
        found += _asked(area, statement, attempt, pulse)
    digests, looks = [Digest(0)] * len(stagings), dict[str, Digest]()
    for number, partition, digest, look in found:
        digests[number] += digest
        looks[partition] = looks.get(partition, Digest(0)) + look
    return digests, looks if prints else {}


def _asked(area: StagingArea, statement: str, attempt: Attempt, pulse: Pulse) -> list[_Row]:
    tag, found = statement_tag(attempt.tag), list[_Row]()

    def work() -> None:
        for number, partition, rows, digest, look in area.server.rows(
            statement, tag, settings=LONG_STATEMENT
        ):
            both = Digest(int(rows), str(digest)), Digest(int(rows), str(look))
            found.append((int(number), str(partition), *both))

    watched(area.server, tag, work, pulse)
    whole = [row for row in found if row[0] != _END]
    if len(whole) == len(found):
        raise _half_an_answer(area)
    return whole


def _half_an_answer(area: StagingArea) -> TransientError:
    return TransientError(
        "the server did not say all that staging holds",
        where=str(area.server.address),
        why="the statement was killed",
        next_step="nothing: it is asked again",
    )
