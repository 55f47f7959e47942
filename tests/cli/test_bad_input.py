"""Whatever is wrong with a command line: one message, a next step, the documented exit code."""

from dataclasses import dataclass

import pytest

from tests.cli.world import SECRETS, Cli

RANGE = ("2026-01-01", "2026-02-01")
R = ("voice-prod", "acme", *RANGE)


@dataclass(frozen=True)
class Bad:
    """Words that make no sense, what the message says of them, and the next step."""

    words: tuple[str, ...]
    says: str
    next_step: str
    code: int = 2


def bad(line: str, says: str, next_step: str, code: int = 2) -> Bad:
    """`R` stands for a range that is fine."""
    words = [w for part in line.split() for w in (R if part == "R" else (part,))]
    return Bad(tuple("" if w == "''" else w for w in words), says, next_step, code)


CASES = {
    "unknown command": bad("plam R", "No such command 'plam'", "--help"),
    "unknown option": bad("plan R --windw 1d", "No such option: --windw", "did you mean --window"),
    "missing argument": bad("plan voice-prod acme 2026-01-01", "END is missing", "START END"),
    "too many arguments": bad("plan R extra", "extra", "plan --help"),
    "unknown cluster": bad(
        "plan voice-pord acme 2026-01-01 2026-02-01", "no cluster", "did you mean voice-prod?"
    ),
    "cluster glob without a match": bad(
        "plan eu-* acme 2026-01-01 2026-02-01", "no cluster", "voice-prod, chat-prod"
    ),
    "empty cluster": bad("plan '' acme 2026-01-01 2026-02-01", "CLUSTERS is missing", "CLUSTERS"),
    "comma too many": bad(
        "plan voice-prod, acme 2026-01-01 2026-02-01", "empty name", "single commas"
    ),
    "empty tenant": bad("plan voice-prod acme,, 2026-01-01 2026-02-01", "not a tenant", "commas"),
    "tenant with too many parts": bad(
        "plan voice-prod a/b/c/d 2026-01-01 2026-02-01", "not a tenant", "commas"
    ),
    "unknown tenant": bad(
        "plan voice-prod amce 2026-01-01 2026-02-01", "no tenant matches 'amce'", "mean acme?"
    ),
    "unknown tenant, none near": bad(
        "plan voice-prod zzz 2026-01-01 2026-02-01",
        "no tenant matches",
        "acme, acme-sandbox, globex",
    ),
    "unknown profile": bad(
        "plan voice-prod acme/vocie 2026-01-01 2026-02-01", "no tenant", "mean acme/voice?"
    ),
    "one tenant of two unknown": bad(
        "plan voice-prod acme,glubex 2026-01-01 2026-02-01", "'glubex'", "mean globex?"
    ),
    "tenant of another cluster": bad(
        "plan voice-prod chat-prod/initech/chat 2026-01-01 2026-02-01", "no tenant", "there are"
    ),
    "unknown tenant in --except": bad(
        "plan voice-prod all 2026-01-01 2026-02-01 --except glubex", "--except", "mean globex?"
    ),
    "not a date": bad("plan voice-prod acme 2026-13-01 2026-02-01", "START", "2026-01-31"),
    "not a date either": bad("plan voice-prod acme 2026-01-01 tomorrow", "END", "2026-01-31"),
    "empty range": bad("plan voice-prod acme 2026-01-01 2026-01-01", "empty", "2026-01-02"),
    "range backwards": bad("plan voice-prod acme 2026-02-01 2026-01-01", "before START", "swap"),
    "start in the future": bad("plan voice-prod acme 2027-01-01 2027-02-01", "future", "passed"),
    "unknown dataset": bad("plan R --dataset scorcards", "no dataset", "did you mean scorecards?"),
    "window nonsense": bad("plan R --window 5x", "--window '5x'", "10d, 1d or 6h"),
    "window of nothing": bad("plan R --window 0d", "--window '0d'", "10d, 1d or 6h"),
    "no parts": bad("plan R --parts 0", "--parts", "from 1 to 10000"),
    "parts below zero": bad("plan R --parts -2", "--parts", "from 1 to 10000"),
    "parts no number": bad("plan R --parts five", "--parts", "plan --help"),
    "unknown mode": bad("plan R --mode upsert", "--mode", "plan --help"),
    "unknown output": bad("plan R -o yaml", "-o", "plan --help"),
    "save nowhere": bad("plan R --save /nonexistent/x.json", "cannot write", "--save"),
    "run without anything": bad("run", "CLUSTERS is missing", "CLUSTERS TENANTS START END"),
    "run without an end": bad("run voice-prod acme 2026-01-01", "END is missing", "START END"),
    "campaign name": bad("run R --name Acme_2026 --yes", "cannot name", "--name acme-2026"),
    "empty campaign name": bad("run R --name '' --yes", "cannot name", "choose another"),
    "expected removal without rows": bad(
        "run R --expect-removed scorecard --yes", "--expect-removed", "scorecard=31503"
    ),
    "expected removal of what": bad(
        "run R --expect-removed scorecrad=5 --yes", "no table", "did you mean scorecard?"
    ),
    "confirm without delete": bad("run R --confirm a:1 --yes", "--confirm", "leave it out"),
    "delete without confirm": bad(
        "run R --mode delete --yes",
        "deleting 3,210 live rows",
        "--confirm acme-jan-2026-delete:3210",
        4,
    ),
    "delete with another confirm": bad(
        "run R --mode delete --yes --confirm acme:3210",
        "deleting 3,210 live rows",
        "--confirm acme-jan-2026-delete:3210",
        4,
    ),
    "no terminal and no yes": bad("run R", "no terminal", "--yes", 4),
    "plan file that is not there": bad("run --plan /nonexistent.json", "cannot read", "--save"),
    "plan file and a range": bad("run R --plan x.json", "--plan", "windlass run --plan x.json"),
    "plan file and an option": bad("run --plan x.json --window 1d", "--plan", "--reason"),
    "status of nobody": bad("status nobody", "nobody", "windlass"),
    "watch without a campaign": bad("watch", "campaign", "windlass"),
    "report of nobody": bad("report nobody", "nobody", "windlass"),
    "cancel of nobody": bad("cancel nobody --yes", "nobody", "windlass"),
    "note on nobody": bad("note nobody text", "nobody", "windlass"),
    "cancel without a name": bad("cancel", "Missing argument", "cancel --help"),
    "unknown exclusion": bad(
        "affected R --exclusion appeals", "no exclusion 'appeals'", "did you mean appeal_requests?"
    ),
    "affected without exclusion": bad("affected R", "--exclusion", "affected --help"),
    "keys below zero": bad("verify R --keys -1", "--keys", "verify --help"),
    "doctor of nobody": bad("doctor --cluster voice", "no cluster", "did you mean voice-prod?"),
    "grants for nobody": bad("grants --cluster x", "no cluster", "voice-prod, chat-prod"),
    "worker for nobody": bad("worker --cluster voice", "no cluster", "did you mean voice-prod?"),
    "worker for a comma": bad("worker --cluster voice-prod,", "empty name", "single commas"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_one_message_a_next_step_and_the_exit_code(cli: Cli, case: Bad) -> None:
    done = cli.run(*case.words)
    assert done.exit_code == case.code, done.output
    message = " ".join(done.stderr.split())
    assert message.count("error:") == 1
    assert case.says in message
    head, _, next_step = message.rpartition("next:")
    assert head
    assert case.next_step in next_step
    assert "Traceback" not in done.output
    assert not any(secret in done.output for secret in SECRETS)
    assert cli.backend.started == []


@pytest.mark.parametrize("command", ["plan", "run", "verify"])
def test_json_leaves_stdout_empty_when_it_fails(cli: Cli, command: str) -> None:
    done = cli.run(command, "nowhere", "acme", *RANGE, "-o", "json")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "error: no cluster is called 'nowhere'" in done.stderr
