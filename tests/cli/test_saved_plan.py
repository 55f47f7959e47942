"""A saved plan: run as it is, or refused when the world or the file changed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.test_run import NAME, RUN
from tests.cli.turns import finish
from tests.cli.world import JANUARY, Cli, Rows
from windlass.domain.plan import HeldWindow


@pytest.fixture
def saved(cli: Cli) -> Path:
    file = cli.directory / "acme.json"
    cli.run("plan", *RUN[1:], "--save", str(file))
    return file


def test_a_saved_plan_runs_as_it_is(cli: Cli, saved: Path) -> None:
    rows = cli.backend.tenants["voice-prod", "acme", "voice"]
    more = {"scorecard": 400, "score": 3000}
    cli.backend.tenants["voice-prod", "acme", "voice"] = replace(rows, live=more)
    cli.script = [finish(cli, NAME)]
    words = ("--yes", "--expect-removed", "scorecard=102")
    assert cli.run("run", "--plan", str(saved), *words).exit_code == 0
    plan, _ = cli.backend.started[0]
    assert plan.total_windows == 1
    assert plan.tenants[0].before == {"scorecard": 329, "score": 2881}
    assert plan.request.guard.expected == {"scorecard": 102}


def test_a_plan_for_another_world_is_refused(cli: Cli, saved: Path) -> None:
    rows = cli.backend.tenants["voice-prod", "acme", "voice"]
    cli.backend.tenants["voice-prod", "acme", "voice"] = replace(rows, ddl="def")
    assert "the DDL of acme_voice.scorecard changed" in refused(cli, saved)


def test_a_plan_with_another_tenant_is_refused(cli: Cli, saved: Path) -> None:
    cli.backend.tenants["voice-prod", "acme", "chat"] = Rows()
    assert "tenant voice-prod/acme/chat is new" in refused(cli, saved)


def test_a_plan_that_leaves_out_what_no_longer_holds_is_refused(cli: Cli) -> None:
    held = HeldWindow("acme-older", JANUARY, True, "unchanged on both sides")
    cli.backend.tenants["voice-prod", "acme", "voice"] = Rows(held=(held,))
    file = cli.directory / "held.json"
    cli.run("plan", *RUN[1:], "--save", str(file))
    lost = replace(held, holds=False, reason="the source of score changed since")
    cli.backend.tenants["voice-prod", "acme", "voice"] = Rows(held=(lost,))
    assert "no longer holds: the source of score changed since" in refused(cli, file)


def test_a_plan_for_other_servers_is_refused(cli: Cli, saved: Path) -> None:
    cli.backend.servers = "elsewhere"
    assert "voice-prod has another source or target than planned for" in refused(cli, saved)


def test_a_cluster_that_was_unknown_and_answers_now_is_not_passed_over(cli: Cli) -> None:
    file = cli.directory / "all.json"
    cli.backend.failures["chat-prod"] = "the source does not answer"
    cli.run("plan", "all", "all", *RUN[3:], "--save", str(file))
    cli.backend.failures.clear()
    assert "chat-prod could not be asked for the plan, and can be now" in refused(cli, file)


def test_who_is_new_but_left_out_is_said_and_accounted_for(cli: Cli, saved: Path) -> None:
    cli.backend.tenants["voice-prod", "umbrella", "voice"] = Rows()
    done = cli.run("run", "--plan", str(saved), "--yes", "--detach")
    assert done.exit_code == 3
    assert "voice-prod/umbrella/voice is new since the plan, and left out: not asked" in done.stderr
    told = cli.json("status")["coverage"]
    assert (told["found"], told["accounted"], told["left_out"]) == (4, 4, 3)


def test_an_edited_plan_is_refused(cli: Cli, saved: Path) -> None:
    text = saved.read_text()
    saved.write_text(json.dumps(json.loads(text) | {"world": "other"}))
    assert "changed after it was saved" in refused(cli, saved)
    saved.write_text(text.replace('"redo": false', '"redo": true'))
    assert "changed after it was saved" in refused(cli, saved)


def test_a_plan_of_another_format_is_refused(cli: Cli, saved: Path) -> None:
    kept = json.loads(saved.read_text())
    saved.write_text(json.dumps(kept | {"format": 99}))
    assert "format 99" in refused(cli, saved)


@pytest.mark.parametrize("text", ["", "not json", "[]", '{"format": 2, "plan": {"request": 3}}'])
def test_what_is_no_plan_is_said_to_be_none(cli: Cli, text: str) -> None:
    file = cli.directory / "x.json"
    file.write_text(text)
    done = cli.run("run", "--plan", str(file), "--yes")
    assert (done.exit_code, cli.backend.started) == (4 if "99" in text else 2, [])
    assert "not a plan" in done.stderr


def refused(cli: Cli, file: Path) -> str:
    done = cli.run("run", "--plan", str(file), "--yes")
    assert done.exit_code == 4, done.output
    assert cli.backend.started == []
    return done.stderr
