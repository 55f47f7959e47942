"""What an operator may write as `from`, as a tenants query and as an exclusion.

The text itself is what PostgreSQL gets to see; sqlglot only judges it. Every session is read-only
besides, so a statement that slipped through here could still change nothing. No driver is needed:
the config is judged on the operator's machine too.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

_PART = r'"(?:[^"]|"")+"|[^\s".;:,()\'`\[\]]+'
_NAME = re.compile(rf"\s*({_PART})(?:\s*\.\s*({_PART}))?\s*")
_QUERY = re.compile(r"\s*(?:\(|select\b|with\b|values\b|table\b|/\*|--)", re.IGNORECASE)


class FaultyTextError(ValueError):
    """Not what was expected: `why`, and (line, column) inside the text where that is known."""

    def __init__(self, why: str, at: tuple[int, int] | None = None) -> None:
        super().__init__(why)
        self.why, self.at = why, at


def is_query(text: str) -> bool:
    """Whether the relation is a SELECT rather than a table's name."""
    return bool(_QUERY.match(text))


def table_name(text: str) -> tuple[str, ...]:
    """(table,) or (schema, table), unquoted. FaultyTextError when it is neither."""
    match = _NAME.fullmatch(text)
    if not match:
        raise FaultyTextError("it is neither a name nor a SELECT")
    return tuple(_unquoted(part) for part in match.groups() if part)


def _unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part


def check_query(text: str) -> None:
    """FaultyTextError unless it is one SELECT that writes and locks nothing; CTEs and set
    operations included."""
    from sqlglot import exp

    trees = parse(text)
    if len(trees) != 1:
        raise FaultyTextError(f"it holds {len(trees)} statements")
    if not isinstance(trees[0], exp.Select | exp.SetOperation | exp.Subquery):
        raise FaultyTextError(f"it is not a SELECT, but {trees[0].key.upper()}")
    _only_reads(trees[0])


def check_predicate(text: str) -> None:
    """FaultyTextError unless it is one expression that stays inside the parentheses it gets."""
    from sqlglot import exp

    trees = parse(text)
    if len(trees) != 1:
        raise FaultyTextError(f"it holds {len(trees)} expressions")
    if not isinstance(trees[0], exp.Condition) or isinstance(trees[0], exp.Query):
        raise FaultyTextError("it is not one true-or-false expression")
    _only_reads(trees[0])


def parse(text: str) -> "list[exp.Expr]":
    """The statements in the text. FaultyTextError where it is no SQL of PostgreSQL."""
    import sqlglot

    try:
        trees = sqlglot.parse(text, dialect="postgres")
    except sqlglot.errors.ParseError as error:
        first = error.errors[0] if error.errors else {}
        at = (first["line"], first["col"]) if first.get("line") else None
        said = str(first.get("description", error)).rstrip(".")
        raise FaultyTextError(f"it is no SQL of PostgreSQL: {said}", at) from None
    except sqlglot.errors.SqlglotError as error:
        said = str(error).splitlines()[0]
        raise FaultyTextError(f"it is no SQL of PostgreSQL: {said}") from None
    return [tree for tree in trees if tree is not None]


def _only_reads(tree: "exp.Expr") -> None:
    from sqlglot import exp

    writing = (exp.DML, exp.DDL, exp.Command, exp.Into, exp.Lock, exp.Placeholder, exp.Parameter)
    for node in tree.walk():
        if isinstance(node, writing) and not isinstance(node, exp.Query):
            raise FaultyTextError(f"it holds {node.key.upper()}")
