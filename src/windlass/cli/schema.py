"""`windlass schema`: the JSON schema of the config file."""

import json

import typer

from windlass.cli.command import command
from windlass.cli.session import Session


@command("windlass schema > windlass.schema.json", prints=False)
def app(session: Session) -> int:
    """Print the JSON schema of the config file, for editors and for reading.

    It names every key, what it means and what it defaults to. No config file is needed.
    """
    from windlass.settings import schema

    typer.echo(json.dumps(schema(), indent=2))
    return 0
