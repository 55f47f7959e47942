"""What a verification found, for a person and for programs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from windlass.cli.show.common import Column, clock, console, count, iso, plural, styled, table
from windlass.cli.show.status_table import verdict_text
from windlass.domain.results import KeyDifference, TableVerification
from windlass.domain.states import Verdict


@dataclass(frozen=True)
class Told:
    """What was asked: the command that plans the same, and the sample."""

    next_step: str
    sample: float = 1.0
    seed: str = ""


def show(found: Sequence[TableVerification], told: Told) -> None:
    """Print the tables, their keys, and what it means."""
    out = console()
    out.print(_table(found))
    for one in found:
        if one.finding:
            out.print(styled(f"{_name(one)}  not compared: {one.finding}", "yellow"))
        for key in one.keys:
            style = "yellow" if key.in_flight else ""
            out.print(styled(f"{_name(one)}  {_key_words(key)}", style))
            for line in _value_lines(key):
                out.print(styled(line, style))
    for line in _notes(found, told):
        out.print(styled(line, ""))
    out.print(_conclusion(found, told))


def _notes(found: Sequence[TableVerification], told: Told) -> Iterator[str]:
    more = [one for one in found if len(one.snapshots) > 1]
    for one in more:
        at = ", ".join(clock(moment) for moment in one.snapshots)
        yield f"{_name(one)}  its parts were compared in {len(one.snapshots)} snapshots: {at} UTC"
    for cluster in dict.fromkeys(one.cluster for one in found):
        moments = {m for one in found if one.cluster == cluster for m in one.snapshots}
        if len(moments) > 1 and not more:
            told_at = ", ".join(clock(moment) for moment in sorted(moments))
            yield f"{cluster}  taken up again: tables were compared in snapshots {told_at} UTC"
    if told.sample < 1 and found:
        sampled = max(found, key=lambda one: one.steps)
        yield (
            f"sampled {sampled.sampled} of {sampled.steps} steps of time, seed {told.seed}: "
            "the rest was not looked at"
        )


def _conclusion(found: Sequence[TableVerification], told: Told) -> Any:  # noqa: ANN401 - rich text
    bad = [one for one in found if one.verdict is Verdict.MISMATCH]
    open_ = [one for one in found if one.verdict is Verdict.UNVERIFIED]
    if bad or open_:
        said = [f"{len(bad)} of {plural(len(found), 'table')} differ"] if bad else []
        said += [f"{plural(len(open_), 'table')} could not be compared"] if open_ else []
        ending = f"; next: {told.next_step}" if bad else ""
        return styled(", ".join(said) + ending, "red" if bad else "yellow")
    flying = sum(one.in_flight for one in found)
    on_way = f" ({plural(flying, 'row')} in flight)" if flying else ""
    equal = "equal their source" if told.sample >= 1 else "equal their source in the sample"
    return styled(f"verified: {len(found)} tables {equal}{on_way}", "green")


def verification_json(one: TableVerification) -> dict[str, Any]:
    """One table, with the keys that other programs rely on."""
    return {
        "cluster": one.cluster,
        "database": one.database,
        "table": one.table,
        "source_rows": one.source_rows,
        "target_rows": one.target_rows,
        "missing": one.missing,
        "extra": one.extra,
        "different": one.different,
        "in_flight": one.in_flight,
        "attributed": dict(one.attributed),
        "verdict": str(one.verdict),
        "finding": one.finding,
        "snapshots": [iso(moment) for moment in one.snapshots],
        "sampled": {"steps": one.sampled, "of": one.steps} if one.steps else None,
        "keys": [_key_json(key) for key in one.keys],
    }


def _key_json(key: KeyDifference) -> dict[str, Any]:
    values = {name: {"source": s, "target": t} for name, (s, t) in key.values.items()}
    return {
        "kind": key.kind,
        "key": dict(key.key),
        "columns": list(key.columns),
        "reason": key.reason,
        "in_flight": key.in_flight,
        **({"values": values} if values else {}),
    }


def _table(found: Iterable[TableVerification]) -> Any:  # noqa: ANN401 - a rich table
    columns = [
        Column("table"),
        Column("source", number=True),
        Column("target", number=True),
        Column("missing", number=True),
        Column("extra", number=True),
        Column("different", number=True),
        Column("in flight", number=True),
        Column("extra explained by"),
        Column("verdict"),
    ]
    return table(columns, (_row(one) for one in found))


def _row(one: TableVerification) -> tuple[object, ...]:
    explained = ", ".join(f"{name} {rows:,}" for name, rows in one.attributed.items())
    counts = (one.source_rows, one.target_rows, one.missing, one.extra, one.different)
    return (
        _name(one),
        *("-" if one.finding else count(number) for number in (*counts, one.in_flight)),
        explained or "-",
        verdict_text(one.verdict),
    )


def _name(one: TableVerification) -> str:
    return f"{one.cluster}/{one.database}.{one.table}"


def _key_words(key: KeyDifference) -> str:
    named = ", ".join(f"{column}={value}" for column, value in key.key.items())
    columns = f" in {', '.join(key.columns)}" if key.columns else ""
    flying = "in flight, " if key.in_flight else ""
    return f"{flying}{key.kind}: {named}{columns}{f' ({key.reason})' if key.reason else ''}"


def _value_lines(key: KeyDifference) -> Iterator[str]:
    for name, (source, target) in key.values.items():
        yield f"    {name}: source {source}, target {target}"
