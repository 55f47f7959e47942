"""`windlass run`, `watch` and `cancel`: consent, start, staying, leaving, ending."""

from typing import cast

import pytest

from tests.cli.turns import finish
from tests.cli.world import EMPTY, JANUARY, Cli, Rows
from windlass.domain.errors import UnreachableError, WindlassError
from windlass.domain.plan import HeldWindow
from windlass.domain.record import Scope, StatusView
from windlass.domain.states import Health, State, Verdict
from windlass.ledger.store import SqlLedger

RUN = ("run", "voice-prod", "acme", "2026-01-01", "2026-02-01")
NAME = "acme-jan-2026"
RUN_KEYS = {
    "campaign", "state", "started_at", "ended_at", "eta_seconds", "limited_by", "rows_loaded",
    "rows_per_second", "clusters", "skipped",
}  # fmt: skip


def test_a_verified_campaign_ends_with_its_figures_and_exit_code_0(cli: Cli) -> None:
    cli.script = [finish(cli, NAME)]
    done = cli.run(*RUN, "--yes", "--reason", "PR 25653")
    assert done.exit_code == 0, done.output
    assert "acme_voice.scorecard 329 329 298 298 -31" in spaced(done.stdout)
    assert "appeal_requests 31" in done.stdout
    assert "done and verified" in done.stdout
    assert f"next: windlass report {NAME}" in done.stdout
    ((plan, start),) = cli.backend.started
    assert (start.name, start.who, start.reason) == (NAME, "ada@ops1", "PR 25653")
    assert start.command == f"windlass {' '.join(RUN)} --yes --reason 'PR 25653'"
    assert plan.total_windows == 1


def spaced(text: str) -> str:
    """The same lines, whatever the widths of columns."""
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def test_the_json_keys_are_those_of_the_contract(cli: Cli) -> None:
    cli.script = [finish(cli, NAME)]
    shown = cli.json(*RUN, "--yes")
    assert set(shown) >= RUN_KEYS
    assert (shown["campaign"], shown["state"], shown["verdict"]) == (NAME, "done", "verified")
    (cluster,) = shown["clusters"]
    assert (cluster["tenants_total"], cluster["tenants_done"]) == (1, 1)
    (tenant,) = cluster["tenants"]
    assert tenant["windows_done"] == tenant["windows_total"] == 1
    assert [t["delta"] for t in shown["tables"]] == [-31, -272]


@pytest.mark.parametrize("verdict", [Verdict.MISMATCH, Verdict.UNVERIFIED])
def test_what_is_not_verified_is_not_green(cli: Cli, verdict: Verdict) -> None:
    cli.script = [finish(cli, NAME, verdict)]
    done = cli.run(*RUN, "--yes")
    assert done.exit_code == 1
    assert "not all of it is verified" in done.stdout
    assert str(verdict) in done.stdout


def park(cli: Cli) -> None:
    ledger = cli.backend.ledger
    ledger.cluster_state(NAME, "voice-prod", State.RUNNING)
    (group,) = ledger.campaign_plan(NAME).tenants[0].groups
    ledger.group_parked(group.id, "31,503 rows would go that no exclusion explains")
    ledger.tenant_rolled_up(NAME, "voice-prod", "acme_voice")
    ledger.cluster_closed(NAME, "voice-prod")


def test_a_parked_campaign_says_why_and_what_to_type(cli: Cli) -> None:
    cli.script = [lambda: park(cli)]
    done = cli.run(*RUN, "--yes")
    assert done.exit_code == 1
    assert "31,503 rows would go that no exclusion explains" in done.stdout
    assert f"windlass status {NAME} --needs-me" in done.stdout


def test_a_person_is_asked_with_the_figures(cli: Cli) -> None:
    cli.interactive, cli.answers = True, [True]
    cli.script = [finish(cli, NAME)]
    assert cli.run(*RUN).exit_code == 0
    assert cli.questions == [
        f"Start {NAME}: replace, load 2,883 rows, remove 303, 1 window of 1 tenant?"
    ]


def test_a_no_starts_nothing(cli: Cli) -> None:
    cli.interactive, cli.answers = True, [False]
    done = cli.run(*RUN)
    assert done.exit_code == 4
    assert "not confirmed" in done.stderr
    assert cli.backend.started == []


def test_detach_leaves_at_once_with_exit_code_3(cli: Cli) -> None:
    shown = cli.json(*RUN, "--yes", "--detach", code=3)
    assert shown["state"] == "queued"
    done = cli.run("watch", shown["campaign"])
    assert done.exit_code != 3


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("command", ["run", "watch"])
def test_ctrl_c_detaches_and_says_how_to_come_back(cli: Cli, command: str) -> None:
    words: tuple[str, ...] = (*RUN, "--yes")
    if command == "watch":
        cli.run(*RUN, "--yes", "--detach")
        words = ("watch", NAME)
    cli.script = [interrupt]
    done = cli.run(*words)
    assert done.exit_code == 130
    assert f"windlass watch {NAME}" in done.stderr
    assert "goes on" in done.stderr
    assert cli.backend.cancelled == []


