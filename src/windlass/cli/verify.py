"""`windlass verify`: is the target what the source says?"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

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
    understand,
)
from windlass.cli.session import Session
from windlass.cli.show.common import Column, console, count, iso, print_json, styled, table
from windlass.cli.show.status_table import verdict_text
from windlass.domain.plan import Request
from windlass.domain.results import KeyDifference, TableVerification
from windlass.domain.states import Verdict


@command(
    "windlass verify voice-prod acme 2026-01-01 2026-02-20",
    "windlass verify all 'acme*' 2026-01-01 2026-02-20 --keys 5 -o json",
)
def app(
    session: Session,
    clusters: ClustersArgument,
    tenants: TenantsArgument,
    start: StartArgument,
    end: EndArgument,
    dataset: DatasetOption = None,
    excepted: ExceptOption = None,
    keys: Annotated[
        int, typer.Option("--keys", metavar="N", min=0, help="Keys to name per table.")
    ] = 20,
) -> int:
    """Compare source and target by fingerprints, and name the keys that differ.

    Changes nothing. Exit codes: 0 every table agrees; 1 some differ, or a cluster could not be
    asked.
    """
    words = Words(clusters, tenants, start, end, dataset, excepted=tuple(excepted or ()))
    asked = understand(words, session.backend.fleet, session.now())
    for note in asked.notes:
        session.say(note)
    found, failed = gathered(session.backend.verify(asked.request, keys, session.say))
    _print(session, asked.request, found)
    agree = all(one.verdict is Verdict.VERIFIED for one in found)
    return 0 if agree and not failed else 1


def _print(session: Session, request: Request, found: Sequence[TableVerification]) -> None:
    if session.as_json:
        print_json(
            {
                "dataset": request.dataset.name,
                "start": iso(request.interval.start),
                "end": iso(request.interval.end),
                "tables": [_json(one) for one in found],
            }
        )
        return
    out = console()
    out.print(_table(found))
    for one in found:
        for key in one.keys:
            out.print(styled(f"{one.database}.{one.table}  {_key_words(key)}", ""))
    bad = sum(one.verdict is not Verdict.VERIFIED for one in found)
    if bad:
        out.print(styled(f"{bad} of {len(found)} tables differ; next: windlass plan …", "red"))
    else:
        out.print(styled(f"verified: {len(found)} tables equal their source", "green"))


def _json(one: TableVerification) -> dict[str, Any]:
    return {
        "cluster": one.cluster,
        "database": one.database,
        "table": one.table,
        "source_rows": one.source_rows,
        "target_rows": one.target_rows,
        "missing": one.missing,
        "extra": one.extra,
        "different": one.different,
        "attributed": dict(one.attributed),
        "verdict": str(one.verdict),
        "keys": [
            {
                "kind": key.kind,
                "key": dict(key.key),
                "columns": list(key.columns),
                "reason": key.reason,
            }
            for key in one.keys
        ],
    }


def _table(found: Iterable[TableVerification]) -> Any:  # noqa: ANN401 - a rich table
    columns = [
        Column("table"),
        Column("source", number=True),
        Column("target", number=True),
        Column("missing", number=True),
        Column("extra", number=True),
        Column("different", number=True),
        Column("extra explained by"),
        Column("verdict"),
    ]
    return table(columns, (_row(one) for one in found))


def _row(one: TableVerification) -> tuple[object, ...]:
    explained = ", ".join(f"{name} {rows:,}" for name, rows in one.attributed.items())
    return (
        f"{one.cluster}/{one.database}.{one.table}",
        count(one.source_rows),
        count(one.target_rows),
        count(one.missing),
        count(one.extra),
        count(one.different),
        explained or "-",
        verdict_text(one.verdict),
    )


def _key_words(key: KeyDifference) -> str:
    named = ", ".join(f"{column}={value}" for column, value in key.key.items())
    columns = f" in {', '.join(key.columns)}" if key.columns else ""
    return f"{key.kind}: {named}{columns}{f' ({key.reason})' if key.reason else ''}"
