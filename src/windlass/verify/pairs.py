"""The table of proven column pairs: which source column goes into which target column, and how.

A pair that is not in the table is refused at plan time, with what to type instead. Each pair in
it is proven by tests that write edge values through both real servers (docs/types.md lists all).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from windlass.domain.schema import ColumnPair, SourceColumn, TargetColumn
from windlass.verify import chtype, pgtype
from windlass.verify.chtype import ChType
from windlass.verify.passage import Hazard, Passage
from windlass.verify.pgtype import PgType
from windlass.verify.rules import RULES
from windlass.verify.rules.arrays import NO_ARRAY, array_passage

SESSION = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "client_encoding": "UTF8",
}
"""Settings that every PostgreSQL session must have which reads or digests: they decide what
PostgreSQL's own text of a value is."""

# `is null` would also find a composite whose fields are all NULL.
_NULL = Hazard("{c} is not distinct from null", "NULL, which the target column cannot hold")
_NEVER_INSERTED = {"MATERIALIZED", "ALIAS", "EPHEMERAL"}


@dataclass(frozen=True)
class Matched:
    """The pairs in the target's order, source columns the target lacks, and what stands in the
    way (one operator-readable line per problem; any of them refuses the plan)."""

    pairs: tuple[ColumnPair, ...]
    left_out: tuple[str, ...]
    refusals: tuple[str, ...]


class UnprovenPairError(ValueError):
    """A column pair outside the table; the message says what to do about it."""


def match(source: Sequence[SourceColumn], target: Sequence[TargetColumn]) -> Matched:
    """Pair columns by exact name. Columns that ClickHouse computes itself are never inserted."""
    by_name = {column.name: column for column in source}
    insertable = [column for column in target if column.default_kind not in _NEVER_INSERTED]
    pairs, refusals = [], _doubled(source)
    for column in insertable:
        origin = by_name.get(column.name)
        if origin is None:
            refusals += [] if column.default_kind == "DEFAULT" else [_missing(column)]
            continue
        try:
            pairs.append(pair(origin, column))
        except UnprovenPairError as error:
            refusals.append(str(error))
    taken = {column.name for column in insertable}
    left_out = tuple(column.name for column in source if column.name not in taken)
    return Matched(tuple(pairs), left_out, tuple(refusals))


def pair(source: SourceColumn, target: TargetColumn) -> ColumnPair:
    """How this column travels. UnprovenPairError: the table does not know these types."""
    try:
        wanted = chtype.parse(target.type)
    except ValueError as error:
        raise UnprovenPairError(_unproven(source, target)) from error
    passage = _passage(pgtype.parse(source.type), wanted)
    if passage is None:
        raise UnprovenPairError(_unproven(source, target))
    arrow = passage.arrow
    if wanted.core.name != "Array":
        arrow = _target_text(arrow, nullable=True)
    text, plain = _target_text(passage.target, nullable=wanted.nullable), passage.plain
    hazards = (*_null_hazard(source, wanted), *passage.hazards)
    return ColumnPair(
        name=source.name,
        source_type=source.type,
        target_type=target.type,
        read=passage.read,
        source_text=f"coalesce({passage.source},'N')",
        target_text=text,
        arrow_text=arrow,
        hazard=" or ".join(f"({hazard.sql})" for hazard in hazards),
        hazard_reason="; or ".join(dict.fromkeys(hazard.reason for hazard in hazards)),
        target_value=_flagged(plain.target, plain.zero) if plain else text,
        arrow_value=_flagged(plain.arrow, plain.zero) if plain else arrow,
    )


def _passage(source: PgType, target: ChType) -> Passage | None:
    core = target.core
    if core.name == "Array":
        return _array(source, core.inner[0])
    rule = RULES.get((source.family, core.name))
    return rule(source, core) if rule else None


def _array(source: PgType, element: ChType) -> Passage | None:
    if source.element is None or element.core.name == "Array":
        return None
    passage = _passage(source.element, element)
    if passage is None:
        return None
    return array_passage(passage, source.element.family, nullable=element.nullable)


def _null_hazard(source: SourceColumn, target: ChType) -> tuple[Hazard, ...]:
    if not source.nullable or target.nullable:
        return ()
    return (NO_ARRAY,) if target.core.name == "Array" else (_NULL,)


def _flagged(value: str, zero: str) -> str:
    """Two arguments of a hash: whether it is NULL, and the value that it has otherwise."""
    return f"isNull({{c}}), ifNull({value}, {zero})"


def _target_text(text: str, *, nullable: bool) -> str:
    if not nullable:
        return text
    return f"if(isNull({{c}}),'N',{text.replace('{c}', 'assumeNotNull({c})')})"


def _doubled(source: Sequence[SourceColumn]) -> list[str]:
    names = [column.name for column in source]
    twice = sorted({name for name in names if names.count(name) > 1})
    return [f"the source gives column {name} more than once: name each one once" for name in twice]


def _missing(column: TargetColumn) -> str:
    return (
        f"target column {column.name} ({column.type}) has no source column of that name and no "
        "DEFAULT: give it one in the SELECT of `from:`, or a DEFAULT in the target"
    )


_WHY = {
    "Map": "a map's order and repeated keys have no equal in PostgreSQL",
    "Tuple": "a composite's fields have no proven way into a tuple",
    "JSON": "ClickHouse's JSON rewrites numbers and drops nulls, so what it holds is another text",
    "AggregateFunction": "states of aggregates are not values of the source",
    "SimpleAggregateFunction": "merges change the values, so they cannot equal the source's",
}


def _unproven(source: SourceColumn, target: TargetColumn) -> str:
    core = target.type.removeprefix("Nullable(").split("(")[0]
    why = f" ({_WHY[core]})" if core in _WHY else ""
    return (
        f"column {source.name}: {source.type} into {target.type} is not a proven pair{why}: "
        "cast it in the SELECT of `from:` to a type that docs/types.md lists for the target's, or "
        "leave it out there and give the target column a DEFAULT"
    )
