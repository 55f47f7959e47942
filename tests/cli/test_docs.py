"""docs/cli.md names every command and every option that there is, and none that there is not."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from windlass.cli.main import COMMANDS, app

DOCS = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
EVERYWHERE = DOCS.partition("## Everywhere")[2].partition("## plan")[0]
OTHERS = ("dev", "demo")
"""Commands whose own help is the documentation."""


def chapter(name: str) -> str:
    found = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", DOCS, re.M | re.S)
    assert found, f"docs/cli.md has no chapter {name}"
    return found.group(1)


def options(name: str) -> set[str]:
    group = typer.main.get_command(app)
    command = group.get_command(None, name)  # type: ignore[attr-defined]
    return {o for p in command.params for o in p.opts if o.startswith("--")}


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in OTHERS])
def test_every_option_is_documented(name: str) -> None:
    said = chapter(name) + EVERYWHERE + (chapter("plan") if name == "run" else "")
    missing = [option for option in options(name) if f"`{option}" not in said]
    assert missing == []


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in OTHERS])
def test_no_option_is_made_up(name: str) -> None:
    known = {*options(name), "--help", "--version"}
    said = re.findall(r"`(--[a-z-]+)", chapter(name))
    assert [option for option in said if option not in known] == []


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_an_example_that_parses(name: str) -> None:
    block = re.search(r"```\n(.*?)```", chapter(name), re.S)
    assert block
    for line in block.group(1).strip().splitlines():
        words = shlex.split(line.partition(" > ")[0])
        assert words[:2] == ["windlass", name]
        done = CliRunner().invoke(app, [*words[1:], "--help"])
        assert done.exit_code == 0, done.output
