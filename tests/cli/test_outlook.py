"""The line to go to bed by: when it should be over, what is handled alone, what needs a person."""

import pytest

from tests.cli.test_run import NAME, RUN
from tests.cli.turns import finish
from tests.cli.world import Cli
from windlass.domain.states import Health, State, Verdict

AT = ("voice-prod", "acme_voice")


@pytest.fixture
def running(cli: Cli) -> Cli:
    """A third is loaded after ten seconds."""
    cli.run(*RUN, "--yes", "--detach")
    ledger = cli.backend.ledger
    ledger.cluster_state(NAME, "voice-prod", State.RUNNING)
    ledger.tenant_state(NAME, *AT, State.RUNNING)
    (window,) = ledger.campaign_plan(NAME).tenants[0].windows
    attempt = ledger.begin_attempt(NAME, window.id)
    ledger.window_started(window.id, attempt)
    cli.clock.turn(10)
    ledger.progress(window.id, attempt, 1_000)
    return cli


def line(cli: Cli) -> str:
    return cli.run("status").stdout.strip().splitlines()[-1]


def test_a_campaign_at_work_tells_a_band_and_who_is_needed(running: Cli) -> None:
    told = line(running)
    assert told.startswith(f"{NAME}: over in 19 s, at 21:23 UTC (at 100 rows/s, as now")
    assert "alone: 1 window to go, with further tries where one fails" in told
    assert told.endswith("nothing needs you")
    shown = running.json("status")
    assert shown["eta_band_seconds"] == [18.8, 18.8]
    assert shown["needs_person"] == []


def test_a_rate_that_falls_widens_the_band(running: Cli) -> None:
    ledger = running.backend.ledger
    window = ledger.campaign_plan(NAME).tenants[0].windows[0].id
    for rows in (1_100, 1_200, 1_300):
        running.clock.turn(20)
        ledger.progress(window, 1, rows)
    low, high = running.json("status")["eta_band_seconds"]
    assert low < high
    assert f"over in {round(low)} s to" in line(running)


def test_a_night_in_which_it_stood_still_says_nothing_about_the_rate(cli: Cli) -> None:
    cli.run(*RUN, "--window", "10d", "--yes", "--detach")
    ledger = cli.backend.ledger
    ledger.cluster_state(NAME, "voice-prod", State.RUNNING)
    ledger.tenant_state(NAME, *AT, State.RUNNING)
    first, second = (w.id for w in ledger.campaign_plan(NAME).tenants[0].windows[:2])
    for window in (first, second):
        ledger.window_started(window, ledger.begin_attempt(NAME, window))
        cli.clock.turn(10)
        ledger.progress(window, 1, 900)
        if window == first:
            ledger.window_loaded(first, 900)
            cli.clock.turn(12 * 3600)
    low, high = cli.json("status")["eta_band_seconds"]
    assert 0 < low <= high < 60


def test_what_is_handled_alone_is_no_work_for_a_person(running: Cli) -> None:
    ledger = running.backend.ledger
    ledger.set_health(NAME, *AT, Health.STRUGGLING, "slow reads")
    ledger.show_limit(NAME, "voice-prod", "clickhouse parts 212 >= 200; 3 of 8 windows")
    told = line(running)
    assert "1 tenant struggling is given room, then cut smaller" in told
    assert "voice-prod held back until the servers are well again" in told
    assert told.endswith("nothing needs you")
    ledger.show_limit(NAME, "voice-prod", "an operator's limit: windows=1")
    assert "held back" not in line(running)


def test_what_needs_a_person_is_counted_with_the_command(running: Cli) -> None:
    ledger = running.backend.ledger
    group = ledger.campaign_plan(NAME).tenants[0].groups[0].id
    ledger.group_parked(group, "31,503 rows would go")
    ledger.cluster_closed(NAME, "voice-prod")
    assert line(running) == f"{NAME}: needs you: 1 parked (windlass status {NAME} --needs-me)"
    assert running.json("status")["handled_alone"] == []


def test_a_paused_campaign_has_no_end_and_needs_a_person(running: Cli) -> None:
    running.run("pause", NAME)
    told = line(running)
    assert "end unknown: it is paus" in told
    assert "to go" not in told


def test_whoever_detaches_is_told_what_to_expect(cli: Cli) -> None:
    done = cli.run(*RUN, "--yes", "--detach")
    assert "until then: end unknown: no row has come yet to go by; alone: 1 window" in done.stderr


def test_an_end_that_is_not_green_says_what_is_left(cli: Cli) -> None:
    cli.script.append(finish(cli, NAME, Verdict.UNVERIFIED))
    done = cli.run(*RUN, "--yes")
    assert done.exit_code == 1
    assert f"needs you: 1 unverified (windlass status {NAME} --needs-me)" in done.stdout
