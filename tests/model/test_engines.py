"""The machine of the model drives the real engines."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.model.machine import Life
from tests.model.profiles import BOTH, STABLE, drive, long
from tests.model.real import Servers, real
from windlass.ledger import open_ledger

pytestmark = pytest.mark.timeout(7200)


@pytest.fixture(scope="module")
def servers(
    postgres_url: str, clickhouse_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    """The session's servers and a ledger."""
    file: Path = tmp_path_factory.mktemp("model") / "windlass.db"
    ledger = open_ledger(f"sqlite:///{file}")
    yield Servers(postgres_url, clickhouse_url, ledger)
    ledger.close()


def life(servers: Servers) -> type[Life]:
    """The machine over real engines."""
    return type("RealLife", (Life,), {"maker": staticmethod(real(servers))})


@BOTH
def test_real_engines_keep_the_invariants(servers: Servers, profile: str) -> None:
    short = settings(STABLE, max_examples=6, stateful_step_count=15)
    drive(life(servers), short, long(100, 30), profile)
