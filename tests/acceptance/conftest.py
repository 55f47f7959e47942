"""Worlds of one's own, closed at the end of the test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.world import World
from windlass.localstack.stack import Endpoints

Maker = Callable[..., World]


@pytest.fixture
def make_world(local_stack: Endpoints, tmp_path: Path) -> Iterator[Maker]:
    """`make_world(engine=..., partition=...)`: built, with one worker."""
    made: list[World] = []

    def make(*, worker: bool = True, **options: Any) -> World:
        world = World(local_stack, tmp_path, **options)
        made.append(world)
        world.build()
        if worker:
            world.start_worker()
        return world

    yield make
    for world in made:
        world.close()
