"""What an operator wrote as `from`, as a tenants query and as an exclusion, as SQL to send."""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from windlass.domain.dataset import Dataset, Exclusion, TableSpec
from windlass.domain.errors import PlanError
from windlass.source.judge import (
    FaultyTextError,
    check_predicate,
    check_query,
    is_query,
    parse,
    table_name,
)
from windlass.source.quote import ident

if TYPE_CHECKING:
    from sqlglot import exp


@lru_cache(maxsize=1024)
def relation_sql(text: str) -> str:
    """A FROM item without alias for a table name or one SELECT.

    Names are taken as they are written, quoted or not: no folding to lower case.
    Raises PlanError for anything else.
    """
    if is_query(text):
        return f"(\n{query_sql(text)}\n)"
    try:
        return ".".join(ident(part) for part in table_name(text))
    except FaultyTextError as error:
        raise _refused(text, error.why) from None


@lru_cache(maxsize=1024)
def query_sql(text: str) -> str:
    """One SELECT (CTEs and set operations included), without its final semicolon."""
    try:
        check_query(text)
    except FaultyTextError as error:
        raise _refused(text, error.why) from None
    return text.strip().rstrip(";").rstrip()


@lru_cache(maxsize=1024)
def predicate_sql(exclusion: Exclusion) -> str:
    """The exclusion's predicate in parentheses. PlanError unless it is one expression."""
    try:
        check_predicate(exclusion.predicate)
    except FaultyTextError as error:
        raise _refused(exclusion.predicate, error.why, exclusion.name) from None
    # A line of its own, so that a trailing comment does not swallow the parenthesis.
    return f"(\n{exclusion.predicate}\n)"


def _refused(text: str, why: str, exclusion: str = "") -> PlanError:
    short = text.strip() if len(text) < 200 else f"{text.strip()[:200]}…"
    if exclusion:
        fix = "write one condition on t, such as: t.scorecard_type = 'appeal_request'"
        return PlanError(f"cannot use exclusion {exclusion}: {short}", why=why, next_step=fix)
    fix = "write a table name (odd names in double quotes) or one SELECT without locks or writes"
    return PlanError(f"cannot read from: {short}", why=why, next_step=fix)


def tables_of(dataset: Dataset) -> list[str]:
    """Every table that a rebuild of the dataset reads, quoted and sorted."""
    return sorted({name for text in _texts(dataset) for name in _tables_in(text)})


def _texts(dataset: Dataset) -> Iterator[str]:
    for table in dataset.tables:
        yield table.relation
        yield from (f"SELECT 1 WHERE {predicate_sql(e)}" for e in table.exclusions)
    if dataset.tenants_query:
        yield dataset.tenants_query


def _tables_in(text: str) -> list[str]:
    if not is_query(text):
        return [relation_sql(text)]
    return [name for tree in parse(text) for name in _named(tree)]


def _named(tree: "exp.Expr") -> Iterator[str]:
    from sqlglot import exp

    commons = {cte.alias for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        plain = isinstance(table.this, exp.Identifier)
        if plain and (table.db or table.name not in commons):
            yield ".".join(ident(_folded(part)) for part in table.parts)


def _folded(part: "exp.Expr") -> str:
    # Inside a SELECT PostgreSQL itself reads the names, and folds those without quotes.
    return part.name if part.args.get("quoted") else part.name.lower()


def missing(wanted: TableSpec, have: set[str]) -> list[str]:
    """The columns that the config names and the relation lacks, in config order."""
    own = [*wanted.key, wanted.version, None if wanted.time_from_parent else wanted.time]
    tenant = [wanted.tenant.customer, wanted.tenant.profile] if wanted.tenant else []
    links = [child for child, _ in wanted.parent.on] if wanted.parent else []
    named = dict.fromkeys(name for name in (*own, *tenant, *links) if name)
    return [name for name in named if name not in have]
