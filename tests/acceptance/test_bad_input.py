"""The operator who gets it wrong, on real servers: one message, a next step, the documented exit
code, and nothing changed anywhere. Names that are odd but right must work."""

import json
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.acceptance.fleet import HERE, Fleet
from tests.acceptance.warden import Warden
from tests.acceptance.world import RANGE
from windlass.localstack.stack import Endpoints


@pytest.fixture(scope="module")
def fleet(local_stack: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One world and one worker for everything here."""
    made = Fleet(local_stack, tmp_path_factory.mktemp("fleet"))
    behind = urlsplit(local_stack.clickhouse).port or 0
    with Warden(behind) as warden:
        made.warden = warden.port
        try:
            made.build()
            made.start_worker(",".join(made.served))
            yield made
        finally:
            made.close()


@dataclass(frozen=True)
class Bad:
    """Words after `windlass`, where `@x` is the fleet's cluster x and `R` the range; what the
    message says, what its next step says, and the exit code."""

    words: str
    says: str
    next_step: str
    code: int = 2


def on(dataset: str) -> str:
    return f"run @good acme R --yes --dataset {dataset}"


def at(cluster: str) -> str:
    return f"run @{cluster} acme R --yes --dataset cards"


CASES = {
    "cluster": Bad("run @godo acme R --yes --dataset cards", "no cluster", "did you mean @good?"),
    "customer": Bad("run @good amce R --yes --dataset cards", "no tenant", "did you mean acme?"),
    "profile": Bad(
        "run @good acme/vocie R --yes --dataset cards", "no tenant", "did you mean acme/voice?"
    ),
    "dataset": Bad(on("crads"), "no dataset", "did you mean cards?"),
    "backwards": Bad(
        "run @good acme 2026-02-20 2026-01-01 --yes --dataset cards", "before START", "swap"
    ),
    "empty range": Bad(
        "run @good acme 2026-01-01 2026-01-01 --yes --dataset cards", "is empty", "2026-01-02"
    ),
    "no date": Bad(
        "run @good acme 2026-01-01 31.01.2026 --yes --dataset cards", "not a date", "2026-01-31"
    ),
    "future": Bad(
        "run @good acme 2090-01-01 2090-02-01 --yes --dataset cards", "in the future", "passed"
    ),
    "window": Bad(on("cards") + " --window 5x", "makes no sense", "10d, 1d or 6h"),
    "window of nothing": Bad(on("cards") + " --window 0d", "makes no sense", "10d, 1d or 6h"),
    "parts": Bad(on("cards") + " --parts 0", "--parts", "from 1 to 10000"),
    "nobody": Bad(on("nobody"), "finds nobody", "`tenants:`"),
    "all of nobody": Bad(on("nobody").replace("acme", "all"), "finds nobody", "`tenants:`"),
    "source table": Bad(on("no-table"), "there is no table", "did you mean"),
    "time column": Bad(on("no-time"), "no column creatd_at", "did you mean created_at"),
    "key column": Bad(on("no-key"), "no column kart", "name one of"),
    "exclusion column": Bad(on("no-predicate-column"), "knid", "kind"),
    "two tenants, one database": Bad(on("one-database"), "one database", "`database:`"),
    "no target database": Bad(on("no-database"), "does not exist", "create it"),
    "no target table": Bad(on("no-target"), "does not exist", "create it"),
    "target column": Bad(on("wider"), "region (String) has no source column", "`from:`"),
    "aggregating": Bad(on("totals"), "AggregatingMergeTree cannot serve", "rebuild the table"),
    "log": Bad(on("logged"), "Log cannot serve", "MergeTree"),
    "view": Bad(on("seen"), "View cannot serve", "name the table"),
    "source down": Bad(at("pg-down"), "PostgreSQL does not answer", "source.url", 1),
    "target down": Bad(at("ch-down"), "ClickHouse does not answer", "target.url", 1),
    "temporal down": Bad(at("no-temporal"), "Temporal does not answer", "temporal.address", 1),
    "no worker": Bad(at("no-worker"), "no worker", "windlass worker --cluster @no-worker", 1),
    "no namespace": Bad(
        at("no-namespace"), "Temporal has no such namespace", "temporal.namespace", 1
    ),
    "source login": Bad(at("pg-login"), "refuses the login", "source.url", 1),
    "target login": Bad(at("ch-login"), "refuses user or password", "target.url", 1),
    "source rights": Bad(at("pg-rights"), "permission denied for table marks", "GRANT SELECT", 1),
    "verify, no tenant": Bad(
        "verify @good amce R --dataset cards", "no tenant", "did you mean acme?"
    ),
    "affected, exclusion": Bad(
        "affected @good acme R --dataset cards --exclusion appeal", "exclusion", "appeals"
    ),
}


def run(fleet: Fleet, words: str) -> subprocess.CompletedProcess[str]:
    return fleet.windlass(*fleet.split(words), code=None)


def assert_one_message(done: subprocess.CompletedProcess[str], bad: Bad, fleet: Fleet) -> None:
    said = done.stdout + done.stderr
    assert done.returncode == bad.code, said
    message = " ".join(done.stderr.split())
    assert message.count("error: ") == 1, said
    assert bad.says in message, said
    head, _, next_step = message.rpartition("next:")
    assert head, said
    assert bad.next_step.replace("@", f"{fleet.name}-") in next_step, said
    assert "Traceback" not in said
    assert not any(secret in said for secret in fleet.secrets)


@pytest.mark.parametrize("bad", CASES.values(), ids=CASES.keys())
def test_one_message_and_nothing_changes(fleet: Fleet, bad: Bad) -> None:
    before = fleet.fingerprint()
    assert_one_message(run(fleet, bad.words), bad, fleet)
    assert fleet.fingerprint() == before


WRITES = (
    "select 1; drop table {cards}",
    "delete from {cards}",
    "with gone as (delete from {cards} returning *) select * from gone",
    "select * into elsewhere from {cards}",
    "select * from {cards} for update",
    "{cards}; drop table {cards}",
)


@pytest.mark.parametrize("text", WRITES)
def test_a_from_that_is_more_than_one_select(fleet: Fleet, tmp_path: Path, text: str) -> None:
    document = fleet.document()
    document["datasets"]["cards"]["tables"]["card"]["from"] = text.format(cards=fleet.cards)
    before = fleet.fingerprint()
    other = replaced(fleet, tmp_path, json.dumps(document, indent=1))
    done = run(other, at(HERE))
    assert_one_message(done, Bad("", "datasets.cards.tables.card.from: expected", "docs"), fleet)
    assert f"{other.config}:" in done.stderr
    assert fleet.fingerprint() == before


def test_a_wrong_key_is_named_with_file_line_and_path(fleet: Fleet, tmp_path: Path) -> None:
    text = json.dumps(fleet.document(), indent=1).replace('"version"', '"verison"', 1)
    line = next(n for n, one in enumerate(text.splitlines(), 1) if '"verison"' in one)
    done = run(replaced(fleet, tmp_path, text), at(HERE))
    bad = Bad("", "datasets.cards.tables.card: unknown key 'verison'; did you mean version?", "sch")
    assert_one_message(done, bad, fleet)
    assert f"{tmp_path / 'windlass.yaml'}:{line}" in done.stderr


def replaced(fleet: Fleet, folder: Path, text: str) -> Fleet:
    """The same fleet with another file."""
    other = copy(fleet)
    other.directory = folder
    other.config.write_text(text, encoding="utf-8")
    return other


def test_names_that_nobody_would_choose_work(fleet: Fleet) -> None:
    outside = fleet.odd_live("stays")
    found = fleet.json(*f"run {fleet.name}-{HERE} all {' '.join(RANGE)} --yes --dataset odd "
                       "--accept-removal".split())  # fmt: skip
    assert found["state"] == "done", found
    assert {t["state"] for c in found["clusters"] for t in c["tenants"]} == {"done"}
    expected = fleet.odd_expected()
    assert sum(len(rows) for rows in expected.values()) > 2000
    assert fleet.odd_live() == expected
    assert fleet.odd_live("stays") == outside
    words = f"{fleet.name}-{HERE} all {' '.join(RANGE)} --dataset odd"
    verified = fleet.json("verify", *words.split())
    assert {t["verdict"] for t in verified["tables"]} == {"verified"}
    for command in ("status --windows", "report", "plan " + words):
        assert "internal error" not in fleet.windlass(*command.split()).stderr
    assert fleet.staging_tables() == []


def test_a_target_without_grants_parks_and_names_the_grant(fleet: Fleet) -> None:
    before = fleet.fingerprint()
    done = run(fleet, at("ch-rights") + " --name no-grants")
    assert done.returncode == 1, done.stderr
    assert "internal error" not in done.stderr
    status = fleet.windlass("status", "no-grants", "--needs-me").stdout
    assert "GRANT CREATE TABLE, INSERT" in " ".join(status.split()), status
    assert fleet.fingerprint()[:-1] == before[:-1]
    assert fleet.staging_tables() == []
    checked = fleet.windlass("doctor", "--cluster", f"{fleet.name}-ch-rights", code=1)
    told = " ".join(checked.stdout.split())
    assert "GRANT CREATE TABLE, INSERT" in told, told
    assert "column t.knid does not exist" in told, told
    assert "cards.mark: no unique index" not in told


def test_a_source_that_is_suddenly_empty_parks_until_the_operator_agrees(fleet: Fleet) -> None:
    fleet.empty_source()
    words = f"run @{HERE} acme R --yes --dataset cards"
    before = fleet.fingerprint()
    done = run(fleet, words + " --name emptied")
    assert done.returncode == 1, done.stderr
    said = " ".join(
        (done.stdout + fleet.windlass("status", "emptied", "--needs-me").stdout).split()
    )
    assert "--accept-removal" in said, said
    assert fleet.fingerprint()[:-1] == before[:-1]
    assert ("emptied", "parked") in fleet.recorded()
    found = fleet.windlass(*fleet.split(words + " --name agreed --accept-removal"))
    assert "done and verified" in found.stdout
    assert fleet.live_rows() == 0


def _contents(places: Iterable[Path]) -> Iterator[bytes]:
    """A journal before its database: one that goes meanwhile has gone into it."""
    for place in sorted(places, reverse=True):
        with suppress(FileNotFoundError):
            yield place.read_bytes()


def test_no_password_went_anywhere(fleet: Fleet) -> None:
    """After all the above: neither into the ledger, nor to Temporal, nor into the worker's log."""
    stack = Path(fleet.endpoints.config).parent
    places = [
        *fleet.directory.glob("windlass.db*"),
        *fleet.directory.glob("worker-*.log"),
        *stack.glob("temporal.db*"),
    ]
    written = b"".join(_contents(places))
    assert b"windlass/ask/plan" in written
    assert fleet.name.encode() in written
    assert [secret for secret in fleet.secrets if secret.encode() in written] == []
