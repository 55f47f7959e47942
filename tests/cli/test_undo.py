"""`windlass undo` and `doctor --clean` as typed: what is asked, refused, printed."""

from dataclasses import replace

import pytest

from tests.cli.turns import finish
from tests.cli.world import NOW, Cli
from windlass.domain.results import Digest
from windlass.domain.undo import GroupUndo, KeptRecord, KeptTable
from windlass.engine.activities.tidy import Orphan
from windlass.engine.payloads.orders import GroupOutcome, UndoResult

RUN = ("run", "voice-prod", "acme", "2026-01-01", "2026-02-01")
NAME = "acme-jan-2026"


def published(cli: Cli, *, kept: bool = True) -> GroupUndo:
    """A finished campaign of one group, of which every table was kept."""
    cli.script = [finish(cli, NAME)]
    assert cli.run(*RUN, "--yes").exit_code == 0
    (group,) = cli.backend.ledger.undo_groups(NAME)
    for table in ("scorecard", "score") if kept else ():
        kept_table = KeptTable(f"kept_{table}", {"202601": Digest(5, "1")}, 3 * 2**20)
        cli.backend.ledger.record_kept(
            KeptRecord(group.group, table, group.cluster, group.database, kept_table, NOW)
        )
    return cli.backend.ledger.undo_groups(NAME)[0]


def test_undo_asks_and_says_what_was_done(cli: Cli) -> None:
    group = published(cli)
    assert group.why_not == ""
    cli.interactive, cli.answers = True, [True]
    done = cli.run("undo", NAME, "--reason", "wrong range")
    assert done.exit_code == 0
    assert cli.questions == [f"Put back 2 partitions of 1 tenant that {NAME} replaced?"]
    ((groups, order),) = cli.backend.undone
    assert (groups, order.why, order.force) == ((group.group,), "wrong range", False)
    assert "equal to what was kept" in done.stderr


def test_a_no_undoes_nothing(cli: Cli) -> None:
    published(cli)
    cli.interactive, cli.answers = True, [False]
    assert cli.run("undo", NAME).exit_code == 4
    assert cli.backend.undone == []


def test_undo_twice_says_that_it_was_done_before(cli: Cli) -> None:
    published(cli)
    assert cli.json("undo", NAME, "--yes")["undone"] is True
    again = cli.json("undo", NAME, "--yes")
    assert [one["state"] for one in again["groups"]] == ["undone"]
    assert "undone already" in cli.run("undo", NAME, "--yes").stderr
    assert len(cli.backend.undone) == 1


def test_status_and_report_tell_that_it_was_undone(cli: Cli) -> None:
    published(cli)
    before = cli.run("report", NAME).stdout
    assert "6.0 MiB" in before
    cli.run("undo", NAME, "--yes", "--reason", "wrong range")
    shown = cli.json("status", NAME, "--windows")
    assert (shown["state"], shown["windows_undone"]) == ("done", 1)
    assert shown["undone_at"]
    assert "then undone" in cli.run("status", NAME).stdout
    report = cli.run("report", NAME).stdout
    assert "Undone since: 1 of 1 window" in report
    assert "wrong range" in report
    assert "windlass run voice-prod" in report.partition("Remaining Work")[2]


@pytest.mark.parametrize("kept", [True, False])
def test_a_campaign_at_work_cannot_be_undone(cli: Cli, kept: bool) -> None:
    cli.run(*RUN, "--yes", "--detach")
    done = cli.run("undo", NAME, "--yes")
    assert done.exit_code == 4
    assert "once it has ended" in done.stderr


def test_an_unknown_campaign_is_named(cli: Cli) -> None:
    published(cli)
    done = cli.run("undo", "acme-jam-2026", "--yes")
    assert done.exit_code == 2
    assert NAME in done.stderr


def test_what_was_not_kept_is_refused_with_the_reason(cli: Cli) -> None:
    published(cli, kept=False)
    done = cli.run("undo", NAME, "--yes")
    assert done.exit_code == 4
    assert "undo_retention was 0" in done.stderr
    assert cli.backend.undone == []


def test_an_unknown_window_is_named(cli: Cli) -> None:
    group = published(cli)
    done = cli.run("undo", NAME, "--window", group.windows[0] + "x", "--yes")
    assert done.exit_code == 2
    assert group.windows[0] in done.stderr


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (UndoResult(refused="live changed"), 4),
        (UndoResult((GroupOutcome("", False, "server down"),)), 1),
    ],
)
def test_exit_codes_tell_refused_from_failed(cli: Cli, result: UndoResult, code: int) -> None:
    group = published(cli)
    outcomes = tuple(replace(one, group=group.group) for one in result.outcomes)
    cli.backend.undo_results = [replace(result, outcomes=outcomes)]
    done = cli.run("undo", NAME, "--yes", "-o", "json")
    assert done.exit_code == code
    assert ("live changed" in done.stdout) or ("server down" in done.stdout)


ORPHAN = Orphan("table", "0123456789abcdef_score_rows_all", "campaign x has ended (done)", 2048)


def test_clean_lists_asks_and_removes(cli: Cli) -> None:
    cli.backend.left = {"voice-prod": [ORPHAN]}
    cli.interactive, cli.answers = True, [True]
    done = cli.run("doctor", "--clean")
    assert done.exit_code == 0
    assert ORPHAN.name in done.stdout
    assert cli.questions == ["Remove 1 orphan?"]
    assert cli.backend.cleaned == [ORPHAN]


def test_clean_removes_nothing_without_a_yes(cli: Cli) -> None:
    cli.backend.left = {"voice-prod": [ORPHAN]}
    done = cli.run("doctor", "--clean")
    assert done.exit_code == 4
    assert cli.backend.cleaned == []


def test_clean_says_when_there_is_nothing(cli: Cli) -> None:
    assert cli.json("doctor", "--clean") == {"cleaned": []}


def test_the_plan_says_which_groups_could_be_undone(cli: Cli) -> None:
    plan = cli.json("plan", *RUN[1:])
    (tenant,) = plan["tenants"]
    offered = [one["offered"] for one in tenant["undo"]["groups"]]
    whys = [one["why"] for one in tenant["undo"]["groups"]]
    assert offered == [not why for why in whys]
    assert "could be undone" in cli.run("plan", *RUN[1:]).stdout
