"""A worker process: one worker for each of its clusters, and what goes on beside them."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from windlass import settings
from windlass.wiring.adapters import SystemClock, open_ledger, target_of
from windlass.wiring.asking import workflow_id
from windlass.wiring.temporal import connect

if TYPE_CHECKING:
    from windlass.engine.worker import Seat
    from windlass.engine.worker.governor import Governor
    from windlass.ledger.store import SqlLedger

log = logging.getLogger("windlass")


def run_worker(config: Path, clusters: Sequence[str]) -> int:
    """Serve these clusters until SIGTERM or SIGINT. Returns the exit code; the caller must leave
    with os._exit, since the SDK's threads can abort an ordinary interpreter exit."""
    logging.basicConfig(
        level=os.environ.get("WINDLASS_LOG", "INFO").upper(),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    return asyncio.run(_serve(settings.load(config), clusters))


async def _serve(fleet: settings.Fleet, clusters: Sequence[str]) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with _workers(fleet, clusters):
        log.info("serving %s", ", ".join(clusters))
        if ready := os.environ.get("WINDLASS_READY_FILE"):
            Path(ready).write_text(str(os.getpid()), encoding="utf-8")
        await stop.wait()
        log.info("stopping: work in flight is cancelled and handed over")
    return 0


@asynccontextmanager
async def _workers(fleet: settings.Fleet, clusters: Sequence[str]) -> AsyncIterator[None]:
    """All clusters' workers, running inside the block."""
    from contextlib import AsyncExitStack

    from windlass.engine.worker import build
    from windlass.engine.worker.governor import governed
    from windlass.engine.worker.housekeeping import house_kept
    from windlass.target.chdbdigest import warm
    from windlass.wiring.channels import people_told

    ledger = open_ledger(fleet)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as aside:
        aside.create_task(asyncio.to_thread(warm))
        for name in clusters:
            seat = await _seat(fleet, name, ledger)
            await stack.enter_async_context(build(seat))
            stack.enter_context(house_kept(seat.desk))
            stack.enter_context(governed(_governor(fleet, seat, ledger)))
        stack.enter_context(people_told(fleet, ledger, SystemClock()))
        yield
    ledger.close()


def _governor(fleet: settings.Fleet, seat: "Seat", ledger: "SqlLedger") -> "Governor":
    from windlass.engine.worker.governor import Governor, Servers, teller
    from windlass.source.health import PostgresHealth

    cluster, desk = fleet.cluster(seat.desk.cluster), seat.desk
    source, limits = PostgresHealth(cluster.source.url.get_secret_value()), cluster.limits
    servers = Servers(source, desk.target, limits.health.thresholds, limits.patience_seconds)
    tell = teller(seat.client, lambda campaign: workflow_id(campaign, desk.cluster))
    return Governor.at(desk, seat.windows, servers, ledger, tell)


async def _seat(fleet: settings.Fleet, name: str, ledger: "SqlLedger") -> "Seat":
    from windlass.domain import codec
    from windlass.engine.activities.desk import Desk
    from windlass.engine.activities.pace import Pace
    from windlass.engine.worker import Seat
    from windlass.settings.whereabouts import servers
    from windlass.source.postgres import PostgresSource

    cluster = fleet.cluster(name)
    source = PostgresSource(cluster.source.url.get_secret_value())
    target = target_of(cluster, ledger.ledger_id())
    limits = cluster.limits
    pace = Pace(limits.rows_per_second)
    keep, at = cluster.target.retention, servers(cluster)
    desk = Desk(name, source, target, ledger, SystemClock(), keep, pace, at)
    client, most = await connect(cluster), (limits.windows, limits.windows_per_tenant)
    return Seat(client, desk, *most, codec.load, codec.dump)
