"""One command line per test, over a ledger of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.world import Cli, make_cli


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    made = make_cli(tmp_path)
    yield made
    made.backend.ledger.close()
