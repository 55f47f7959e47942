"""`windlass plan`: what it shows, what it keeps, what it refuses."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from tests.cli.world import JANUARY, NOW, SECRETS, Cli, Rows
from windlass.domain.plan import HeldWindow
from windlass.domain.window import Interval

ACME = ("plan", "voice-prod", "acme", "2026-01-01", "2026-02-01")
TENTH = datetime(2026, 1, 11, tzinfo=UTC)
TENANT_KEYS = {
    "cluster", "customer", "profile", "database", "rows", "excluded", "windows", "publish",
    "estimate_seconds", "estimate_basis",
}  # fmt: skip


def test_the_json_keys_are_those_of_the_contract(cli: Cli) -> None:
    plan = cli.json(*ACME)
    assert {"tenants", "skipped", "total_rows", "total_windows", "estimate_seconds"} <= set(plan)
    (tenant,) = plan["tenants"]
    assert set(tenant) >= TENANT_KEYS
    assert tenant["rows"] == {"scorecard": 298, "score": 2609}
    assert tenant["excluded"] == {"appeal_requests": {"scorecard": 31, "score": 272}}
    assert tenant["to_remove"] == {"scorecard": 31, "score": 272}
    window = tenant["windows"][0]
    assert (window["start"], window["end"]) == ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
    assert plan["total_rows"] == sum(w["rows"] for w in tenant["windows"])
    assert tenant["publish"]["scorecard"]["path"] == "swap"


def test_json_stands_alone_on_stdout(cli: Cli) -> None:
    done = cli.run("plan", "voice-prod", "acme", "2026-01-01", "2099-01-01", "-o", "json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["end"] == "2026-02-19T21:23:00Z"
    assert "capped at now, 2026-02-19 21:23 UTC" in done.stderr


def test_tenants_that_nobody_asked_for_are_left_out_with_the_reason(cli: Cli) -> None:
    skipped = cli.json(*ACME)["skipped"]
    assert {(s["customer"], s["reason"]) for s in skipped} == {
        ("acme-sandbox", "not asked for"),
        ("globex", "not asked for"),
    }


def test_empty_tenants_appear_with_no_rows(cli: Cli) -> None:
    plan = cli.json("plan", "voice-prod", "acme-sandbox", "2026-01-01", "2026-02-01")
    (tenant,) = plan["tenants"]
    assert tenant["rows"] == {"scorecard": 0, "score": 0}
    assert tenant["windows"] == []
    assert tenant["state"] == "nothing_to_do"


def test_the_table_tells_what_goes_and_why(cli: Cli) -> None:
    shown = cli.run(*ACME).stdout
    assert "[2026-01-01 00:00, 2026-02-01 00:00) UTC" in shown
    assert "31 excluded by appeal_requests" in shown
    assert "swap: readers see each partition old or new, never between" in shown
    assert "this tenant" in shown
    assert "no version column: the source is fingerprinted again" in shown
    assert "2 more tenants of voice-prod: not asked for" in shown


def test_removals_that_no_exclusion_explains_are_named(cli: Cli) -> None:
    cli.backend.tenants["voice-prod", "acme", "voice"] = Rows(
        live={"scorecard": 500, "score": 2881}
    )
    assert "171 that no exclusion explains" in cli.run(*ACME).stdout


def test_rows_without_a_time_are_counted(cli: Cli) -> None:
    plan = cli.json("plan", "voice-prod", "globex", "2026-01-01", "2026-02-01")
    assert plan["tenants"][0]["null_time"] == {"scorecard": 7, "score": 7}


def test_stages_are_those_that_the_engine_runs(cli: Cli) -> None:
    shown = cli.run(*ACME, "--stages").stdout
    steps = ["snapshot:", "load:", "guard:", "publish: scorecard by swap", "settle:"]
    places = [shown.index(step) for step in steps]
    assert places == sorted(places)


def test_held_windows_are_shown_with_the_reason(cli: Cli) -> None:
    held = (
        HeldWindow("acme-2025", JANUARY, False, "the source of score changed since"),
        HeldWindow("acme-2026", replace(JANUARY, end=TENTH), True, "unchanged on both sides"),
    )
    cli.backend.tenants["voice-prod", "acme", "voice"] = Rows(held=held)
    shown = cli.run(*ACME).stdout
    assert (
        "not done again  voice-prod/acme/voice [2026-01-01 00:00, 2026-01-11 00:00) UTC, "
        "verified by acme-2026: unchanged on both sides"
    ) in shown
    assert "done again  voice-prod/acme/voice [2026-01-01 00:00, 2026-02-01 00:00)" in shown
    assert "verified by acme-2025: the source of score changed since" in shown
    (tenant,) = cli.json(*ACME)["tenants"]
    assert tenant["windows"][0]["start"] == "2026-01-11T00:00:00Z"


def test_a_cluster_that_cannot_be_asked_is_unknown_and_costs_the_exit_code(cli: Cli) -> None:
    cli.backend.failures["chat-prod"] = "no worker serves this cluster"
    plan = cli.json("plan", "all", "all", "2026-01-01", "2026-02-01", code=1)
    assert plan["unknown"] == [{"cluster": "chat-prod", "reason": "no worker serves this cluster"}]
    assert len(plan["tenants"]) == 3
    shown = cli.run("plan", "all", "all", "2026-01-01", "2026-02-01").stdout
    assert "unknown  chat-prod could not be asked" in shown


def test_the_estimate_is_unknown_without_history_and_a_total_with_it(cli: Cli) -> None:
    plan = cli.json("plan", "voice-prod", "acme,globex", "2026-01-01", "2026-02-01")
    seconds = [t["estimate_seconds"] for t in plan["tenants"]]
    assert plan["estimate_seconds"] == max(sum(seconds) / 2, *seconds)


def test_a_saved_plan_holds_world_and_format_and_no_secret(cli: Cli) -> None:
    file = cli.directory / "acme.json"
    assert cli.run(*ACME, "--save", str(file)).exit_code == 0
    kept = json.loads(file.read_text())
    assert kept["format"] == 2
    assert kept["world"] == kept["plan"]["world"]
    assert not any(secret in file.read_text() for secret in SECRETS)


def test_options_reach_the_request(cli: Cli) -> None:
    cli.run(
        "plan", "voice*", "acme, globex", "2026-01-01T06:00:00+02:00", "2026-02-01",
        "--window", "6h", "--parts", "3", "--mode", "append", "--except", "globex/*",
    )  # fmt: skip
    (request,) = cli.backend.asked
    assert request.clusters == ("voice-prod",)
    assert request.tenants == ("acme", "globex")
    assert request.excepted == ("globex/*",)
    assert (request.window, request.parts, request.mode) == ("6h", 3, "append")
    assert request.interval.start == datetime(2026, 1, 1, 4, tzinfo=UTC)
    assert request.guard.max_unexplained == 0.01


def test_a_pattern_may_match_on_one_of_several_clusters(cli: Cli) -> None:
    plan = cli.json("plan", "all", "initech", "2026-01-01", "2026-02-01")
    assert [t["customer"] for t in plan["tenants"]] == ["initech"]


def test_now_is_the_end_that_a_future_end_becomes(cli: Cli) -> None:
    cli.run("plan", "voice-prod", "acme", "2026-02-01", "2027-01-01")
    assert cli.backend.asked[0].interval.end == NOW


def test_a_narrow_terminal_folds_texts_and_cuts_no_number(cli: Cli) -> None:
    cli.columns = 80
    rows = Rows(
        {"scorecard": 298_791, "score": 2_609_114},
        {"scorecard": 31_503, "score": 272_186},
        {"scorecard": 330_294, "score": 2_881_300},
    )
    cli.backend.tenants["voice-prod", "acme", "voice"] = rows
    shown = cli.run(*ACME).stdout
    for figure in ("330,294", "298,791", "31,503", "2,881,300", "2,609,114", "272,186"):
        assert figure in shown
    assert "…" not in shown


def test_neighbouring_held_windows_are_one_line(cli: Cli) -> None:
    days = [JANUARY.start + timedelta(days=n) for n in range(32)]
    held = tuple(
        HeldWindow("acme-daily", Interval(start, end), True, "unchanged on both sides")
        for start, end in reversed(list(pairwise(days)))
    )
    cli.backend.tenants["voice-prod", "acme", "voice"] = Rows(held=held)
    shown = cli.run(*ACME).stdout
    assert shown.count("not done again") == 1
    assert "31 windows [2026-01-01 00:00, 2026-02-01 00:00) UTC, verified by acme-daily" in shown
    assert len(cli.json(*ACME)["tenants"][0]["held"]) == 31


def test_deleting_loads_nothing(cli: Cli) -> None:
    plan = cli.json(*ACME, "--mode", "delete")
    assert plan["total_rows"] == 0
    assert plan["tenants"][0]["to_remove"] == {"scorecard": 329, "score": 2881}
    assert "Total    clear 3,210 rows in 1 window" in cli.run(*ACME, "--mode", "delete").stdout


def test_what_holds_can_be_planned_again(cli: Cli) -> None:
    held = (HeldWindow("acme-older", JANUARY, True, "unchanged on both sides"),)
    cli.backend.tenants["voice-prod", "acme", "voice"] = Rows(held=held)
    assert cli.json(*ACME)["total_windows"] == 0
    assert cli.json(*ACME, "--redo")["total_windows"] == 1
