"""`windlass demo`: what is refused before any server is started."""

import pytest
from typer.testing import CliRunner

from windlass.cli.main import app


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["demo", "--seed", "3"], "windlass demo fleet --seed 3"),
        (["demo", "--scale", "0"], "--scale 0 makes no sense"),
        (["demo", "fleet", "--scale", "-1"], "--scale -1 makes no sense"),
        (["demo", "flet"], "fleet"),
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str], said: str) -> None:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert said in done.stderr
