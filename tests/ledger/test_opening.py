"""Opening, migrating, sharing: what can go wrong before and around the contract."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from windlass.domain.errors import AccessError, ConfigError, UnreachableError, WindlassError
from windlass.ledger import open_ledger
from windlass.ledger.opening import HEAD, MIGRATIONS
from windlass.ledger.store import SqlLedger
from windlass.ledger.tables import metadata

WRITERS = 4
EACH = 12
WRITER = Path(__file__).with_name("writer.py")


def test_the_last_migration_is_the_one_that_the_code_needs() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD


def test_migrations_make_exactly_the_tables(ledger: SqlLedger, ledger_url: str) -> None:
    engine = create_engine(ledger_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_opening_again_is_fast(ledger: SqlLedger, ledger_url: str) -> None:
    if ledger_url.startswith("postgresql"):
        pytest.skip("the network's time is not ours")
    best = min(_seconds_to_open(ledger_url) for _ in range(5))
    assert best < 0.05


def test_opening_again_does_not_load_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/windlass.db"
    open_ledger(url).close()
    code = (
        "import sys; from windlass.ledger import open_ledger; "
        f"open_ledger({url!r}).ledger_id(); print('alembic' in sys.modules)"
    )
    assert _python(["-c", code]).strip() == "False"


def test_a_ledger_of_a_later_version_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/windlass.db"
    open_ledger(url).close()
    with create_engine(url).begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(ConfigError, match="revision 9999, which this version does not know"):
        open_ledger(url)


@pytest.mark.parametrize("url", ["mysql://a:geheim@b/c", "geheim", "sqlite//x"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_ledger(url)
    assert "geheim" not in str(caught.value)


def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError) as caught:
        open_ledger("postgresql://ada:geheim@127.0.0.1:1/ledger")
    assert "geheim" not in str(caught.value)
    assert "127.0.0.1:1" in caught.value.where


@pytest.mark.stack
def test_a_wrong_password_is_no_outage(postgres_url: str) -> None:
    server = postgres_url.rpartition("@")[2]
    with pytest.raises(AccessError) as caught:
        open_ledger(f"postgresql://nobody:geheim@{server}")
    assert "geheim" not in str(caught.value)


def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "windlass.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(WindlassError, match="not a database"):
        open_ledger(f"sqlite:///{tmp_path}/windlass.db")


def test_processes_that_write_at_once_lose_nothing(ledger_url: str) -> None:
    """All open the new ledger at once, all want the same campaign, all write into it."""
    running = [
        subprocess.Popen(
            [sys.executable, str(WRITER), ledger_url, str(number), str(EACH)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(WRITER.parents[2])},
        )
        for number in range(WRITERS)
    ]
    told = [json.loads(process.communicate(timeout=120)[0]) for process in running]
    ledger = open_ledger(ledger_url)
    numbers = [number for one in told for number in one["attempts"]]
    assert sorted(numbers) == list(range(1, WRITERS * EACH + 1)), "no attempt number twice"
    assert len({one["ledger"] for one in told}) == 1, "one ledger, made once"
    assert sum(one["created"] for one in told) == 1, "the others were refused for the overlap"
    assert len(ledger.events("acme")) == WRITERS * EACH
    ledger.close()


def _seconds_to_open(url: str) -> float:
    begun = time.perf_counter()
    opened = open_ledger(url)
    opened.ledger_id()
    taken = time.perf_counter() - begun
    opened.close()
    return taken


def _python(arguments: Sequence[str]) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout
