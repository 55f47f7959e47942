"""The demo, and then every example of the README as it stands."""

import json
import os
import re
import shlex
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^\$ windlass (.*)$", README, re.M)
SCALE = "0.01"
KEPT = {"scorecard": 2988, "score": 26091}


def windlass(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "windlass.cli", *shlex.split(line)],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if k != "WINDLASS_CONFIG"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, object]]]:
    """A folder in which the demo was played, and its report."""
    folder = tmp_path_factory.mktemp("demo")
    done = windlass(folder, f"demo --scale {SCALE} -o json")
    try:
        assert done.returncode == 0, done.stderr[-4000:]
        yield folder, json.loads(done.stdout)
    finally:
        windlass(folder, "dev down")


def test_the_demo_ends_with_the_logs_table_at_its_scale(
    told: tuple[Path, dict[str, object]],
) -> None:
    _, report = told
    rows: list[dict[str, object]] = report["tables"]  # type: ignore[assignment]
    voice = {r["table"]: r for r in rows if r["database"] == "mutualofomaha_voice"}
    assert {name: voice[name]["after"] for name in KEPT} == KEPT
    assert voice["scorecard"]["attributed"] == {"appeal_requests": 315}
    assert all(r["verdict"] == "verified" for r in rows)
    databases = {r["database"] for r in rows}
    assert {"mutualofomaha_medsupp", "mutualofomaha_sandbox_sandbox"} <= databases


def test_anybody_can_count_it_over_http(told: tuple[Path, dict[str, object]]) -> None:
    folder, _ = told
    status = json.loads(windlass(folder, "dev status -o json").stdout)
    assert status["ready"] is True
    url = urllib.parse.urlsplit(status["clickhouse"])
    sql = (
        "SELECT count() FROM mutualofomaha_voice.score FINAL "
        "WHERE created_at >= '2026-01-01' AND created_at < '2026-02-20'"
    )
    query = urllib.parse.urlencode({"user": url.username, "password": url.password, "query": sql})
    with urllib.request.urlopen(f"http://{url.hostname}:{url.port}/?{query}") as answer:
        assert int(answer.read()) == KEPT["score"]


def test_every_example_of_the_readme_works(told: tuple[Path, dict[str, object]]) -> None:
    folder, _ = told
    assert len(EXAMPLES) >= 10
    for line in EXAMPLES:
        done = windlass(folder, line)
        assert done.returncode == 0, f"$ windlass {line}\n{done.stderr}\n{done.stdout}"


def test_the_readme_opens_with_the_two_commands() -> None:
    first = re.search(r"```\n(.*?)```", README, re.S)
    assert first
    assert [line.split("#")[0].strip() for line in first.group(1).strip().splitlines()] == [
        "make demo",
        "make test",
    ]
