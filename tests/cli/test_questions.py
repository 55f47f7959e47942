"""`verify`, `affected`, `doctor`, `grants`, `schema`, `worker`, `report`: questions and answers."""

import json
from collections.abc import Sequence

import pytest

from tests.cli.test_run import NAME, RUN
from tests.cli.turns import finish
from tests.cli.world import SECRETS, Cli
from windlass.cli.backend import Reply
from windlass.domain.errors import UnreachableError, UsageError
from windlass.domain.results import KeyDifference, TableVerification
from windlass.domain.states import Verdict
from windlass.engine.activities.errands import Affected, Finding

R = ("voice-prod", "acme", "2026-01-01", "2026-02-01")
SAME = TableVerification("voice-prod", "acme_voice", "scorecard", 298, 298)
OTHER = TableVerification(
    "voice-prod",
    "acme_voice",
    "score",
    2609,
    2612,
    missing=1,
    extra=4,
    different=1,
    attributed={"appeal_requests": 3},
    verdict=Verdict.MISMATCH,
    keys=(
        KeyDifference("missing", {"score_id": "7"}),
        KeyDifference("different", {"score_id": "8"}, ("value",)),
        KeyDifference("extra", {"score_id": "9"}, reason="appeal_requests"),
    ),
)
DOWN = UnreachableError("no worker serves this cluster", next_step="windlass worker --cluster x")
NOBODY = UsageError("no tenant of chat-prod matches acme", next_step="windlass plan")


def test_verify_is_0_when_all_tables_agree(cli: Cli) -> None:
    cli.backend.verifications = [Reply("voice-prod", (SAME,))]
    done = cli.run("verify", *R)
    assert done.exit_code == 0
    assert "verified: 1 tables equal their source" in done.stdout


def test_verify_names_the_keys_that_differ_and_is_1(cli: Cli) -> None:
    cli.backend.verifications = [Reply("voice-prod", (SAME, OTHER))]
    shown = cli.json("verify", *R, code=1)
    assert set(shown["tables"][1]) == {
        "cluster", "database", "table", "source_rows", "target_rows", "missing", "extra",
        "different", "attributed", "verdict", "keys", "in_flight", "finding", "snapshots",
        "sampled",
    }  # fmt: skip
    assert shown["tables"][1]["keys"][1] == {
        "kind": "different", "key": {"score_id": "8"}, "columns": ["value"], "reason": "",
        "in_flight": False,
    }  # fmt: skip
    table = cli.run("verify", *R).stdout
    assert "different: score_id=8 in value" in table
    assert "extra: score_id=9 (appeal_requests)" in table
    assert "1 of 2 tables differ" in table


def test_verify_goes_on_without_a_cluster_that_is_down_but_is_not_green(cli: Cli) -> None:
    cli.backend.verifications = [
        Reply("voice-prod", (SAME,)),
        Reply[Sequence[TableVerification]]("chat-prod", error=DOWN),
    ]
    done = cli.run("verify", "all", *R[1:])
    assert done.exit_code == 1
    assert "no worker serves" in done.stderr
    assert "acme_voice.scorecard" in done.stdout


def test_a_tenant_need_not_be_on_every_cluster(cli: Cli) -> None:
    cli.backend.verifications = [
        Reply("voice-prod", (SAME,)),
        Reply[Sequence[TableVerification]]("chat-prod", error=NOBODY),
    ]
    assert cli.run("verify", "all", *R[1:]).exit_code == 0


@pytest.mark.parametrize(("error", "code"), [(DOWN, 1), (NOBODY, 2)])
def test_where_nobody_answers_the_reason_is_the_answer(
    cli: Cli, error: UnreachableError | UsageError, code: int
) -> None:
    cli.backend.verifications = [Reply[Sequence[TableVerification]]("voice-prod", error=error)]
    done = cli.run("verify", *R, "-o", "json")
    assert (done.exit_code, done.stdout) == (code, "")
    assert error.what in done.stderr


def test_affected_lists_who_holds_rows_and_the_plan_that_takes_them_out(cli: Cli) -> None:
    holding = Affected(
        "voice-prod", "acme", "voice", "acme_voice", {"scorecard": 31503, "score": 272186}
    )
    clean = Affected("voice-prod", "globex", "voice", "globex_voice", {"scorecard": 0, "score": 0})
    cli.backend.holding = [Reply("voice-prod", (holding, clean))]
    words = ("affected", "voice-prod", "all", *R[2:], "--exclusion", "appeal_requests")
    shown = cli.json(*words)
    assert shown["checked"] == 2
    assert [(t["customer"], t["tables"], t["rows"]) for t in shown["tenants"]] == [
        ("acme", {"scorecard": 31503, "score": 272186}, 303689)
    ]
    table = cli.run(*words).stdout
    assert "31,503" in table
    assert "1 of 2 tenants hold rows that appeal_requests keeps out" in table
    assert "windlass plan voice-prod acme/voice 2026-01-01 2026-02-01" in table


def test_doctor_is_content(cli: Cli) -> None:
    cli.backend.findings = {"voice-prod": [Finding("warn", "PostgreSQL hides others", "GRANT …;")]}
    shown = cli.json("doctor", "--cluster", "voice-prod")
    assert shown["ok"]
    levels = [(f["level"], f["cluster"]) for f in shown["findings"]]
    assert levels == [("ok", ""), ("ok", ""), ("ok", "voice-prod"), ("warn", "voice-prod")]
    table = cli.run("doctor", "--cluster", "voice-prod").stdout
    assert "PostgreSQL hides others" in table
    assert "GRANT …;" in table


