"""Blocks as read from PostgreSQL: smaller where a tenant's windows struggle."""

from contextvars import copy_context

from windlass.domain import blocks
from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Slice
from windlass.source.postgres import PostgresSource

from .world import Db, pairs_for

WIDE = """
INSERT INTO app.scores
SELECT 1000 + n, 1, repeat(md5(n::text), 32), '2026-01-01 00:00Z', '2026-01-05Z'
FROM generate_series(1, 4000) n
"""


def test_smaller_blocks_hold_the_same_rows(
    world: Db, source: PostgresSource, scores: Slice, attempt: Attempt
) -> None:
    world.execute(WIDE)

    def sizes(divisor: int) -> tuple[int, int]:
        blocks.follow(lambda: divisor)
        with source.read(scores, pairs_for(source, scores), attempt, None) as batches:
            read = [(one.num_rows, one.nbytes) for one in batches]
        return sum(rows for rows, _ in read), max(size for _, size in read)

    rows, largest = copy_context().run(sizes, 1)
    assert largest > blocks.BYTES * 0.8
    less, smallest = copy_context().run(sizes, 16)
    assert less == rows > 4000
    assert smallest < largest / 4
