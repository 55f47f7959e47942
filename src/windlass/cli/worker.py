"""`windlass worker`: serve a cluster's task queue."""

import gc
from typing import Annotated

import typer

from windlass.cli.command import command
from windlass.cli.request import listed
from windlass.cli.session import Session

OFTEN = 700
"""Objects made between two looks for garbage, as Python has it: a worker lives long."""


@command(
    "windlass worker --cluster voice-prod",
    "windlass worker --cluster all",
    prints=False,
)
def app(
    session: Session,
    cluster: Annotated[
        str, typer.Option(metavar="C", help="Clusters to serve: names, globs, or all.")
    ],
) -> int:
    """Serve a cluster's task queue: the process that does the work.

    It ends in good order on SIGTERM and SIGINT: work in flight is stopped, its queries are
    proven dead, and another worker takes over. Logs go to stderr.
    """
    names = session.backend.fleet.select(listed(cluster, "--cluster"))
    gc.set_threshold(OFTEN)
    return session.backend.run_worker(names)