def test_doctor_finds_what_fails_and_checks_the_other_clusters_too(cli: Cli) -> None:
    cli.backend.findings = {"voice-prod": DOWN, "chat-prod": [Finding("ok", "all well", "")]}
    shown = cli.json("doctor", code=1)
    assert not shown["ok"]
    failing = [f for f in shown["findings"] if f["level"] == "fail"]
    assert failing == [
        {
            "level": "fail",
            "cluster": "voice-prod",
            "what": "no worker serves this cluster",
            "next_step": "windlass worker --cluster x",
        }
    ]
    assert shown["findings"][-1]["what"] == "all well"


def test_doctor_does_not_ask_a_worker_that_is_not_there(cli: Cli) -> None:
    cli.backend.reached = [("ok", "Temporal answers", ""), ("fail", "no worker", "start one")]
    cli.backend.findings = {"voice-prod": AssertionError("asked")}  # type: ignore[dict-item]
    shown = cli.json("doctor", "--cluster", "voice-prod", code=1)
    assert [f["what"] for f in shown["findings"][2:]] == ["Temporal answers", "no worker"]


def test_grants_are_printed_for_both_servers(cli: Cli) -> None:
    done = cli.run("grants", "--cluster", "voice-prod")
    assert "-- source of voice-prod\nGRANT SELECT ON app.scorecards TO reader;" in done.stdout
    assert "-- target of voice-prod\n" in done.stdout
    assert cli.json("grants", "--cluster", "voice-prod")["cluster"] == "voice-prod"


def test_a_worker_serves_names_globs_or_all(cli: Cli) -> None:
    for words in ("voice-prod", "chat-prod,voice-prod", "*-prod", "all"):
        assert cli.run("worker", "--cluster", words).exit_code == 0
    both = ("voice-prod", "chat-prod")
    assert cli.backend.served == [("voice-prod",), both, both, both]


def test_the_schema_needs_no_config(cli: Cli) -> None:
    done = cli.run("schema")
    assert json.loads(done.stdout)["title"] == "Windlass fleet"
    assert cli.opened == []


def test_the_report_has_a_runs_keys_and_the_figures(cli: Cli) -> None:
    cli.script = [finish(cli, NAME)]
    cli.run(*RUN, "--yes")
    shown = json.loads(cli.run("report", "--format", "json").stdout)
    assert shown["campaign"] == NAME
    assert shown["windows_run"] == 1
    assert shown["wall_seconds"] == 1.0
    figures = {
        "cluster": "voice-prod",
        "database": "acme_voice",
        "table": "scorecard",
        "before": 329,
        "removed": 329,
        "loaded": 298,
        "after": 298,
        "delta": -31,
        "attributed": {"appeal_requests": 31},
        "unexplained": 0,
        "verdict": "verified",
    }
    assert shown["tables"][0] | figures == shown["tables"][0]


def test_the_report_is_markdown_unless_asked_otherwise(cli: Cli) -> None:
    cli.script = [finish(cli, NAME)]
    cli.run(*RUN, "--yes", "--reason", "PR 25653")
    shown = cli.run("report").stdout
    assert shown.startswith("#")
    assert "PR 25653" in shown
    assert "<html" in cli.run("report", "--format", "html").stdout


def test_the_bundle_is_a_folder_with_all_of_it(cli: Cli) -> None:
    cli.run(*RUN, "--yes", "--detach")
    folder = cli.directory / "archive" / "acme"
    assert cli.run("report", NAME, "--bundle", str(folder)).exit_code == 0
    names = {"report.md", "report.html", "report.json", "queries.sql"}
    assert {file.name for file in folder.iterdir()} == names
    (cli.directory / "file").touch()
    done = cli.run("report", NAME, "--bundle", str(cli.directory / "file"))
    assert done.exit_code == 2
    assert "cannot write the report" in done.stderr


def test_the_report_goes_to_a_file(cli: Cli) -> None:
    cli.run(*RUN, "--yes", "--detach")
    file = cli.directory / "acme.json"
    done = cli.run("report", NAME, "-o", "json", "--out", str(file))
    assert (done.exit_code, done.stdout) == (0, "")
    assert json.loads(file.read_text())["state"] == "queued"
    done = cli.run("report", NAME, "-o", "json", "--out", str(cli.directory / "no" / "x"))
    assert done.exit_code == 2
    assert "cannot write the report" in done.stderr


def test_config_and_debug_stand_before_or_after_the_command(cli: Cli) -> None:
    cli.run("--config", "a.yaml", "status")
    cli.run("status", "--config", "b.yaml")
    cli.run("-c", "a.yaml", "status", "-c", "b.yaml")
    assert [str(path) for path in cli.opened] == ["a.yaml", "b.yaml", "b.yaml"]
    assert cli.run("--debug", "status").exit_code == 0
    assert cli.run("status", "--debug").exit_code == 0


def test_an_unexpected_error_is_one_line_and_a_traceback_only_with_debug(cli: Cli) -> None:
    cli.backend.findings = {"voice-prod": [None]}  # type: ignore[list-item]
    done = cli.run("doctor", "--cluster", "voice-prod")
    assert done.exit_code == 1
    assert "error: internal error: AttributeError" in done.stderr
    assert "--debug" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in cli.run("doctor", "--debug", "--cluster", "voice-prod").stderr


def test_secrets_are_never_printed(cli: Cli) -> None:
    cli.backend.verifications = [Reply("voice-prod", (SAME,))]
    for words in (("plan", *R), ("doctor",), ("verify", *R), ("status", "--debug")):
        output = cli.run(*words).output
        assert not any(secret in output for secret in SECRETS)
