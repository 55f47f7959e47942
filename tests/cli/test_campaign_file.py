"""Campaign files: read with the place of every error, run and planned, written by `affected`."""

from pathlib import Path

import pytest

from tests.cli.turns import finish
from tests.cli.world import Cli, Rows
from windlass.cli import campaign_file
from windlass.cli.backend import Reply
from windlass.domain.errors import ConfigError
from windlass.domain.states import Mode
from windlass.engine.activities.errands import Affected

R = ("2026-01-01", "2026-02-01")
GOOD = """\
name: appeals-out
reason: appeals must go
dataset: scorecards
clusters: [voice-prod, chat-prod]
tenants:
  - voice-prod/acme/voice
  - initech
except: [acme-sandbox]
start: 2026-01-01
end: 2026-02-01T00:00:00Z
mode: replace
window: 5d
expect_removed: {scorecard: 31}
"""


def written(cli: Cli, text: str) -> Path:
    file = cli.directory / "campaign.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_plan_and_run_do_what_the_file_says(cli: Cli) -> None:
    file = written(cli, GOOD)
    planned = cli.json("plan", "-f", str(file))
    assert {(t["cluster"], t["customer"]) for t in planned["tenants"]} == {
        ("voice-prod", "acme"),
        ("chat-prod", "initech"),
    }
    cli.script = [finish(cli, "appeals-out")]
    assert cli.run("run", "-f", str(file), "--yes").exit_code == 0
    ((plan, start),) = cli.backend.started
    assert (start.name, start.reason) == ("appeals-out", "appeals must go")
    request = plan.request
    assert request.clusters == ("voice-prod", "chat-prod")
    assert request.tenants == ("voice-prod/acme/voice", "initech")
    assert (request.excepted, request.window, request.mode) == (
        ("acme-sandbox",),
        "5d",
        Mode.REPLACE,
    )
    assert request.guard.expected == {"scorecard": 31}


def test_name_and_reason_may_be_said_anew_but_nothing_else(cli: Cli) -> None:
    file = written(cli, GOOD)
    words = ("run", "-f", str(file), "--name", "mine", "--reason", "because", "--yes", "--detach")
    assert cli.run(*words).exit_code == 3
    assert [(s.name, s.reason) for _, s in cli.backend.started] == [("mine", "because")]
    for more in (("--window", "1d"), ("--dataset", "scorecards"), ("--redo",)):
        done = cli.run("run", "-f", str(file), *more)
        assert done.exit_code == 2
        assert "--file says already what to do" in done.stderr
    assert cli.run("plan", "voice-prod", "acme", *R, "-f", str(file)).exit_code == 2


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (("reason: appeals must go\n", ""), 1, "reason: expected, but it is not there"),
        (("reason:", "raeson:"), 2, "did you mean reason?"),
        (("window: 5d", "window: often"), 12, "window"),
        (("end: 2026-02-01T00:00:00Z", "end: 2025-01-01"), 10, "end: expected an instant after"),
        (("start: 2026-01-01", "start: yesterday"), 9, "start"),
        (("mode: replace", "mode: repair"), 11, "mode: expected 'replace', 'append' or 'delete'"),
        (("  - initech", "  - a/b/c/d"), 7, "tenants[1]"),
        (("  - initech", "  - a,b"), 7, "without commas"),
        (("name: appeals-out", "name: Appeals Out"), 1, "--name appeals-out"),
        (("{scorecard: 31}", "{scorecard: -1}"), 13, "expect_removed.scorecard"),
        (("window: 5d", "canary: [a/b/c/d]"), 12, "canary[0]"),
        (("window: 5d", "priority: {acme: soon}"), 12, "priority.acme: expected"),
        (("window: 5d", "priority: [acme, 'a,b']"), 12, "without commas"),
    ],
)
def test_errors_have_file_line_and_path(
    cli: Cli, change: tuple[str, str], line: int, said: str
) -> None:
    file = written(cli, GOOD.replace(*change))
    done = cli.run("plan", "-f", str(file))
    assert done.exit_code == 2
    assert f"{file}:{line}:" in done.stderr
    assert said in done.stderr


