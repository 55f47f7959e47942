"""A COPY that is cut short on its way is never taken for the whole."""

from urllib.parse import urlsplit

from tests.acceptance.conftest import Maker
from tests.acceptance.cutter import Cutter

BYTES = 500_000
"""More than a plan is told, less than a window has."""


def test_a_copy_cut_short_is_never_published_as_if_it_were_whole(make_world: Maker) -> None:
    world = make_world(rows=20_000, worker=False)
    port = urlsplit(world.endpoints.postgres).port
    assert port
    with Cutter(port, BYTES, cuts=3) as cutter:
        text = world.config.read_text()
        source = f'source: {{url: "{world.endpoints.postgres}"}}'
        assert source in text
        world.config.write_text(text.replace(source, source.replace(f":{port}", f":{cutter.port}")))
        world.start_worker()
        found = world.run("--parts", "2")
        assert cutter.made == 3, "nothing was cut: the test proves nothing"
    assert found["state"] == "done", found
    world.assert_exact()
    assert world.staging_tables() == []
