"""`windlass grants`: the SQL for a cluster's database users."""

from typing import Annotated

import typer

from windlass.cli.command import command
from windlass.cli.session import Session
from windlass.cli.show.common import print_json


@command("windlass grants --cluster voice-prod", "windlass grants --cluster voice-prod -o json")
def app(
    session: Session,
    cluster: Annotated[str, typer.Option("--cluster", metavar="C", help="The cluster's name.")],
) -> int:
    """Print the SQL that gives the users of a cluster's config what Windlass needs, and no more.

    Nothing is executed and no server is asked: read it, and run it as the owner. The source is
    only ever read.
    """
    session.backend.fleet.cluster(cluster)
    found = session.backend.grants(cluster)
    if session.as_json:
        print_json({"cluster": cluster, **{server: list(sql) for server, sql in found.items()}})
        return 0
    for server, statements in found.items():
        typer.echo(f"-- {server} of {cluster}")
        for statement in statements:
            if "{customer}" in statement or "{profile}" in statement:
                typer.echo("-- once for each tenant, with its database in place of the template:")
            typer.echo(statement)
    return 0
