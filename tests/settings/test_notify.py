"""Places that people are told at: off by default, checked at the edge, never shown."""

from pathlib import Path

import pytest

from windlass import settings
from windlass.domain.errors import ConfigError
from windlass.domain.notices import Occasion

FLEET = """\
clusters:
  prod:
    source: {{url: postgresql://localhost/app}}
    target: {{url: http://localhost:8123}}
{notify}
"""
ENVIRON = {"SLACK_URL": "slack://s3cret/abc"}


def loaded(tmp_path: Path, notify: str) -> settings.Fleet:
    path = tmp_path / "windlass.yaml"
    path.write_text(FLEET.format(notify=notify))
    return settings.load(path, environ=ENVIRON)


def test_nobody_is_told_by_default(tmp_path: Path) -> None:
    assert loaded(tmp_path, "").notify == []


def test_a_place_with_its_occasions(tmp_path: Path) -> None:
    text = 'notify: [{url: "${env:SLACK_URL}", on: [done, throttled], throttled_after: 1h}]'
    fleet = loaded(tmp_path, text)
    (one,) = fleet.notify
    assert one.on == [Occasion.DONE, Occasion.THROTTLED]
    assert one.patience_seconds == 3600
    assert one.url.get_secret_value() == "slack://s3cret/abc"
    assert "s3cret" not in repr(fleet) + str(fleet.model_dump())


def test_what_is_over_and_what_needs_a_person_is_told_by_default(tmp_path: Path) -> None:
    (one,) = loaded(tmp_path, 'notify: [{url: "json://127.0.0.1/x"}]').notify
    assert set(one.on) == {Occasion.DONE, Occasion.PARKED, Occasion.MISMATCH, Occasion.STOPPED}
    assert one.patience_seconds == 600


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("url: s3cret", r"notify\[0\].url: expected a URL such as slack://"),
        ('url: "${env:SLACK_URL}", on: [dnoe]', r"notify\[0\].on\[0\]: .*'done', 'parked'"),
        ('url: "${env:SLACK_URL}", on: []', r"notify\[0\].on: expected at least one entry"),
        ('url: "${env:SLACK_URL}", throttled_after: soon', "no length of time"),
        ('url: "${env:SLACK_URL}", when: done', "unknown key 'when'"),
        ('url: "${env:NO_SUCH}"', "NO_SUCH"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_without_the_url(
    tmp_path: Path, entry: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as told:
        loaded(tmp_path, f"notify: [{{{entry}}}]")
    assert "windlass.yaml:5" in str(told.value)
    assert "s3cret" not in str(told.value)
