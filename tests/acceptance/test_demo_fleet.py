"""`windlass demo fleet` from outside, at a tiny scale: it ends green, whatever happens to it."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from windlass.localstack.fleet.scenario import CLUSTERS, STRUGGLED
from windlass.localstack.fleet.timetable import Kind
from windlass.localstack.stack import LocalStack


@pytest.fixture
def directory() -> Iterator[Path]:
    """Not below pytest's own folder, which PostgreSQL may not enter (tests/conftest.py)."""
    made = Path(tempfile.mkdtemp(prefix="windlass-fleet-"))
    try:
        yield made / "stack"
    finally:
        LocalStack(made / "stack").reset()
        shutil.rmtree(made, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_fleet_drives_itself(directory: Path) -> None:
    line = [sys.executable, "-m", "windlass.cli", "demo", "fleet", "--scale", "0.0005", "--down"]
    done = subprocess.run(
        [*line, "--dir", str(directory), "-o", "json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    made = json.loads(done.stdout)
    assert made["green"]
    assert made["windows"] == made["windows_verified"]
    assert {c["name"]: c["customers"] for c in made["clusters"]} == CLUSTERS
    assert made["differing"] == []
    assert made["outside_untouched"]
    assert made["steady"]["touched"] == []
    struck = {one["kind"] for one in made["troubles"] if one["struck"]}
    assert struck == {str(kind) for kind in Kind}
    for one in made["struggling"]:
        assert one["customer"] in STRUGGLED
        assert one["cuts"], one
    _figures_come_with_reasons(made["troubles"])
    assert "## Troubles, and how each was overcome" in _log(directory)


def _figures_come_with_reasons(troubles: list[dict[str, object]]) -> None:
    parts = next(one for one in troubles if one["kind"] == Kind.PARTS)
    assert "clickhouse parts " in str(parts["answers"])
    assert " >= 200" in str(parts["answers"])


def _log(directory: Path) -> str:
    return (directory / "reports" / "fleet.md").read_text(encoding="utf-8")