def test_what_the_fleet_does_not_know_is_refused_with_the_nearest_name(cli: Cli) -> None:
    file = written(cli, GOOD.replace("chat-prod]", "chat-prdo]"))
    done = cli.run("plan", "-f", str(file))
    assert done.exit_code == 2
    assert "did you mean chat-prod?" in done.stderr


def test_no_such_file(cli: Cli) -> None:
    done = cli.run("plan", "-f", str(cli.directory / "none.yaml"))
    assert done.exit_code == 2
    assert "none.yaml" in done.stderr


def test_affected_writes_a_file_that_plan_reads(cli: Cli) -> None:
    holding = [
        Affected("voice-prod", "acme", "voice", "acme_voice", {"scorecard": 31, "score": 272}),
        Affected("voice-prod", "globex", "voice", "globex_voice", {"scorecard": 0, "score": 0}),
    ]
    cli.backend.holding = [Reply("voice-prod", tuple(holding))]
    words = ("affected", "voice-prod", "all", *R, "--exclusion", "appeal_requests")
    suggested = cli.run(*words).stdout
    assert "--out appeal-requests-jan-2026.yaml" in suggested
    file = cli.directory / "appeals.yaml"
    done = cli.run(*words, "--out", str(file))
    assert done.exit_code == 0
    assert f"windlass plan -f {file}" in done.stdout
    assert "acme_voice: scorecard 31, score 272" in file.read_text(encoding="utf-8")
    read = campaign_file.read(file)
    assert read.tenants == ["voice-prod/acme/voice"]
    planned = cli.json("plan", "-f", str(file))
    assert [t["customer"] for t in planned["tenants"]] == ["acme"]
    again = cli.run(*words, "--out", str(file))
    assert again.exit_code == 2
    assert "there is such a file already" in again.stderr


def test_odd_names_mean_themselves_alone(cli: Cli, tmp_path: Path) -> None:
    names = ["all", "a*", "x[1]", "ümlaut: #1", "yes"]
    found = tuple(Affected("voice-prod", name, "", "db", {"scorecard": 1}) for name in names)
    cli.backend.holding = [Reply("voice-prod", found)]
    file = tmp_path / "odd.yaml"
    words = ("affected", "voice-prod", "all", *R, "--exclusion", "appeal_requests")
    assert cli.run(*words, "--out", str(file)).exit_code == 0
    from windlass.domain.tenant import Tenant, TenantPattern

    patterns = [TenantPattern.parse(text) for text in campaign_file.read(file).tenants]
    for at, name in enumerate(names):
        meant = [p.matches(Tenant("voice-prod", name, "", "db")) for p in patterns]
        assert meant == [one == at for one in range(len(names))]


def test_an_empty_file_is_no_campaign(tmp_path: Path) -> None:
    file = tmp_path / "empty.yaml"
    file.write_text("", encoding="utf-8")
    with pytest.raises(ConfigError):
        campaign_file.read(file)


