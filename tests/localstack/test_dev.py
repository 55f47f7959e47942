"""`windlass dev`, as it is typed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Eventually = Callable[[Callable[[], bool]], None]
COMMAND = [str(Path(sys.executable).with_name("windlass")), "dev"]
KEYS = {"postgres", "clickhouse", "temporal", "temporal_ui", "config", "ready", "parts"}


def _dev(directory: Path, *args: str) -> subprocess.CompletedProcess[str]:
    argv = [*COMMAND, *args, "--dir", str(directory)]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


def test_up_status_down_reset(tmp_path: Path) -> None:
    try:
        before = _dev(tmp_path, "status", "-o", "json")
        assert (before.returncode, json.loads(before.stdout)["ready"]) == (0, False)
        up = _dev(tmp_path, "up", "--workers", "0", "-o", "json")
        assert up.returncode == 0
        assert "starting postgres" in up.stderr
        found = json.loads(up.stdout)
        assert set(found) == KEYS
        assert found["ready"]
        assert found["config"] == str(tmp_path / "windlass.yaml")
        assert json.loads(_dev(tmp_path, "status", "-o", "json").stdout) == found
        os.kill(found["parts"][2]["pid"], signal.SIGKILL)
        dead = _dev(tmp_path, "status")
        assert dead.returncode == 1
        assert "temporal has died" in dead.stderr
    finally:
        assert _dev(tmp_path, "down").returncode == 0
    refused = _dev(tmp_path, "reset")
    assert refused.returncode == 4
    assert "--yes" in refused.stderr
    assert _dev(tmp_path, "reset", "--yes").returncode == 0
    assert os.listdir(tmp_path) == ["stack.lock"]


def test_foreground(tmp_path: Path, eventually: Eventually) -> None:
    """It tells what dies, restarts nothing, and takes everything down when it is asked to end."""
    argv = [*COMMAND, "up", "--workers", "0", "--foreground", "--dir", str(tmp_path)]
    log = tmp_path / "stderr"
    with log.open("wb") as stderr:
        attached = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=stderr)
    try:
        eventually(lambda: b"attached" in log.read_bytes())
        parts = json.loads(_dev(tmp_path, "status", "-o", "json").stdout)["parts"]
        os.kill(parts[1]["pid"], signal.SIGKILL)
        eventually(lambda: b"clickhouse is dead" in log.read_bytes())
    finally:
        attached.send_signal(signal.SIGINT)
    assert attached.wait(30) == 1
    states = json.loads(_dev(tmp_path, "status", "-o", "json").stdout)["parts"]
    assert {part["state"] for part in states} == {"stopped"}


def test_ctrl_c_during_up_leaves_nothing(tmp_path: Path, eventually: Eventually) -> None:
    """As soon as it has begun; nothing of it may stay."""
    argv = [*COMMAND, "up", "--workers", "0", "--dir", str(tmp_path)]
    starting = subprocess.Popen(argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    eventually((tmp_path / "stack.json").exists)
    starting.send_signal(signal.SIGINT)
    assert starting.wait(30) == 130
    states = json.loads(_dev(tmp_path, "status", "-o", "json").stdout)["parts"]
    assert {part["state"] for part in states} == {"stopped"}


@pytest.mark.parametrize("args", [["up", "--workers", "-1"], ["sideways"], ["up", "--nonsense"]])
def test_wrong_usage(tmp_path: Path, args: list[str]) -> None:
    assert _dev(tmp_path, *args).returncode == 2


@pytest.mark.parametrize("name", ["up", "status", "down", "reset"])
def test_help_has_an_example(name: str) -> None:
    argv = [*COMMAND, name, "--help"]
    text = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout
    assert f"windlass dev {name}" in text.partition("Example")[2]
