"""Orders from the command line: what they change, what they say, and what they refuse."""

from pathlib import Path

import pytest

from tests.cli.turns import finish
from tests.cli.world import Cli
from windlass.domain.plan import Guard
from windlass.domain.record import Scope
from windlass.domain.states import State, Verdict

NAME = "acme-jan-2026"
RANGE = ("2026-01-01", "2026-02-01")


@pytest.fixture
def started(cli: Cli) -> Cli:
    """A campaign of acme and globex, with five windows each, one of acme's at work."""
    span = ("voice-prod", "acme,globex", *RANGE, "--window", "7d", "--name", NAME)
    assert cli.run("run", *span, "--yes", "--detach").exit_code == 3
    ledger = cli.backend.ledger
    ledger.cluster_state(NAME, "voice-prod", State.RUNNING)
    for database in ("acme_voice", "globex_voice"):
        ledger.tenant_state(NAME, "voice-prod", database, State.RUNNING)
    first = windows(cli)[0]
    ledger.window_started(first, ledger.begin_attempt(NAME, first))
    return cli


def windows(cli: Cli, database: str = "acme_voice") -> list[str]:
    view = cli.backend.ledger.status(NAME, windows=True)
    tenant = next(t for t in view.tenants if t.database == database)
    return [w.id for w in tenant.windows if not w.replaced]


def park(cli: Cli, text: str = "31,503 rows would go") -> str:
    """Acme's first group, parked."""
    ledger = cli.backend.ledger
    group = ledger.window(windows(cli)[0]).group
    ledger.group_parked(group, text)
    return group


def test_a_campaign_is_paused_and_resumed(started: Cli) -> None:
    told = started.json("pause", NAME, "--reason", "maintenance")
    assert (told["state"], told["order"]) == ("pausing", "pause")
    assert told["changes"] == [
        {
            "cluster": None,
            "database": None,
            "window": None,
            "from": "running",
            "to": "pausing",
            "left": None,
        }
    ]
    assert started.backend.ledger.paused(NAME, "voice-prod", "acme_voice")
    assert started.json("resume", NAME)["changes"][0]["to"] == "running"
    actions = started.backend.ledger.facts(NAME).actions
    assert [(a.verb, a.who, a.why, a.before, a.after) for a in actions] == [
        ("pause", "ada@ops1", "maintenance", "running", "pausing"),
        ("resume", "ada@ops1", "", "pausing", "running"),
    ]


def test_one_tenant_is_paused_and_the_whole_goes_on(started: Cli) -> None:
    told = started.json("pause", NAME, "--tenant", "globex")
    (change,) = told["changes"]
    assert (change["database"], change["to"], told["state"]) == (
        "globex_voice",
        "paused",
        "running",
    )
    assert "paused" in started.run("status", NAME, "--tenants").stdout


def test_an_order_about_a_window_is_about_what_is_published_with_it(started: Cli) -> None:
    first = windows(started)[0]
    done = started.run("pause", NAME, "--window", first)
    assert done.exit_code == 0
    assert "published together with" in done.stderr
    states = [started.backend.ledger.window(w).state for w in windows(started)]
    assert states[0] is State.PAUSING
    assert set(states[1:]) == {State.PAUSED}
    assert started.json("resume", NAME, "--window", first)["changes"][0]["to"] == "running"


def test_what_a_whole_pauses_a_part_cannot_resume(started: Cli) -> None:
    started.run("pause", NAME)
    done = started.run("resume", NAME, "--tenant", "acme")
    assert done.exit_code == 4
    assert "is paused as a whole" in done.stderr


@pytest.mark.parametrize("verb", ["pause", "resume", "retry", "cancel"])
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["acme-jam-2026"], 2, f"did you mean {NAME}?"),
        ([NAME, "--cluster", "voice-prd"], 2, "did you mean voice-prod?"),
        ([NAME, "--tenant", "glabex"], 2, "did you mean globex?"),
        ([NAME, "--window", "acme_voice/20260101-20260109"], 2, "there is no window"),
    ],
)
def test_what_does_not_exist_is_named(
    started: Cli, verb: str, words: list[str], code: int, said: str
) -> None:
    done = started.run(verb, *words, *(["--yes"] if verb == "cancel" else []))
    assert done.exit_code == code, done.output
    assert said in done.stderr
    assert done.stdout == ""
    assert started.backend.ledger.facts(NAME).actions == ()


def test_what_changes_nothing_is_refused(started: Cli) -> None:
    for verb, why in (("resume", "not paused"), ("retry", "nothing of")):
        done = started.run(verb, NAME)
        assert done.exit_code == 4
        assert why in done.stderr
    finish(started, NAME)()
    assert started.run("pause", NAME).exit_code == 4
    assert started.backend.ledger.facts(NAME).actions == ()


