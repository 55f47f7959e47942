"""Campaign files: read with the place of every error, run and planned, written by `affected`."""

from pathlib import Path

import pytest

from tests.cli.world import Cli, finish
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
