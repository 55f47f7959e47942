"""What an operator may write as `from`, as a tenants query and as an exclusion, checked.

The text itself is what PostgreSQL gets to see; sqlglot only judges it. Every session is read-only
besides, so a statement that slipped through here could still change nothing.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from windlass.domain.dataset import Dataset, Exclusion, TableSpec
from windlass.domain.errors import PlanError
from windlass.source.quote import ident

if TYPE_CHECKING:
    from sqlglot import exp

_PART = r'"(?:[^"]|"")+"|[^\s".;:,()\'`]+'
_NAME = re.compile(rf"\s*({_PART})(?:\s*\.\s*({_PART}))?\s*")
_QUERY = re.compile(r"\s*(?:\(|select\b|with\b|values\b|table\b|/\*|--)", re.IGNORECASE)


@lru_cache(maxsize=1024)
def relation_sql(text: str) -> str:
    """A FROM item without alias for a table name or one SELECT.

    Names are taken as they are written, quoted or not: no folding to lower case.
    Raises PlanError for anything else.
    """
    if _QUERY.match(text):
        return f"(\n{query_sql(text)}\n)"
    return ".".join(ident(part) for part in table_name(text))


def is_query(text: str) -> bool:
    """Whether the relation is a SELECT rather than a table's name."""
    return bool(_QUERY.match(text))


def table_name(text: str) -> tuple[str, ...]:
    """(table,) or (schema, table), unquoted. PlanError when it is neither."""
    match = _NAME.fullmatch(text)
    if not match:
        raise _refused(text, "it is neither a table name nor one SELECT")
    return tuple(_unquoted(part) for part in match.groups() if part)


def _unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part


@lru_cache(maxsize=1024)
def query_sql(text: str) -> str:
    """One SELECT (CTEs and set operations included), without its final semicolon."""
    from sqlglot import exp

    trees = _parse(text)
    if len(trees) != 1:
        raise _refused(text, f"it holds {len(trees)} statements")
    if not isinstance(trees[0], exp.Select | exp.SetOperation | exp.Subquery):
        raise _refused(text, "it is not a SELECT")
    _only_reads(trees[0], text)
    return text.strip().rstrip(";").rstrip()


@lru_cache(maxsize=1024)
def predicate_sql(exclusion: Exclusion) -> str:
    """The exclusion's predicate in parentheses. PlanError unless it is one expression."""
    from sqlglot import exp

    text = exclusion.predicate
    trees = _parse(text)
    if len(trees) != 1:
        raise _refused(text, f"it holds {len(trees)} expressions", exclusion.name)
    if not isinstance(trees[0], exp.Condition) or isinstance(trees[0], exp.Query):
        raise _refused(text, "it is not one true-or-false expression", exclusion.name)
    _only_reads(trees[0], text)
    # A line of its own, so that a trailing comment does not swallow the parenthesis.
    return f"(\n{text}\n)"


def _parse(text: str) -> "list[exp.Expr]":
    import sqlglot

    try:
        trees = sqlglot.parse(text, dialect="postgres")
    except sqlglot.errors.SqlglotError as error:
        raise _refused(text, str(error).splitlines()[0]) from None
    return [tree for tree in trees if tree is not None]


def _only_reads(tree: "exp.Expr", text: str) -> None:
    from sqlglot import exp

    writing = (exp.DML, exp.DDL, exp.Command, exp.Into, exp.Lock, exp.Placeholder, exp.Parameter)
    for node in tree.walk():
        if isinstance(node, writing) and not isinstance(node, exp.Query):
            raise _refused(text, f"it holds {node.key.upper()}")


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
    return [name for tree in _parse(text) for name in _named(tree)]


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