def test_a_parked_group_runs_again_with_more_allowed(started: Cli) -> None:
    group = park(started)
    told = started.json("retry", NAME, "--expect-removed", "scorecard=31503", "--reason", "agreed")
    assert told["changes"][0]["left"] is None
    ledger = started.backend.ledger
    assert group in ledger.todo(NAME, "voice-prod", "acme_voice")
    assert ledger.campaign(NAME).guard == Guard(0.01, {"scorecard": 31503}, accept=False)
    assert ledger.campaign_plan(NAME).request.guard.expected == {"scorecard": 31503}
    assert ledger.status(NAME).tenants[0].note == ""


def test_a_typo_in_what_may_go_changes_nothing(started: Cli) -> None:
    park(started)
    assert started.run("retry", NAME, "--expect-removed", "scorecrd=3").exit_code == 2
    assert started.backend.ledger.todo(NAME, "voice-prod", "acme_voice") == []


def test_a_retry_is_refused_where_another_campaign_took_over(started: Cli) -> None:
    park(started)
    started.backend.ledger.tenant_cancelled(NAME, "voice-prod", "globex_voice")
    more = ("run", "voice-prod", "acme", *RANGE, "--name", "other", "--yes", "--detach", "--redo")
    assert started.run(*more).exit_code == 3
    done = started.run("retry", NAME)
    assert done.exit_code == 4
    assert "already holds this tenant" in done.stderr
    assert started.backend.ledger.todo(NAME, "voice-prod", "acme_voice") == []


def test_one_tenant_is_cancelled_after_a_question(started: Cli) -> None:
    words = ("cancel", NAME, "--tenant", "globex")
    assert started.run(*words).exit_code == 4
    ledger = started.backend.ledger
    ledger.tenant_cancelled(NAME, "voice-prod", "globex_voice")
    assert started.run("status", NAME).exit_code == 0
    assert started.run(*words, "--yes").exit_code == 4, "it is cancelled already"


def test_a_cancelled_tenant_is_waited_for(started: Cli) -> None:
    ledger = started.backend.ledger
    started.script = [lambda: ledger.tenant_cancelled(NAME, "voice-prod", "acme_voice")]
    told = started.json("cancel", NAME, "--tenant", "acme", "--yes", "--reason", "wrong one")
    assert told["changes"][0]["to"] == "cancelled"
    assert ledger.cancelling(NAME, "voice-prod", "acme_voice")
    assert not ledger.cancelling(NAME, "voice-prod", "globex_voice")


def test_limits_are_set_and_lifted(started: Cli) -> None:
    told = started.json("limit", NAME, "windows=3", "rows_per_second=50,000")
    assert told["changes"][0]["to"] == {"windows": 3, "rows_per_second": 50000}
    ledger = started.backend.ledger
    assert "windows=3" in ledger.status(NAME).limited_by
    assert ledger.paces(NAME, "voice-prod", "acme_voice") == {NAME: 50000}
    started.run("limit", NAME, "--tenant", "acme", "rows_per_second=100")
    assert list(ledger.paces(NAME, "voice-prod", "acme_voice").values()) == [50000, 100]
    told = started.json("limit", NAME, "windows=none", "rows_per_second=none")
    assert told["changes"][0]["to"] == {}
    assert ledger.status(NAME).limited_by == ""


@pytest.mark.parametrize("text", ["windows", "windows=0", "windows=-1", "window=3", "windows=x"])
def test_a_limit_that_makes_no_sense_is_refused(started: Cli, text: str) -> None:
    done = started.run("limit", NAME, "rows_per_second=5", text)
    assert done.exit_code == 2
    assert started.backend.ledger.limits(NAME, "voice-prod") == {}


def test_more_than_the_fleet_file_allows_is_said(started: Cli) -> None:
    done = started.run("limit", NAME, "windows=99")
    assert "the fleet file allows 4 windows" in done.stderr


def test_a_window_is_split_with_what_it_becomes(started: Cli) -> None:
    first = windows(started)[0]
    told = started.json("split", NAME, "--window", first, "--into", "2d", "--reason", "slow")
    assert told["windows_after"] - told["windows_before"] == 3
    assert len(windows(started)) == 5 + 3
    (cuts,) = started.backend.split_up
    (cut,) = cuts["voice-prod"]
    assert (cut.window, cut.into_seconds, cut.why) == (first, 172800.0, "slow")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 2),
        (["--window", "nowhere"], 2),
        (["--tenant", "acme", "--into", "soon"], 2),
        (["--tenant", "acme", "--into", "30d"], 4),
        (["--tenant", "acme", "--into", "1m"], 4),
    ],
)
def test_a_split_that_makes_no_sense_is_refused(started: Cli, words: list[str], code: int) -> None:
    assert started.run("split", NAME, *words).exit_code == code
    assert started.backend.split_up == []


def test_what_is_published_is_not_split(started: Cli) -> None:
    finish(started, NAME)()
    assert started.run("split", NAME, "--tenant", "acme", "--into", "1d").exit_code == 4


