"""Taking single physical rows out of live, by the strongest way that the table allows.

The rows stand in a table of the attempt (column `id`, what `View.identity` gives). No mutation
ever refers to that table: where a mutation is needed, the ids stand in its command.
"""

import uuid
from collections.abc import Iterator

from windlass.domain.attempt import Staging
from windlass.domain.schema import Removal
from windlass.target.client import fill
from windlass.target.kill import kill_mutations, marker
from windlass.target.names import literal
from windlass.target.publish.job import Job
from windlass.target.settings import HEAVY, PATCH_DELETE, PLAIN_DELETE, SUBQUERIES_AT_ONCE

PATCH_BY_TABLE = (26, 1)
"""The first release whose patch delete finds rows by a subquery over another table; 25.8 reports
success and deletes nothing."""
_IDS_AT_ONCE = 100_000
_IDS_AT_ONCE_REPLICATED = 12_000
"""A Replicated table keeps the command in Keeper, whose nodes hold at most 1 MB."""

# Filled by a statement of its own: CREATE … AS SELECT goes by a table of the server's own name,
# which a server that is killed meanwhile leaves behind.
_NOTE = "CREATE TABLE $table ENGINE = MergeTree ORDER BY tuple() EMPTY AS $select"
_PATCH = """
DELETE FROM $live WHERE $condition AND $sort_hash IN (SELECT id.1 FROM $ids)
AND $identity IN (SELECT id FROM $ids)
"""
_IDS = "SELECT DISTINCT id FROM $ids ORDER BY id LIMIT $limit OFFSET $offset FORMAT Values"


def note(job: Job, purpose: str, select: str, *more: str) -> tuple[Staging, int]:
    """Write down what the SELECTs find (column `id` at least) in a new table of the attempt; the
    table, and how many rows it has."""
    table = job.own(purpose, uuid.uuid4().hex[:8])
    job.run(fill(_NOTE, table=job.ref(table), select=select), HEAVY)
    for one in (select, *more):
        job.run(f"INSERT INTO {job.ref(table)} {one}", HEAVY)
    return table, job.value(f"SELECT count() FROM {job.ref(table)}")


def remove(job: Job, ids: Staging, condition: str) -> None:
    """Delete the physical rows with these ids that meet the condition."""
    if job.removal is Removal.PATCH and job.server.version >= PATCH_BY_TABLE:
        statement = fill(
            _PATCH,
            live=job.view.table,
            condition=condition,
            sort_hash=job.view.sort_hash,
            identity=job.view.identity,
            ids=job.ref(ids),
        )
        job.run(statement, HEAVY | PATCH_DELETE)
        return
    for chunk in _chunks(job, ids):
        wanted = f"{condition} AND {job.view.identity} IN ({chunk})"
        remove_range(job, wanted)


def remove_range(job: Job, condition: str) -> None:
    """Delete every physical row that meets the condition, which names no table. The statement
    itself fails once the attempt was given up, wherever the server can put it so."""
    if job.removal is Removal.PATCH:
        job.fence()
        guarded = _guarded(job, condition, able=job.server.version >= PATCH_BY_TABLE)
        job.run(f"DELETE FROM {job.view.table} WHERE {guarded}", PATCH_DELETE)
        return
    # Answered when the command is taken, so that the mutation itself refers to no other table;
    # replicas have not been seen to take it so.
    able = job.server.knows(SUBQUERIES_AT_ONCE) and not job.copied
    guarded = _guarded(job, condition, able=able)
    mutate(job, f"{_verb(job)} WHERE {guarded} AND {literal(marker(job.tag))} != ''")


def _guarded(job: Job, condition: str, *, able: bool) -> str:
    return job.unless_given_up(condition) if able else condition


def mutate(job: Job, statement: str) -> None:
    """Run a mutation to its end; when it is stopped, it is taken back."""
    job.fence()
    try:
        job.run(statement, PLAIN_DELETE)
    except BaseException:
        kill_mutations(job.server, job.tag)
        raise


def _verb(job: Job) -> str:
    """A table with projections refuses lightweight deletes."""
    if job.live.projections:
        return f"ALTER TABLE {job.view.table} DELETE"
    return f"DELETE FROM {job.view.table}"


def _chunks(job: Job, ids: Staging) -> Iterator[str]:
    limit = _IDS_AT_ONCE_REPLICATED if job.copied else _IDS_AT_ONCE
    offset = 0
    while True:
        statement = fill(_IDS, ids=job.ref(ids), limit=limit, offset=offset)
        found = job.server.text(statement, job.tag)
        if not found.strip():
            return
        yield found.replace("((", "(").replace("))", ")")
        offset += limit
