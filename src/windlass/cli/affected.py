"""`windlass affected`: who still holds rows that an exclusion should keep out?"""

from collections.abc import Sequence
from datetime import datetime
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from windlass.cli.answers import gathered
from windlass.cli.command import command
from windlass.cli.request import (
    ClustersArgument,
    DatasetOption,
    EndArgument,
    ExceptOption,
    StartArgument,
    TenantsArgument,
    Words,
    nearest,
    understand,
)
from windlass.cli.session import Session
from windlass.cli.show.common import (
    Column,
    clock,
    console,
    count,
    iso,
    plural,
    print_json,
    styled,
    table,
)
from windlass.domain.dataset import Dataset
from windlass.domain.errors import UsageError
from windlass.domain.naming import campaign_name
from windlass.domain.plan import Request

if TYPE_CHECKING:
    from windlass.engine.activities.errands import Affected


@command(
    "windlass affected all all 2026-01-01 2026-02-20 --exclusion appeal_requests",
    "windlass affected all all 2026-01-01 2026-02-20 --exclusion appeal_requests --out out.yaml",
)
def app(
    session: Session,
    clusters: ClustersArgument,
    tenants: TenantsArgument,
    start: StartArgument,
    end: EndArgument,
    exclusion: Annotated[
        str, typer.Option("--exclusion", metavar="NAME", help="The exclusion's name.")
    ],
    dataset: DatasetOption = None,
    excepted: ExceptOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write a campaign file that takes them out."),
    ] = None,
) -> int:
    """Which tenants still hold rows that an exclusion should keep out, and how many.

    Changes nothing. Exits 0 whatever it finds, 1 when a cluster could not be asked.
    """
    words = Words(clusters, tenants, start, end, dataset, excepted=tuple(excepted or ()))
    asked = understand(words, session.backend.fleet, session.now())
    _check_exclusion(asked.request.dataset, exclusion)
    for note in asked.notes:
        session.say(note)
    found, failed = gathered(session.backend.affected(asked.request, exclusion, session.say))
    holding = [one for one in found if any(one.tables.values())]
    if out and holding:
        write_campaign(out, asked.request, exclusion, holding, session.now())
    _print(session, asked.request, exclusion, found, out if holding else None)
    return 1 if failed else 0


def write_campaign(
    file: Path, request: Request, exclusion: str, holding: "Sequence[Affected]", now: datetime
) -> None:
    """A campaign file for these tenants: rebuilding them takes the rows out."""
    from windlass.cli import campaign_file

    span = request.interval
    keys = {
        "reason": f"take out rows that exclusion {exclusion} keeps out",
        "dataset": request.dataset.name,
        "clusters": list(dict.fromkeys(one.cluster for one in holding)),
        "tenants": [pattern(one) for one in holding],
        "start": iso(span.start),
        "end": iso(span.end),
        "mode": "replace",
    }
    rows = sum(sum(one.tables.values()) for one in holding)
    head = [
        f"windlass affected, {clock(now)} UTC: {plural(len(holding), 'tenant')} hold "
        f"{rows:,} rows that {exclusion} keeps out",
        *(f"{one.database}: {_rows(one)}" for one in holding),
    ]
    campaign_file.write(file, keys, head)


def pattern(one: "Affected") -> str:
    """The pattern that means this tenant alone, whatever its name."""
    return "/".join(_escaped(part) for part in (one.cluster, one.customer, one.profile))


def _escaped(part: str) -> str:
    """No glob; nor `all`, which means everybody; nor nothing, which is no pattern."""
    return "[a]ll" if part == "all" else escape(part) or "*"


def _rows(one: "Affected") -> str:
    return ", ".join(f"{table} {rows:,}" for table, rows in one.tables.items() if rows)


def _check_exclusion(dataset: Dataset, exclusion: str) -> None:
    known = list(dict.fromkeys(e.name for t in dataset.tables for e in dataset.exclusions_of(t)))
    if exclusion not in known:
        raise UsageError(
            f"dataset {dataset.name} has no exclusion {exclusion!r}",
            next_step=nearest(exclusion, known),
        )


def _print(
    session: Session,
    request: Request,
    exclusion: str,
    found: "Sequence[Affected]",
    file: Path | None,
) -> None:
    holding = [one for one in found if any(one.tables.values())]
    if session.as_json:
        print_json(
            {
                "exclusion": exclusion,
                "dataset": request.dataset.name,
                "start": iso(request.interval.start),
                "end": iso(request.interval.end),
                "checked": len(found),
                "tenants": [_json(one) for one in holding],
                "file": str(file) if file else None,
            }
        )
        return
    out = console()
    if holding:
        out.print(_table(request.dataset, holding))
    told = f"{len(holding)} of {plural(len(found), 'tenant')} hold rows that {exclusion} keeps out"
    out.print(styled(told, "red" if holding else "green"))
    if file:
        out.print(styled(f"written; next: windlass plan -f {file}", ""))
    elif holding:
        names = ",".join(f"{one.customer}/{one.profile}" for one in holding[:5])
        span = f"{request.interval.start:%Y-%m-%d} {request.interval.end:%Y-%m-%d}"
        clusters = ",".join(dict.fromkeys(one.cluster for one in holding[:5]))
        out.print(styled(f"next: windlass plan {clusters} {names} {span}", ""))
        suggested = f"{campaign_name((exclusion,), request.interval)}.yaml"
        out.print(styled(f"or all of them: {session.typed} --out {suggested}", ""))


def _json(one: "Affected") -> dict[str, Any]:
    return {
        "cluster": one.cluster,
        "customer": one.customer,
        "profile": one.profile,
        "database": one.database,
        "tables": dict(one.tables),
        "rows": sum(one.tables.values()),
    }


def _table(dataset: Dataset, holding: "Sequence[Affected]") -> Any:  # noqa: ANN401 - a rich table
    names = [one.name for one in dataset.tables]
    columns = [Column("tenant"), *(Column(name, number=True) for name in names)]
    rows = (
        (f"{one.cluster}/{one.customer}/{one.profile}", *(count(one.tables.get(n)) for n in names))
        for one in holding
    )
    return table(columns, rows)