def test_why_tells_size_cuts_pace_and_evidence(started: Cli) -> None:
    ledger = started.backend.ledger
    first = windows(started)[0]
    started.clock.turn(60)
    ledger.progress(first, 1, 60)
    ledger.event(NAME, "voice-prod", "acme_voice", first, "retry", "connection lost")
    started.run("note", NAME, "--tenant", "acme", "index is being built")
    told = started.json("why", first)
    assert "windows of 7d were asked for" in told["text"]
    assert "connection lost" in told["text"]
    assert "index is being built" in told["text"]
    assert told["state"] == "running"
    assert started.run("why", "acme_voice/20260101-20260108").exit_code == 0
    assert started.run("why", "acme_voice/20260101-20260109").exit_code == 2


def test_why_tells_what_a_window_was_cut_from(started: Cli) -> None:
    from windlass.engine.activities.cutting import cut

    ledger, first = started.backend.ledger, windows(started)[0]
    plan = next(t for t in ledger.campaign_plan(NAME).tenants if t.tenant.customer == "acme")
    group = plan.groups[0]
    made = cut(plan, group, ledger.campaign_plan(NAME).request.mode, window=first)
    ledger.recut(NAME, "voice-prod", "acme_voice", {group.id: made}, "cut by ada: 40 rows/s")
    piece = windows(started)[0]
    told = started.json("why", piece)
    assert told["lineage"] == [first]
    assert told["attempts"] == 0
    assert "40 rows/s" in told["text"]
    assert sum(w.rows for g in made for w in g.windows) == group.rows


def test_why_tells_what_was_tried_by_itself_also_before_the_cut(started: Cli) -> None:
    ledger, first = started.backend.ledger, windows(started)[0]
    scope = Scope(NAME, "voice-prod", "acme_voice", first)
    ledger.event(NAME, "voice-prod", "acme_voice", first, "struggling", "50 rows/s, not 800")
    for verb, why, before, after in (
        ("back off", "50 rows/s, not 800", "all its windows at once", "one window at a time"),
        ("smaller blocks", "48 rows/s, not 800", "blocks of 8.0 MiB", "blocks of 2.0 MiB"),
    ):
        ledger.action(scope, verb, "windlass", why, before, after)
        started.clock.turn(60)
    text = started.json("why", first)["text"]
    assert "struggling: 50 rows/s, not 800." in text
    assert (
        "Windlass tried by itself: one window at a time (21:23), then blocks of 2.0 MiB in place "
        "of blocks of 8.0 MiB (21:24); what it saw last: 48 rows/s, not 800." in text
    )
    assert text.count("one window at a time") == 1
    started.run("split", NAME, "--window", first, "--into", "2d")
    piece = windows(started)[0]
    assert piece != first
    text = started.json("why", piece)["text"]
    assert "Before it was cut, Windlass tried by itself: one window at a time (21:23)" in text


def test_history_tells_days_and_draws_a_calendar(started: Cli) -> None:
    assert started.json("history") == {"tenants": []}
    finish(started, NAME)()
    told = started.json("history", "--tenant", "acme")
    (tenant,) = told["tenants"]
    assert (tenant["days_rebuilt"], tenant["verdict"], tenant["campaign"]) == (31, "verified", NAME)
    assert len(tenant["days"]) == 31
    assert all(day["whole"] for day in tenant["days"])
    drawn = started.run("history", "--tenant", "acme").stdout
    assert "Mon" in drawn
    assert "Jan" in drawn
    assert len(started.json("history")["tenants"]) == 2
    assert started.run("history", "--tenant", "acne").exit_code == 2


def test_a_mismatch_shows_in_the_calendar(started: Cli) -> None:
    finish(started, NAME, Verdict.MISMATCH)()
    assert started.json("history")["tenants"][0]["verdict"] == "mismatch"
    assert "! mismatch" in started.run("history", "--tenant", "acme").stdout


def test_a_campaign_supersedes_another(started: Cli, tmp_path: Path) -> None:
    ledger = started.backend.ledger
    started.script = [lambda: (ledger.cluster_closed(NAME, "voice-prod"), None)[1]]
    words = ("run", "voice-prod", "acme,globex", *RANGE, "--name", "new", "--yes", "--detach")
    assert started.run(*words).exit_code == 4, "they overlap"
    done = started.run(*words, "--supersedes", NAME, "--reason", "wrong rows")
    assert done.exit_code == 3, done.output
    assert ledger.status(NAME).state is State.CANCELLED
    assert ledger.status(NAME).superseded_by == "new"
    assert started.json("status", "new")["supersedes"] == NAME
    assert started.backend.cancelled == [(NAME, "ada@ops1", "superseded by new: wrong rows")]
    assert started.run(*words, "--supersedes", "nothing").exit_code == 2


def test_nothing_starts_while_the_older_one_is_not_proven_dead(started: Cli) -> None:
    words = ("run", "voice-prod", "acme,globex", *RANGE, "--name", "new", "--yes", "--detach")
    started.script = [lambda: started.clock.turn(100)] * 3
    done = started.run(*words, "--supersedes", NAME)
    assert done.exit_code == 1
    assert "nothing was started" in done.stderr
    assert [c.name for c in started.backend.ledger.campaigns()] == [NAME]
