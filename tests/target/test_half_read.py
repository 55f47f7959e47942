"""A catalog that was read by half: a killed statement may answer with no rows, and no error."""

from typing import Any

import pytest

from tests.target.bench import Bench
from windlass.domain.errors import TransientError
from windlass.target import describe
from windlass.target.client import Server


class Halved(Server):
    """The first answer about columns has no rows."""

    halved = False

    def rows(self, sql: str, *rest: Any, **more: Any) -> list[tuple[Any, ...]]:
        found = super().rows(sql, *rest, **more)
        if "system.columns" in sql and not self.halved:
            self.halved = True
            return []
        return found


def test_a_table_without_columns_is_asked_for_again_and_never_kept(bench: Bench) -> None:
    live = bench.create()
    server = Halved(bench.server.address)
    with pytest.raises(TransientError, match="lists no columns"):
        describe.read(server, live.database, live.name)
    found = describe.read(server, live.database, live.name)
    server.close()
    assert found is not None
    assert [one.column.name for one in found.columns] == [one.name for one in live.columns]
