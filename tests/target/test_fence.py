"""The last look at the fence and the statement that follows it: between them an attempt may sleep
for hours. Whatever it sends then must fail by itself, and change nothing."""

import pytest

from tests.target.bench import PATCHES, Bench, ignore, span
from windlass.domain.errors import StagingGoneError
from windlass.domain.plan import GroupTable
from windlass.domain.states import Path
from windlass.target.publish.assemble import assemble
from windlass.target.publish.job import Job
from windlass.target.publish.rows import note, remove, remove_range
from windlass.target.publish.swap import drop
from windlass.target.slices import View

FEBRUARY = span("2026-02-01", "2026-03-01")
PROJECTION = ", PROJECTION p (SELECT x ORDER BY x)"
KINDS = {
    "patch": {"settings": PATCHES},
    "lightweight": {"settings": ""},
    "mutation": {"settings": "SETTINGS deduplicate_merge_projection_mode = 'drop'"},
}


class Sleeper(Job):
    """Falls asleep right after it has looked, and is given up meanwhile."""

    def fence(self) -> None:
        super().fence()
        self.area.sweep(self.attempt)


def sleeper(bench: Bench) -> Sleeper:
    """A publish attempt over February, its assembly made."""
    staged = bench.stage((1, "new", "2026-02-06", "2026-02-07"))
    job = Sleeper(
        bench.target.area,
        View.of(bench.live, bench.piece(FEBRUARY), bench.pairs),
        bench.plan(Path.IN_PLACE),
        GroupTable(bench.table, Path.SWAP, (FEBRUARY,)),
        [staged],
        bench.attempt(),
        ignore,
    )
    assemble(job)
    return job


def build(bench: Bench, kind: str) -> None:
    extra = PROJECTION if kind == "mutation" else ""
    bench.create(extra=extra, **KINDS[kind])
    bench.put((1, "later", "2026-02-06", "2026-02-08"), (2, "later", "2026-02-07", "2026-02-08"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_delete_of_the_range_fails(bench: Bench, kind: str) -> None:
    build(bench, kind)
    job = sleeper(bench)
    with pytest.raises(StagingGoneError):
        remove_range(job, job.view.inside)
    assert bench.seen() == [(1, "later"), (2, "later")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_delete_by_ids_fails(bench: Bench, kind: str) -> None:
    build(bench, kind)
    job = sleeper(bench)
    ids, rows = note(job, "stale", f"SELECT {job.view.identity} AS id FROM {job.view.table}")
    assert rows == 2
    if kind == "patch":
        # It reads the ids, and so needs no look before it.
        job.area.sweep(job.attempt)
    with pytest.raises(StagingGoneError):
        remove(job, ids, job.view.inside)
    assert bench.seen() == [(1, "later"), (2, "later")]


@pytest.mark.parametrize("kind", KINDS)
def test_emptying_a_partition_fails(bench: Bench, kind: str) -> None:
    build(bench, kind)
    job = sleeper(bench)
    job.area.sweep(job.attempt)
    with pytest.raises(StagingGoneError):
        drop(job, "202602")
    assert bench.seen() == [(1, "later"), (2, "later")]


@pytest.mark.parametrize("kind", KINDS)
def test_awake_they_do_their_work_and_leave_no_mutation_behind(bench: Bench, kind: str) -> None:
    build(bench, kind)
    bench.put((3, "old", "2026-01-07", "2026-01-08"))
    job = Job(**vars(sleeper(bench)))
    remove_range(job, f"{job.view.inside} AND k = 1")
    assert bench.seen() == [(2, "later"), (3, "old")]
    drop(job, "202601")
    assert bench.seen() == [(2, "later")]
    # What was asked of other tables was answered when the mutation was taken.
    assert bench.rows(
        "SELECT countIf(NOT is_done), countIf(position(command, 'whole') > 0) "
        f"FROM system.mutations WHERE database = '{bench.database}'"
    ) == [(0, 0)]
