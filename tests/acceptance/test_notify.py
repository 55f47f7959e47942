"""A campaign's end is told at a real web hook, once, and its address stays where it belongs."""

from pathlib import Path

from tests.acceptance.conftest import Maker
from tests.acceptance.test_throttle import within
from tests.notify.hook import TOKEN, Hook
from windlass.ledger import open_ledger


def test_an_end_is_told_once_though_the_worker_is_killed(make_world: Maker) -> None:
    world = make_world(rows=2_000, worker=False)
    with Hook() as hook:
        text = world.config.read_text(encoding="utf-8")
        place = f'{{url: "{hook.url}", on: [done, struggling]}}'
        world.config.write_text(f"{text}\nnotify: [{place}]\n", encoding="utf-8")
        worker = world.start_worker()
        name = world.run()["campaign"]
        within(30, lambda: bool(hook.got), "nobody was told of the end")
        assert hook.got[0]["title"].startswith(f"{name}: done: ")
        assert hook.got[0]["message"].endswith(f"next: windlass report {name}")

        worker.kill()
        worker.wait()
        world.start_worker()
        ledger = open_ledger(f"sqlite:///{world.directory}/windlass.db")
        ledger.event(name, world.name, world.db, "w", "struggling", "50 rows/s")
        within(30, lambda: len(hook.got) > 1, "nobody was told by the next worker")
        ledger.close()
    told = [one["title"].removeprefix(f"{name}: ") for one in hook.got]
    assert told[1:] == ["1 window struggling"], "the end is not told twice"
    files = [one for one in Path(world.directory).iterdir() if one != world.config]
    assert {one.name for one in files} >= {"windlass.db", "worker-0.log"}
    assert not [one.name for one in files if one.is_file() and TOKEN.encode() in one.read_bytes()]
