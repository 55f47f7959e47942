"""The real process: how fast it starts, what it imports, how it ends."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.world import CONFIG
from windlass.cli.main import COMMANDS
from windlass.ledger import open_ledger

ARGV = [sys.executable, "-m", "windlass.cli"]
HEAVY = ("pyarrow", "chdb", "temporalio", "sqlalchemy", "adbc_driver_manager", "pydantic", "rich")


def windlass(*words: str, at: Path) -> subprocess.CompletedProcess[str]:
    environ = {k: v for k, v in os.environ.items() if k != "WINDLASS_CONFIG"}
    return subprocess.run(
        [*ARGV, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=at,
        env=environ,
    )


def cost(*words: str, at: Path, times: int = 5) -> float:
    """Seconds of processor time of the cheapest of a few runs: unlike the time on the wall, it
    does not depend much on who else is at work on the machine."""
    found = []
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert windlass(*words, at=at).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


def test_help_is_there_at_once(tmp_path: Path) -> None:
    assert cost("--help", at=tmp_path) < 0.3


def test_status_is_there_in_half_a_second(tmp_path: Path) -> None:
    """0.4 s on two cores of one's own; up to twice that beside three other test runs."""
    (tmp_path / "windlass.yaml").write_text(CONFIG)
    open_ledger(f"sqlite:///{tmp_path}/windlass.db").close()
    assert cost("status", at=tmp_path) < 0.9


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from windlass.cli.main import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stderr.strip() == "[]"
    assert "Commands:" in done.stdout


def test_help_lists_every_command(tmp_path: Path) -> None:
    shown = windlass("--help", at=tmp_path)
    assert shown.returncode == 0
    listed = [line.split()[0] for line in shown.stdout.partition("Commands:")[2].splitlines()[1:]]
    assert listed == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example(name: str, tmp_path: Path) -> None:
    shown = windlass(name, "--help", at=tmp_path)
    assert shown.returncode == 0
    assert f"  windlass {name}" in shown.stdout.partition("Example")[2]


def test_no_command_shows_the_help_and_is_wrong_usage(tmp_path: Path) -> None:
    done = windlass(at=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Commands:" in done.stderr


def test_the_version(tmp_path: Path) -> None:
    assert windlass("--version", at=tmp_path).stdout.split()[0] == "windlass"


@pytest.mark.parametrize("words", [("status",), ("plan", "a", "b", "2026-01-01", "2026-01-02")])
def test_without_a_config_it_says_where_it_looked(words: tuple[str, ...], tmp_path: Path) -> None:
    done = windlass(*words, at=tmp_path)
    assert done.returncode == 2
    assert "windlass.yaml" in done.stderr
    assert "next:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_config_that_is_wrong_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "windlass.yaml").write_text(CONFIG.replace("clusters:", "clutsers:"))
    done = windlass("status", at=tmp_path)
    assert done.returncode == 2
    assert "windlass.yaml:2" in done.stderr
    assert "did you mean clusters?" in done.stderr
    assert "pg-secret" not in done.stderr


def test_temporal_that_is_down_is_said_as_such(tmp_path: Path) -> None:
    (tmp_path / "windlass.yaml").write_text(
        CONFIG.replace("source:", 'temporal: {address: "127.0.0.1:1"}\n    source:')
    )
    done = windlass("plan", "voice-prod", "acme", "2026-01-01", "2026-02-01", at=tmp_path)
    assert done.returncode == 1
    assert "Temporal does not answer" in done.stderr
    assert "windlass dev up" in done.stderr
    found = windlass("doctor", "--cluster", "voice-prod", "-o", "json", at=tmp_path)
    assert found.returncode == 1
    findings = json.loads(found.stdout)["findings"]
    assert [f["level"] for f in findings] == ["ok", "ok", "fail"]


def test_a_reader_that_has_gone_is_no_failure(tmp_path: Path) -> None:
    command = " ".join([*ARGV, "schema", "|", "head", "-1"])
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_grants_are_made_without_asking_a_server(tmp_path: Path) -> None:
    (tmp_path / "windlass.yaml").write_text(CONFIG)
    done = windlass("grants", "--cluster", "voice-prod", "-o", "json", at=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert any("app" in sql and "SELECT" in sql for sql in found["source"])
    assert any("{customer}_{profile}" in sql for sql in found["target"])
    assert "secret" not in done.stdout


def test_ctrl_c_ends_with_130(tmp_path: Path) -> None:
    """While it waits for a Temporal that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        address = f'temporal: {{address: "127.0.0.1:{port}"}}\n    source:'
        (tmp_path / "windlass.yaml").write_text(CONFIG.replace("source:", address))
        words = ("plan", "voice-prod", "acme", "2026-01-01", "2026-02-01")
        process = subprocess.Popen(
            [*ARGV, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
        )
        silent.settimeout(30)
        silent.accept()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in errors
    assert b"interrupted" in errors
