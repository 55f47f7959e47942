"""The operator who gets it wrong, on real servers: one message, a next step, the documented exit
code, and nothing changed anywhere. Names that are odd but right must work."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.acceptance.fleet import Fleet
from windlass.localstack.stack import Endpoints

RANGE = ("2026-01-01", "2026-02-20")


@pytest.fixture(scope="module")
def fleet(local_stack: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One world and one worker for everything here."""
    made = Fleet(local_stack, tmp_path_factory.mktemp("fleet"))
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
    "source table": Bad(on("no-table"), "there is no table", "did you mean"),
    "time column": Bad(on("no-time"), "no column creatd_at", "did you mean created_at"),
    "key column": Bad(on("no-key"), "no column kart", "name one of"),
    "exclusion column": Bad(on("no-predicate-column"), "knid", "kind"),
    "writing cte": Bad(on("writing-cte"), "cannot read from", "one SELECT"),
    "two tenants, one database": Bad(on("one-database"), "one database", "`database:`"),
    "no target database": Bad(on("no-database"), "does not exist", "create it"),
    "no target table": Bad(on("no-target"), "does not exist", "create it"),
    "target column": Bad(on("wider"), "region (String) has no source column", "`from:`"),
    "aggregating": Bad(on("totals"), "AggregatingMergeTree cannot serve", "MergeTree"),
    "log": Bad(on("logged"), "Log cannot serve", "MergeTree"),
    "view": Bad(on("seen"), "View cannot serve", "MergeTree"),
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
    "verify, source rights": Bad(
        "verify @pg-rights acme R --dataset cards", "permission denied", "GRANT SELECT", 1
    ),
    "verify, no tenant": Bad("verify @good amce R --dataset cards", "no tenant", "windlass plan"),
    "affected, exclusion": Bad(
        "affected @good acme R --dataset cards --exclusion appeal", "exclusion", "appeals"
    ),
}


def run(fleet: Fleet, words: str) -> subprocess.CompletedProcess[str]:
    split = [
        one
        for word in words.split()
        for one in (RANGE if word == "R" else (word.replace("@", f"{fleet.name}-"),))
    ]
    return fleet.windlass(*split, code=None)


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
