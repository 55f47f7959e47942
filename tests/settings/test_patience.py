"""How long a window may struggle, as the fleet file says it."""

from pathlib import Path

import pytest

from windlass import settings
from windlass.domain.errors import ConfigError

FLEET = """\
clusters:
  prod:
    source: {{url: postgresql://localhost/app}}
    target: {{url: http://localhost:8123}}
    limits: {{patience: {patience}}}
"""


def loaded(tmp_path: Path, patience: str) -> float:
    path = tmp_path / "windlass.yaml"
    path.write_text(FLEET.format(patience=patience))
    return settings.load(path).cluster("prod").limits.patience_seconds


@pytest.mark.parametrize(("text", "seconds"), [("2m", 120), ("1h", 3600), ("15s", 15)])
def test_patience_is_minutes_or_seconds(tmp_path: Path, text: str, seconds: float) -> None:
    assert loaded(tmp_path, text) == seconds


@pytest.mark.parametrize("text", ["15", "0s", "s", "-3s", "1w"])
def test_other_words_are_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="90s"):
        loaded(tmp_path, text)
