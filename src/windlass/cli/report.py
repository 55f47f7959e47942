"""`windlass report`: the work log that people used to write by hand."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from windlass.cli.command import command
from windlass.cli.request import CampaignArgument
from windlass.cli.session import Session
from windlass.domain.errors import UsageError
from windlass.domain.record import CampaignFacts


class Format(StrEnum):
    """What a report is written as."""

    MD = "md"
    HTML = "html"
    JSON = "json"


@command(
    "windlass report",
    "windlass report acme-jan-feb-2026 --format html --out acme.html",
    "windlass report acme-jan-feb-2026 --bundle acme-report",
)
def app(
    session: Session,
    campaign: CampaignArgument = None,
    kind: Annotated[
        Format | None, typer.Option("--format", help="Markdown, HTML or JSON.  [default: md]")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write there, not to stdout.")
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", metavar="DIR", help="A folder with all three, for an archive."),
    ] = None,
) -> int:
    """The work log of a campaign, the latest one when none is named.

    What was asked and why, what was rebuilt, rows before, removed, loaded and after, what the
    delta is attributed to, what went wrong and what was done about it, what remains to do, and
    the queries that reproduce each figure. Reads the ledger only.
    """
    facts = session.backend.ledger.facts(campaign)
    if bundle:
        _bundle(session, facts, bundle)
        return 0
    text = written(facts, kind or (Format.JSON if session.as_json else Format.MD))
    if out is None:
        typer.echo(text)
        return 0
    _write(out, text)
    session.say(f"written: {out}")
    return 0


def written(facts: CampaignFacts, kind: Format) -> str:
    """The report as a text."""
    from windlass.report import model

    report = model.build(facts)
    if kind is Format.JSON:
        return json.dumps(model.as_json(report), indent=2, ensure_ascii=False)
    return model.as_html(report) if kind is Format.HTML else model.as_markdown(report)


def _bundle(session: Session, facts: CampaignFacts, folder: Path) -> None:
    from windlass.report import model

    try:
        files = model.bundle(model.build(facts), folder)
    except OSError as error:
        raise _unwritable(folder, error) from None
    for file in files:
        session.say(f"written: {file}")


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise _unwritable(file, error) from None


def _unwritable(where: Path, error: OSError) -> UsageError:
    return UsageError(
        f"cannot write the report: {error.strerror}",
        where=str(where),
        next_step="name a place that exists and is yours",
    )
