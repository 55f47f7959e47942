"""Thresholds of health in the fleet file: defaults, one's own, and none."""

from pathlib import Path

import pytest

from windlass import settings
from windlass.domain.errors import ConfigError
from windlass.domain.health import Threshold

FLEET = """\
clusters:
  prod:
    source: {{url: postgresql://localhost/app}}
    target: {{url: http://localhost:8123}}
    limits: {{windows: 4, health: {{{health}}}}}
"""


def loaded(tmp_path: Path, health: str) -> dict[str, Threshold]:
    path = tmp_path / "windlass.yaml"
    path.write_text(FLEET.format(health=health))
    return settings.load(path).cluster("prod").limits.health.thresholds


def test_what_is_not_named_has_defaults(tmp_path: Path) -> None:
    found = loaded(tmp_path, "clickhouse_parts: [150, 250], postgres_lock_waits: null")
    assert found["clickhouse_parts"] == Threshold(150, 250)
    assert found["clickhouse_memory"] == Threshold(0.85, 0.95)
    assert "postgres_lock_waits" not in found


@pytest.mark.parametrize(
    ("health", "said"),
    [
        ("clickhouse_parts: [300, 200]", "slow down, stop"),
        ("clickhouse_parts: [0, 200]", "slow down, stop"),
        ("clickhouse_part: [1, 2]", "did you mean clickhouse_parts"),
        ("clickhouse_parts: 200", "clickhouse_parts"),
    ],
)
def test_wrong_thresholds_are_told(tmp_path: Path, health: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        loaded(tmp_path, health)