def test_watch_takes_the_latest_campaign_and_judges_its_end(cli: Cli) -> None:
    cli.run(*RUN, "--yes", "--detach")
    cli.script = [finish(cli, NAME)]
    done = cli.run("watch")
    assert done.exit_code == 0
    assert "done and verified" in done.stdout


def test_lines_are_printed_while_nobody_has_a_terminal(cli: Cli) -> None:
    cli.script = [finish(cli, NAME)]
    lines = cli.run(*RUN, "--yes").stderr.splitlines()
    assert f"{NAME} queued 0/1 windows, 0 of 2,883 rows" in spaced("\n".join(lines))
    assert any("1/1 windows" in line and "verified" in line for line in lines)


class Away:
    """A ledger that does not answer the first times that it is asked how a campaign stands."""

    def __init__(self, ledger: SqlLedger, times: int) -> None:
        self._ledger, self._left = ledger, times

    def __getattr__(self, name: str) -> object:
        return getattr(self._ledger, name)

    def status(self, campaign: str | None = None, *, windows: bool = False) -> StatusView:
        if self._left:
            self._left -= 1
            raise UnreachableError("the ledger does not answer")
        return self._ledger.status(campaign, windows=windows)


def test_a_ledger_that_is_away_is_said_once_and_waited_for(cli: Cli) -> None:
    cli.backend.ledger = cast("SqlLedger", Away(cli.backend.ledger, 3))
    cli.script = [*[lambda: cli.clock.turn(20)] * 4, finish(cli, NAME)]
    done = cli.run(*RUN, "--yes")
    assert done.exit_code == 0
    assert done.stderr.count("the ledger does not answer") == 1
    assert "the ledger answers again" in done.stderr


def test_a_temporal_that_is_away_is_said_once_and_waited_for(cli: Cli) -> None:
    away = UnreachableError("Temporal does not answer", next_step="start it")
    cli.backend.pulse_errors = [away, away]
    cli.script = [*[lambda: cli.clock.turn(20)] * 3, finish(cli, NAME)]
    done = cli.run(*RUN, "--yes")
    assert done.exit_code == 0
    assert done.stderr.count("Temporal does not answer") == 1
    assert "Temporal answers again" in done.stderr


def test_a_dead_workflow_ends_the_watching(cli: Cli) -> None:
    cli.backend.pulse_errors = [WindlassError("its workflow has ended", next_step="cancel it")]
    done = cli.run(*RUN, "--yes")
    assert done.exit_code == 1
    assert "its workflow has ended" in done.stderr


def test_nothing_to_do_starts_nothing(cli: Cli) -> None:
    cli.backend.tenants["voice-prod", "acme", "voice"] = EMPTY
    shown = cli.json(*RUN)
    assert set(shown) >= RUN_KEYS
    assert (shown["campaign"], shown["state"]) == (None, "nothing_to_do")
    assert cli.backend.started == []


def test_what_is_verified_already_is_said_and_not_done_again(cli: Cli) -> None:
    held = (HeldWindow("acme-older", JANUARY, True, "unchanged on both sides"),)
    cli.backend.tenants["voice-prod", "acme", "voice"] = Rows(held=held)
    shown = cli.json(*RUN)
    assert shown["state"] == "done"
    assert [one["campaign"] for one in shown["held"]] == ["acme-older"]
    done = cli.run(*RUN)
    assert done.exit_code == 0
    assert "verified by acme-older: unchanged on both sides" in done.stdout
    assert "verified already" in done.stderr
    cli.script = [finish(cli, NAME)]
    assert cli.run(*RUN, "--redo", "--yes").exit_code == 0
    assert len(cli.backend.started) == 1


def test_no_cluster_answers_starts_nothing(cli: Cli) -> None:
    cli.backend.failures["voice-prod"] = "no worker serves this cluster"
    done = cli.run(*RUN, "--yes")
    assert done.exit_code == 1
    assert "nothing was started" in done.stderr
    assert cli.backend.started == []


def test_deleting_takes_the_name_and_the_rows(cli: Cli) -> None:
    name = f"{NAME}-delete"
    cli.script = [finish(cli, name)]
    assert cli.run(*RUN, "--mode", "delete", "--yes", "--confirm", f"{name}:3210").exit_code == 0
    assert cli.backend.started[0][1].name == name


def test_names_are_chosen_or_counted_on(cli: Cli) -> None:
    cli.script = [finish(cli, NAME)]
    cli.run(*RUN, "--yes")
    assert cli.json("plan", *RUN[1:])["campaign"] == f"{NAME}-2"
    cli.json(*RUN, "--yes", "--detach", "--name", "spring-cleaning", code=3)
    assert [start.name for _, start in cli.backend.started] == [NAME, "spring-cleaning"]


def test_two_campaigns_over_one_range_are_refused(cli: Cli) -> None:
    cli.run(*RUN, "--yes", "--detach")
    done = cli.run(*RUN, "--yes")
    assert done.exit_code == 4
    assert NAME in done.stderr


