"""The work log writes itself: the log's own figures, and what must never be lost in the writing."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.ledger.world import HandClock
from tests.report.conftest import C, finish
from windlass.domain.errors import RemovalGuardError
from windlass.domain.record import CampaignFacts, GroupCounts, Scope
from windlass.domain.states import Mode, State, Verdict
from windlass.domain.window import Interval
from windlass.ledger.store import SqlLedger
from windlass.report import model
from windlass.report.markdown import code, fence, table
from windlass.report.words import duration, inclusive, listed

NASTY = "<script>alert(1)</script> | `x` ``` \n# not a heading"


def markdown(facts: CampaignFacts) -> str:
    return model.as_markdown(model.build(facts))


def test_the_logs_own_table(done: CampaignFacts) -> None:
    text = markdown(done)
    assert (
        "| `acme_voice.scorecard` | 330,294 | 330,294 | 298,791 | 298,791 | -31,503 |"
        " appeal_requests 31,503 | verified |"
    ) in text
    assert (
        "| `acme_voice.score` | 2,881,300 | 2,881,300 | 2,609,114 | 2,609,114 | -272,186 |"
        " appeal_requests 272,186 | verified |"
    ) in text
    assert "| `acme_sandbox.score` | 0 | 0 | 0 | 0 | — | — | nothing to do |" in text
    assert "298,791 + 2,609,114 rows loaded in 5 windows, 27 min (1,795 rows/s)" in text
    assert "27 min (21:23 – 21:50 UTC)" in text
    assert text.startswith("# Project Log - 2026-02-19\n")


def test_everything_that_the_issue_asks_for_is_in_it(done: CampaignFacts) -> None:
    text = markdown(done)
    for words in (
        "windlass run voice-prod acme 2026-01-01 2026-02-20",
        "| Reason | PR 25653 |",
        "[2026-01-01, 2026-02-20) UTC",
        "`acme_medsupp` and `acme_sandbox` databases had 0 rows",
        "`acme_voice.scorecard`: 330,294 rows removed",
        "| 4 | `acme_voice` | Jan 31–Feb 09 | 580,000 | done | verified | 1 | 5 min |",
        "`voice-prod/acme/chat`: no database acme_chat",
        "connection lost; again",
        "limit `acme-jan-feb-2026` (windows=8 → windows=2): night",
        "told the customer",
        "SELECT count() FROM acme_voice.score FINAL;",
        "held 2,881,350 physical rows before",
        "- [x] 5 of 5 windows published",
        "Nothing: every window is verified.",
    ):
        assert words in text, words


def test_before_minus_removed_plus_loaded_is_after(done: CampaignFacts) -> None:
    rows = model.as_json(model.build(done))["tables"]
    assert rows
    for row in rows:
        assert row["before"] - row["removed"] + row["loaded"] == row["after"]
        assert row["delta"] == row["after"] - row["before"]


def test_the_json_keeps_its_keys(done: CampaignFacts) -> None:
    told = model.as_json(model.build(done))
    assert json.loads(json.dumps(told)) == told
    keys = "campaign state started_at ended_at eta_seconds limited_by rows_loaded rows_per_second"
    assert {*keys.split(), "clusters", "skipped", "tables", "windows_run", "wall_seconds"} <= {
        *told
    }
    tenant = told["clusters"][0]["tenants"][0]
    keys = "customer profile database state windows_total windows_done attempts health note windows"
    assert {*keys.split()} <= {*tenant}
    keys = "id start end state verdict attempts rows seconds parent"
    assert {*keys.split()} <= {*tenant["windows"][0]}
    keys = "cluster database table before removed loaded after delta attributed unexplained verdict"
    assert {*keys.split(), "deleted", "duplicates", "raw"} <= {*told["tables"][0]}
    assert (told["windows_run"], told["wall_seconds"], told["started_at"]) == (
        5,
        1620,
        "2026-02-19T21:23:00Z",
    )
    by_name = {(t["database"], t["table"]): t for t in told["tables"]}
    score = by_name["acme_voice", "score"]
    assert (score["delta"], score["attributed"]) == (-272_186, {"appeal_requests": 272_186})
    assert (score["raw"], score["verdict"]) == (2_881_350, "verified")
    assert by_name["acme_sandbox", "score"]["after"] == 0


def test_unexplained_rows_are_shouted(ledger: SqlLedger, clock: HandClock) -> None:
    finish(ledger, clock, unexplained=3)
    report = model.build(ledger.facts())
    assert "**UNEXPLAINED 15**" in model.as_markdown(report)
    assert "**30 removed rows are unexplained**" in model.as_markdown(report)
    assert "- [ ] 30 removed rows unexplained" in model.as_markdown(report)
    assert '<div class="bad">unexplained 15</div>' in model.as_html(report)


def test_what_is_parked_remains_with_its_command(ledger: SqlLedger, clock: HandClock) -> None:
    finish(ledger, clock, windows=3)
    groups = ledger.campaign_plan(C).tenants[0].groups
    told = str(RemovalGuardError("40,000 rows would go", next_step="--accept-removal"))
    ledger.group_parked(groups[3].id, told)
    ledger.group_parked(groups[4].id, told)
    ledger.cluster_closed(C, "voice-prod")
    report = model.build(ledger.facts())
    text = model.as_markdown(report)
    assert not report.green
    assert "Parked: some of it needs the operator; 3 of 5 windows done." in text
    assert "acme_voice: 2 windows parked: 40,000 rows would go" in text
    again = "windlass run voice-prod acme/voice 2026-01-01 2026-02-20 --dataset scorecards"
    assert f"`{again}`" in text
    assert "- [ ] 3 of 5 windows published" in text
    assert len(re.findall(r"\| parked \|", text.partition("### Windows")[2])) == 2


def test_a_mismatch_is_not_green_and_names_verify(done: CampaignFacts) -> None:
    first = done.counts[0]
    wrong = replace(first.counts, verdict=Verdict.MISMATCH)
    counts: tuple[GroupCounts, ...] = (replace(first, counts=wrong), *done.counts[1:])
    status = replace(done.status, verdict=Verdict.MISMATCH)
    report = model.build(replace(done, counts=counts, status=status))
    assert not report.green
    assert report.headline == "Done, but not everything is verified."
    (todo,) = report.remaining
    assert todo.text == "acme_voice: scorecard mismatch"
    asked = "voice-prod acme/voice 2026-01-01 2026-02-20 --dataset scorecards"
    assert todo.command == f"windlass verify {asked} --keys 20"


def test_a_running_and_a_cancelled_campaign(ledger: SqlLedger, clock: HandClock) -> None:
    finish(ledger, clock, windows=2)
    report = model.build(ledger.facts())
    assert report.remaining[0].command == f"windlass watch {C}"
    assert "Rebuilding `scorecards`" in model.as_markdown(report)
    ledger.move(Scope(C), State.CANCELLING)
    ledger.cluster_closed(C, "voice-prod")
    report = model.build(ledger.facts())
    (todo,) = report.remaining
    assert todo.text == "acme_voice: 3 windows cancelled before the end"
    assert todo.command == "windlass run voice-prod acme 2026-01-01 2026-02-20"
    assert "Cancelled: what was published stays; 2 of 5 windows done." in model.as_markdown(report)


def test_a_report_of_something_that_has_not_begun(ledger: SqlLedger) -> None:
    report = model.build(ledger.facts())
    assert model.as_json(report)["wall_seconds"] is None
    assert model.as_markdown(report)
    assert model.as_html(report)


def test_nasty_words_stay_words(ledger: SqlLedger, clock: HandClock) -> None:
    finish(ledger, clock)
    ledger.note(C, "eve@ops1", NASTY, "acme_voice")
    ledger.event(C, "voice-prod", "", "", "retry", NASTY)
    facts = ledger.facts()
    facts = replace(facts, campaign=replace(facts.campaign, reason=NASTY, command=NASTY))
    report = model.build(facts)
    assert "<script" not in model.as_html(report)
    text = model.as_markdown(report)
    assert "\n# not a heading" not in text.replace("````bash\n" + NASTY, "")
    (row,) = [line for line in text.splitlines() if line.startswith("| Reason")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 3, "the bar does not open a column"


def test_the_page_needs_nothing_else(done: CampaignFacts) -> None:
    page = model.as_html(model.build(done))
    found: list[tuple[str, str]] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend((tag, name) for name, _ in attrs if name in {"src", "href", "srcset"})
            if tag in {"script", "link", "img", "iframe"}:
                found.append((tag, ""))

    Links().feed(page)
    assert found == []
    assert "url(" not in page
    assert "prefers-color-scheme: dark" in page


def test_the_bundle_is_a_folder_of_all_formats(done: CampaignFacts, tmp_path: Path) -> None:
    files = model.bundle(model.build(done), tmp_path / "out" / "log")
    assert [one.name for one in files] == ["report.md", "report.html", "report.json", "queries.sql"]
    assert json.loads(files[2].read_text())["campaign"] == C
    assert "SELECT count()" in files[3].read_text()


def test_the_same_facts_give_the_same_report(done: CampaignFacts) -> None:
    assert markdown(done) == markdown(done)


def test_marks_of_markdown_do_not_break_out() -> None:
    assert list(fence("sql", "a ``` b")) == ["````sql", "a ``` b", "````"]
    assert code("a`b") == "``a`b``"
    assert list(table(("a",), [("x|\ny",)]))[-1] == "| x\\| y |"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "—"),
        (0.42, "0.4 s"),
        (45, "45 s"),
        (1620, "27 min"),
        (7500, "2 h 05 min"),
        (3e5, "3 d 11 h"),
    ],
)
def test_durations(seconds: float | None, said: str) -> None:
    assert duration(seconds) == said


def test_the_command_for_the_rest_keeps_mode_and_hours(ledger: SqlLedger, clock: HandClock) -> None:
    finish(ledger, clock, windows=4)
    ledger.group_parked(ledger.campaign_plan(C).tenants[0].groups[4].id, "no permission")
    facts = ledger.facts()
    whole = facts.campaign.interval
    odd = Interval(whole.start, whole.end.replace(hour=6))
    facts = replace(facts, campaign=replace(facts.campaign, mode=Mode.APPEND, interval=odd))
    command = model.build(facts).remaining[-1].command
    assert "2026-01-01 2026-02-20T06:00:00Z" in command
    assert command.endswith("--mode append"), "never a replace where an append was meant"


def test_ranges_and_lists(done: CampaignFacts) -> None:
    whole = done.campaign.interval
    assert inclusive(whole) == "Jan 01–Feb 19"
    odd = Interval(whole.start, whole.end.replace(hour=6))
    assert inclusive(odd) == "[2026-01-01, 2026-02-20 06:00:00) UTC"
    assert listed("abc") == "a, b and c"
    assert listed([str(n) for n in range(20)], 2) == "0, 1 and 18 more"
