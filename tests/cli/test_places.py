"""`windlass doctor` about the places that people are told at; a real web hook behind them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.world import CONFIG, Cli, make_cli
from tests.notify.hook import TOKEN, Hook
from windlass.settings import load


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as found:
        yield found


def with_places(directory: Path, *urls: str) -> Cli:
    cli = make_cli(directory)
    places = ", ".join(f'{{url: "{url}", on: [done, parked]}}' for url in urls)
    cli.backend.fleet.path.write_text(f"{CONFIG}notify: [{places}]\n", encoding="utf-8")
    cli.backend = replace(cli.backend, fleet=load(cli.backend.fleet.path))
    return cli


def told(cli: Cli, *words: str, code: int = 0) -> list[tuple[str, str]]:
    found = cli.json("doctor", *words, code=code)["findings"]
    return [(f["level"], f["what"]) for f in found if f["what"].startswith("notify")]


def test_a_fleet_that_tells_nobody_has_nothing_to_check(cli: Cli) -> None:
    assert told(cli) == []
    ((level, what),) = told(cli, "--notify", code=1)
    assert (level, "names no place" in what) == ("fail", True)


def test_places_are_checked_and_nothing_is_sent(tmp_path: Path, hook: Hook) -> None:
    cli = with_places(tmp_path, hook.url, f"nosuch://{TOKEN}")
    found = told(cli, code=1)
    assert found[0] == ("ok", "notify[0]: JSON, on done, parked")
    assert found[1] == ("fail", "notify[1]: the url is of no service that apprise knows")
    assert hook.got == []


def test_a_message_goes_to_each_place(tmp_path: Path, hook: Hook) -> None:
    cli = with_places(tmp_path, hook.url)
    assert told(cli, "--notify") == [
        ("ok", "notify[0]: JSON, on done, parked: a message was taken")
    ]
    (one,) = hook.got
    assert "ada@ops1" in one["message"]
    hook.status = 404
    shown = cli.run("doctor", "--notify")
    assert shown.exit_code == 1
    assert "not sent: it answered HTTP 404" in shown.stdout
    assert TOKEN not in shown.output
