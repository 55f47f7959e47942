"""Whether the SQL in the config is what it must be: one SELECT, or one expression.

sqlglot is slow to import: commands that only read the ledger load the fleet without this.
"""

from collections.abc import Callable, Iterator

from windlass.settings.document import Step
from windlass.settings.models import Fleet
from windlass.source.judge import (
    FaultyTextError,
    check_predicate,
    check_query,
    is_query,
    table_name,
)

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
                steps = (*place, "exclude", exclusion)
                yield from _judged(steps, predicate, check_predicate, "one SQL condition")


def _relation(steps: tuple[Step, ...], text: str) -> Iterator[Finding]:
    if is_query(text):
        yield from _select(steps, text)
    else:
        expected = 'a table (schema.table, odd names in "…") or one SELECT'
        yield from _judged(steps, text, table_name, expected)


def _select(steps: tuple[Step, ...], text: str) -> Iterator[Finding]:
    yield from _judged(steps, text, check_query, "one SELECT")


def _judged(
    steps: tuple[Step, ...], text: str, judge: Callable[[str], object], expected: str
) -> Iterator[Finding]:
    try:
        judge(text)
    except FaultyTextError as error:
        yield steps, f"expected {expected}: {error.why}", error.at
