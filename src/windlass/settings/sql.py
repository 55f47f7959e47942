"""Whether the SQL in the config is what it must be: one SELECT, or one expression.

sqlglot is slow to import: commands that only read the ledger load the fleet without this.
"""

import re
from collections.abc import Generator, Iterator
from typing import Any

from windlass.settings.document import Step
from windlass.settings.models import Fleet

QUERY = re.compile(r"\s*(\(\s*)*(select|with)\b", re.IGNORECASE)
PART = r'(?:"(?:[^"]|"")+"|[^\s".;()\'\[\]]+)'
RELATION = re.compile(rf"\s*{PART}(?:\s*\.\s*{PART}){{0,2}}\s*")

Finding = tuple[tuple[Step, ...], str, tuple[int, int] | None]
"""Steps to the value, what was expected, and (line, column) inside the SQL where known."""


def findings(fleet: Fleet) -> Iterator[Finding]:
    """Everything that is wrong with the fleet's SQL."""
    for name, dataset in fleet.datasets.items():
        here: tuple[Step, ...] = ("datasets", name)
        if dataset.tenants.query is not None:
            yield from _select((*here, "tenants", "query"), dataset.tenants.query)
        for table, spec in dataset.tables.items():
            place = (*here, "tables", table)
            yield from _relation((*place, "from"), spec.relation)
            for exclusion, predicate in spec.exclude.items():
                yield from _expression((*place, "exclude", exclusion), predicate)


def _relation(steps: tuple[Step, ...], text: str) -> Iterator[Finding]:
    if QUERY.match(text):
        yield from _select(steps, text)
    elif not RELATION.fullmatch(text):
        yield steps, 'expected a table (schema.table, odd names in "…") or one SELECT', None


def _select(steps: tuple[Step, ...], text: str) -> Iterator[Finding]:
    from sqlglot import exp

    tree = yield from _parse(steps, text, "one SELECT")
    if isinstance(tree, exp.Expr) and not isinstance(tree, exp.Query):
        yield steps, f"expected one SELECT, not {tree.key.upper()}", None


def _expression(steps: tuple[Step, ...], text: str) -> Iterator[Finding]:
    """Parsed as it will be used, inside parentheses that it must not leave."""
    from sqlglot import exp

    tree = yield from _parse(steps, f"NOT ({text}\n)", "one SQL condition")
    if tree is not None and not (isinstance(tree, exp.Not) and isinstance(tree.this, exp.Paren)):
        yield steps, "expected one SQL condition that stays inside its parentheses", None


def _parse(
    steps: tuple[Step, ...], text: str, expected: str
) -> Generator[Finding, None, Any]:  # sqlglot has no types
    import sqlglot
    from sqlglot.errors import ParseError, TokenError

    try:
        trees = sqlglot.parse(text, dialect="postgres")
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        at = (first["line"], first["col"]) if first.get("line") else None
        said = str(first.get("description", error)).rstrip(".")
        yield steps, f"expected {expected} (PostgreSQL): {said}", at
        return None
    except TokenError as error:
        yield steps, f"expected {expected} (PostgreSQL): {error}", None
        return None
    if len(trees) != 1 or trees[0] is None:
        yield steps, f"expected {expected}, not {len(trees)} statements", None
        return None
    return trees[0]