def test_the_operators_word_on_removals_is_in_the_plan(cli: Cli) -> None:
    cli.run(
        *RUN, "--yes", "--detach", "--expect-removed", "scorecard=31,503",
        "--expect-removed", "score=7", "--accept-removal",
    )  # fmt: skip
    guard = cli.backend.started[0][0].request.guard
    assert guard.expected == {"scorecard": 31503, "score": 7}
    assert guard.accept


def test_cancel_waits_for_the_proof_and_says_what_stays(cli: Cli) -> None:
    cli.run(*RUN, "--yes", "--detach")
    ledger = cli.backend.ledger

    def proven() -> None:
        ledger.move(Scope(NAME), State.CANCELLED)

    cli.interactive, cli.answers, cli.script = True, [True], [proven]
    done = cli.run("cancel", NAME, "--reason", "wrong range")
    assert done.exit_code == 0, done.output
    assert cli.questions == [f"Cancel {NAME}? 0 of 1 windows are published and stay."]
    assert cli.backend.cancelled == [(NAME, "ada@ops1", "wrong range")]
    assert "cancelling" in done.stderr
    assert "no query of it is left on either server" in done.stderr


def test_cancel_does_not_wait_for_ever(cli: Cli) -> None:
    cli.run(*RUN, "--yes", "--detach")
    cli.script = [lambda: cli.clock.turn(600)]
    done = cli.run("cancel", NAME, "--yes")
    assert done.exit_code == 3
    assert "goes on by itself" in done.stderr


def test_cancel_without_a_yes_changes_nothing(cli: Cli) -> None:
    cli.run(*RUN, "--yes", "--detach")
    done = cli.run("cancel", NAME)
    assert done.exit_code == 4
    assert cli.backend.cancelled == []


def test_status_tells_where_a_campaign_stands(cli: Cli) -> None:
    cli.run(*RUN, "--yes", "--detach")
    finish(cli, NAME)()
    shown = cli.json("status", NAME, "--windows")
    assert set(shown) >= RUN_KEYS
    (window,) = shown["clusters"][0]["tenants"][0]["windows"]
    assert window["id"] == f"{NAME}/acme_voice/20260101-20260201"
    assert {"id", "start", "end", "state", "verdict", "attempts", "rows", "seconds", "parent"} <= (
        set(window)
    )
    table = cli.run("status", NAME, "--windows").stdout
    assert window["id"] in table
    assert "verified" in table


def test_status_without_a_name_takes_the_latest_and_lists_the_others(cli: Cli) -> None:
    assert cli.json("status") == {
        "campaign": None, "state": None, "clusters": [], "skipped": [],
    }  # fmt: skip
    cli.run(*RUN, "--yes", "--detach")
    cli.clock.turn(60)
    cli.run("run", "voice-prod", "globex", *RUN[3:], "--yes", "--detach")
    shown = cli.json("status")
    assert shown["campaign"] == "globex-jan-2026"
    assert [c["campaign"] for c in shown["campaigns"]] == ["globex-jan-2026", NAME]
    assert NAME in cli.run("status").stdout


def test_needs_me_shows_only_what_waits_for_a_person(cli: Cli) -> None:
    cli.run(*RUN, "--yes", "--detach")
    assert "nothing needs you" in cli.run("status", "--needs-me").stdout
    park(cli)
    cli.run("run", "voice-prod", "globex", *RUN[3:], "--yes", "--detach")
    shown = cli.run("status", "--needs-me").stdout
    assert "31,503 rows would go" in shown
    assert "globex" not in shown
    (tenant,) = cli.json("status", NAME, "--needs-me")["clusters"][0]["tenants"]
    assert tenant["state"] == "parked"


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_a_struggling_tenant_needs_a_person_only_where_it_is_not_cut(cli: Cli, mode: str) -> None:
    cli.run(*RUN, "--mode", mode, "--name", NAME, "--yes", "--detach")
    cli.backend.ledger.tenant_state(NAME, "voice-prod", "acme_voice", State.RUNNING)
    cli.backend.ledger.set_health(NAME, "voice-prod", "acme_voice", Health.STRUGGLING, "slow reads")
    assert ("struggling" in cli.run("status", "--needs-me").stdout) is (mode == "append")


def test_notes_go_into_the_record(cli: Cli) -> None:
    cli.run(*RUN, "--yes", "--detach")
    assert cli.run("note", NAME, "counts agreed").exit_code == 0
    assert cli.run("note", NAME, "--tenant", "acme", "frozen until 9").exit_code == 0
    notes = cli.backend.ledger.facts(NAME).notes
    assert [(n.who, n.text, n.database) for n in notes] == [
        ("ada@ops1", "counts agreed", ""),
        ("ada@ops1", "frozen until 9", "acme_voice"),
    ]
    done = cli.run("note", NAME, "--tenant", "acne", "x")
    assert done.exit_code == 2
    assert "did you mean acme?" in done.stderr
