"""The machine of the model drives the real engines."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Life
from tests.model.real import Servers, real
from windlass.ledger import open_ledger


@pytest.fixture(scope="module")
def servers(
    postgres_url: str, clickhouse_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    """The session's servers and a ledger."""
    file: Path = tmp_path_factory.mktemp("model") / "windlass.db"
    ledger = open_ledger(f"sqlite:///{file}")
    yield Servers(postgres_url, clickhouse_url, ledger)
    ledger.close()


BOUNDED = settings(
    max_examples=int(os.environ.get("MODEL_EXAMPLES", "8")),
    stateful_step_count=15,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


def life(servers: Servers) -> type[Life]:
    """The machine over real engines."""
    return type("RealLife", (Life,), {"maker": staticmethod(real(servers))})


def test_real_engines_keep_the_invariants(servers: Servers) -> None:
    run_state_machine_as_test(life(servers), settings=BOUNDED)
