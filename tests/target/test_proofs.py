"""What staging holds, told once right before a publish: what was read, and how live will look."""

from copy import copy
from typing import Any, cast

import pytest

from tests.target.bench import Bench, ignore, span
from tests.target.test_undo import prints
from windlass.domain.attempt import Staging
from windlass.domain.errors import StagingGoneError, TransientError
from windlass.domain.results import Digest
from windlass.domain.states import Path
from windlass.domain.undo import Prints
from windlass.target.client import Server
from windlass.target.proofs import proofs

SPRING = span("2026-02-01", "2026-04-01")


def _staged(bench: Bench) -> list[Staging]:
    """Two windows that share a partition, and one that holds nothing."""
    return [
        bench.stage((1, "a", "2026-02-03", "2026-02-05"), (2, "b", "2026-02-04", "2026-02-04")),
        bench.stage(),
        bench.stage((3, "", "2026-02-20", "2026-02-20"), (4, "d", "2026-03-01", "2026-03-02")),
    ]


def _proofs(bench: Bench, rows: list[Staging]) -> tuple[list[Digest], Prints]:
    return bench.target.proofs(bench.live, rows, bench.pairs, bench.attempt(), ignore, prints=True)


@pytest.mark.parametrize("extra", ["", ", y String DEFAULT 'why', m UInt64 MATERIALIZED k * 2"])
def test_tells_what_was_read_and_how_live_will_look(bench: Bench, extra: str) -> None:
    bench.create(extra=extra)
    bench.put((9, "old", "2026-02-03", "2026-02-05"))
    rows = _staged(bench)
    digests, expected = _proofs(bench, rows)
    assert digests == [bench.target.staged(one, bench.pairs) for one in rows]
    assert [one.rows for one in digests] == [2, 0, 2]
    bench.publish(Path.SWAP, SPRING, *rows)
    assert prints(bench, SPRING) == expected
    assert len(expected) == 2


def test_another_value_is_another_print(bench: Bench) -> None:
    bench.create(extra=", y String DEFAULT 'why'")
    rows = _staged(bench)
    _, expected = _proofs(bench, rows)
    bench.publish(Path.SWAP, SPRING, *rows)
    bench.run(f"ALTER TABLE {bench.ref} UPDATE y = 'else' WHERE k = 4 SETTINGS mutations_sync = 2")
    now = prints(bench, SPRING)
    assert [one for one in now if now[one] != expected[one]] == ["202603"]


def test_windows_without_number_are_told_in_their_order(bench: Bench) -> None:
    bench.create()
    rows = [bench.stage((k, f"{k}", "2026-02-03", "2026-02-05")) for k in range(53)]
    digests, expected = _proofs(bench, rows)
    assert digests == [bench.target.staged(one, bench.pairs) for one in rows]
    assert sum(one.rows for one in expected.values()) == len(rows)


def test_nothing_staged_is_nothing_to_look_like(bench: Bench) -> None:
    bench.create()
    assert _proofs(bench, []) == ([], {})


def test_staging_that_is_gone_says_so(bench: Bench) -> None:
    bench.create()
    rows = _staged(bench)
    bench.target.sweep(rows[1].attempt)
    with pytest.raises(StagingGoneError):
        _proofs(bench, rows)


def test_without_prints_only_what_was_read_is_told(bench: Bench) -> None:
    bench.create()
    rows = _staged(bench)
    digests, nothing = bench.target.proofs(
        bench.live, rows, bench.pairs, bench.attempt(), ignore, prints=False
    )
    assert (digests, nothing) == (_proofs(bench, rows)[0], {})


class Half:
    """A server that answers with as many rows, and no more."""

    def __init__(self, server: Server, rows: int) -> None:
        self._server, self._rows = server, rows

    def rows(self, *asked: Any, **how: Any) -> list[tuple[Any, ...]]:
        return list(self._server.rows(*asked, **how))[: self._rows]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)


@pytest.mark.parametrize("rows", [0, 1])
def test_half_an_answer_is_asked_again(bench: Bench, rows: int) -> None:
    """What a statement answers that is killed at the right moment."""
    bench.create()
    staged, area = _staged(bench), copy(bench.target.area)
    area.server = cast(Server, Half(area.server, rows))
    with pytest.raises(TransientError, match="did not say all"):
        proofs(area, bench.live, staged, bench.pairs, bench.attempt(), ignore, prints=False)