def test_the_example_in_the_docs_is_one_and_shows_every_key(tmp_path: Path) -> None:
    docs = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    chapter = docs.partition("## Campaign files")[2]
    file = tmp_path / "example.yaml"
    file.write_text(chapter.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")
    shown = campaign_file.read(file).model_fields_set
    assert shown == set(campaign_file.CampaignFile.model_fields)


FLEET = """\
reason: appeals must go
clusters: all
tenants: all
start: 2026-01-01
end: 2026-02-01
"""


def test_canaries_go_first_then_by_priority(cli: Cli) -> None:
    file = written(cli, FLEET + "canary: globex\npriority: {initech: 2, acme/voice: 1}\n")
    planned = cli.json("plan", "-f", str(file))
    assert planned["canaries"] == ["voice-prod/globex/voice"]
    assert [(t["customer"], t["canary"], t["priority"]) for t in planned["tenants"]] == [
        ("globex", True, 0),
        ("acme", False, 1),
        ("acme-sandbox", False, 0),
        ("initech", False, 2),
    ]
    text = cli.run("plan", "-f", str(file)).stdout
    assert "canary: voice-prod/globex/voice; 2 other tenants of all clusters wait until" in text
    assert text.index("priority 2: chat-prod/initech/chat") < text.index("priority 1: voice-prod")
    assert cli.run("run", "-f", str(file), "--yes", "--detach").exit_code == 3
    view = cli.backend.ledger.status()
    assert [t.customer for t in view.clusters[0].tenants] == ["globex", "acme", "acme-sandbox"]
    assert "waiting for canary voice-prod/globex/voice" in view.limited_by
    said = cli.run("status").stdout
    assert "voice-prod, chat-prod to begin once the canaries are verified" in said
    assert "held back" not in said
    assert cli.backend.ledger.campaign_plan(view.campaign).request.canary == ("globex",)


def test_a_list_of_priorities_falls(cli: Cli) -> None:
    file = written(cli, FLEET + "priority: [initech, acme/voice]\n")
    assert campaign_file.read(file).words().priority == (("initech", 2), ("acme/voice", 1))


def test_a_canary_that_has_nothing_to_do_is_said_to_prove_nothing(cli: Cli) -> None:
    file = written(cli, FLEET + "canary: acme-sandbox\n")
    text = cli.run("plan", "-f", str(file)).stdout
    assert "canary voice-prod/acme-sandbox/voice has nothing to do: nobody waits for it" in text
    assert "no canary has anything to do: the others begin at once" in text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("canary: glob\n", "canary: no tenant chosen matches 'glob'"),
        ("except: globex\ncanary: globex\n", "canary: no tenant chosen matches 'globex'"),
        ("priority: {glob: 1}\n", "priority: no tenant matches 'glob'"),
    ],
)
def test_a_canary_or_priority_that_means_nobody_is_refused(cli: Cli, more: str, said: str) -> None:
    done = cli.run("plan", "-f", str(written(cli, FLEET + more)))
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_canary_that_may_be_on_a_cluster_that_is_away_is_not_done_without(cli: Cli) -> None:
    cli.backend.failures["chat-prod"] = "the source does not answer"
    file = written(cli, FLEET + "canary: initech\n")
    done = cli.run("run", "-f", str(file), "--yes", "--detach")
    assert (done.exit_code, cli.backend.started) == (4, [])
    assert "no canary is known by 'initech'" in done.stderr
    written(cli, FLEET + "canary: globex\n")
    assert cli.run("run", "-f", str(file), "--yes", "--detach").exit_code == 3


def test_a_file_is_held_to_the_world_that_it_was_reviewed_in(cli: Cli) -> None:
    file = written(cli, FLEET)
    world = cli.json("plan", "-f", str(file))["world"]
    written(cli, FLEET + f"world: {world}\n")
    assert f"World    {world}" in cli.run("plan", "-f", str(file)).stdout
    cli.backend.tenants["chat-prod", "new", "chat"] = Rows()
    assert "windlass run refuses it so" in cli.run("plan", "-f", str(file)).stderr
    done = cli.run("run", "-f", str(file), "--yes", "--detach")
    assert (done.exit_code, cli.backend.started) == (4, [])
    assert f"the file says {world}" in done.stderr
    del cli.backend.tenants["chat-prod", "new", "chat"]
    words = ("--yes", "--detach", "--accept-removal")
    assert cli.run("run", "-f", str(file), *words).exit_code == 3


def test_what_was_reviewed_is_started_also_when_the_question_stood_for_long(cli: Cli) -> None:
    file = written(cli, FLEET)
    cli.interactive = True

    def answer_late(question: str) -> bool:
        cli.clock.turn(600)
        cli.backend.tenants["chat-prod", "new", "chat"] = Rows()
        return True

    cli.confirm = answer_late
    done = cli.run("run", "-f", str(file), "--detach")
    assert (done.exit_code, cli.backend.started) == (4, [])
    assert "tenant chat-prod/new/chat is new" in done.stderr


def test_a_saved_plan_keeps_the_files_name_and_reason(cli: Cli) -> None:
    file, plan = written(cli, FLEET + "name: kept\ncanary: globex\n"), cli.directory / "p.json"
    cli.run("plan", "-f", str(file), "--save", str(plan))
    assert cli.run("run", "--plan", str(plan), "-f", str(file), "--yes").exit_code == 2
    assert cli.run("run", "--plan", str(plan), "--yes", "--detach").exit_code == 3
    ((made, start),) = cli.backend.started
    assert (start.name, start.reason) == ("kept", "appeals must go")
    assert made.request.canary == ("globex",)
