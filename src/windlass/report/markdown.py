"""The report as Markdown, in the shape of the logs that people wrote by hand."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from windlass.domain.record import Query, TenantView, WindowView
from windlass.report.coverage import gaps
from windlass.report.figures import Figures
from windlass.report.profile import profile
from windlass.report.shape import Report
from windlass.report.words import (
    NOTHING,
    duration,
    inclusive,
    moment,
    number,
    pairs,
    plural,
    signed,
)

MOST_WINDOWS = 200
"""Windows in the Markdown; report.json has them all."""
RESULTS = ("Before", "Removed", "Loaded", "After", "Delta", "Attributed", "Verdict")


def write(report: Report) -> str:
    """The whole log."""
    parts: list[tuple[str, Callable[[Report], Iterable[str]]]] = [
        ("## Progress", lambda r: bullets(r.progress)),
        ("## Coverage", covered),
        ("## Details", lambda r: ()),
        ("### Rebuild Parameters", lambda r: table(("Parameter", "Value"), r.parameters)),
        ("### Command", lambda r: fence("bash", r.facts.campaign.command)),
        ("### Steps Taken", lambda r: numbered(r.steps)),
        ("### Windows", windows),
        ("### Results", results),
        ("### Timings", lambda r: table(("", "UTC"), r.timings)),
        ("### Where the Time Went", where_time_went),
        ("### Left Out", left_out),
        ("### Problems Met, and What Was Done", problems),
        ("### Orders", orders),
        ("### Notes", notes),
        ("### Queries That Reproduce the Figures", queries),
        ("### Status", lambda r: (f"- [{'x' if done else ' '}] {text}" for done, text in r.checks)),
        ("## Remaining Work", remaining),
    ]
    lines = [f"# {report.title}", ""]
    for heading, section in parts:
        body = list(section(report))
        if body or heading == "## Details":
            lines += [heading, "", *body, *([""] if body else [])]
    return "\n".join(lines).rstrip("\n") + "\n"


def covered(report: Report) -> Iterator[str]:
    """Everybody that discovery found: complete clusters in a row each, of the others each tenant
    that is not complete."""
    yield f"{report.coverage}."
    yield ""
    heads = ("Cluster", "Tenants found", "Status", "Notes")
    logs = report.clusters
    yield from table(heads, ((f"`{c.name}`", c.found, c.status, c.notes) for c in logs))
    for cluster in logs:
        if cluster.lines:
            yield from ("", f"### {cluster.title}", "")
            yield from table(("Tenant", "Status", "Notes"), cluster.lines)
    for gap in gaps(report.facts.status):
        yield from ("", f"**Not everybody is accounted for**: {gap}.")


def where_time_went(report: Report) -> Iterator[str]:
    """Seconds per stage over all windows and groups; report.json has each of them."""
    seconds = profile(report.facts)["total"]
    if seconds:
        yield from table(tuple(seconds), [[f"{taken:,.2f} s" for taken in seconds.values()]])


def bullets(lines: Iterable[str]) -> Iterator[str]:
    """One line each."""
    return (f"- {one_line(text)}" for text in lines)


def numbered(steps: Iterable[str]) -> Iterator[str]:
    """Steps; further lines of a step are its own list."""
    for place, step in enumerate(steps, 1):
        head, *rest = step.split("\n")
        yield f"{place}. {head}"
        yield from (f"   - {line}" for line in rest)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table; cells lose their line breaks and keep their bars."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'|'.join('-' * max(3, len(head) + 2) for head in heads)}|"
    for row in rows:
        yield f"| {' | '.join(cell(text) for text in row)} |"


def cell(text: str) -> str:
    """A text that stays inside its cell."""
    return one_line(text).replace("|", "\\|")


def one_line(text: str) -> str:
    """Without line breaks."""
    return " ".join(text.split())


def fence(language: str, text: str) -> Iterator[str]:
    """A code block that its own text cannot end."""
    if not text:
        return
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    bar = "`" * max(3, longest + 1)
    yield f"{bar}{language}"
    yield text.rstrip("\n")
    yield bar


def code(text: str) -> str:
    """Inline code that its own text cannot end."""
    bar = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{bar}{pad}{text}{pad}{bar}"


def windows(report: Report) -> Iterator[str]:
    """Every window: range, rows, how often, how long, what is proven."""
    if not report.windows:
        return
    heads = ("#", "Tenant", "Range", "Rows", "State", "Verdict", "Attempts", "Took")
    shown = report.windows[:MOST_WINDOWS]
    yield from table(heads, (_window(n, *pair) for n, pair in enumerate(shown, 1)))
    more = len(report.windows) - len(shown)
    if more:
        yield ""
        yield f"… and {plural(more, 'window')} more in `report.json`."


def _window(place: int, tenant: TenantView, window: WindowView) -> tuple[str, ...]:
    return (
        str(place),
        f"`{tenant.database}`",
        inclusive(window.interval),
        number(window.rows),
        str(window.state),
        str(window.verdict or NOTHING),
        str(window.attempts),
        duration(window.seconds),
    )


def results(report: Report) -> Iterator[str]:
    """Before, removed, loaded, after, delta and what explains it."""
    if not report.tables:
        return
    many = len({row.cluster for row in report.tables}) > 1
    heads = (*(("Cluster",) if many else ()), "Table", *RESULTS)
    rows = ((*((row.cluster,) if many else ()), *result_cells(row)) for row in report.tables)
    yield from table(heads, rows)
    yield ""
    yield "before - removed + loaded = after. Counts are logical (FINAL where the engine replaces)."
    raw = [row for row in report.tables if row.raw is not None and row.raw != row.before]
    for row in raw:
        yield f"`{row.database}.{row.table}` held {number(row.raw)} physical rows before."


def result_cells(row: Figures) -> tuple[str, ...]:
    """One line of the results."""
    return (
        f"`{row.database}.{row.table}`",
        number(row.before),
        number(row.removed),
        number(row.loaded),
        number(row.after),
        NOTHING if row.empty else signed(row.delta),
        attribution(row),
        row.outcome,
    )


def attribution(row: Figures) -> str:
    """What explains the delta; what does not is shouted."""
    told = [
        pairs(row.attributed),
        f"deleted at the source {number(row.deleted)}" if row.deleted else "",
        f"duplicates {number(row.duplicates)}" if row.duplicates else "",
        f"new at the source {number(row.added)}" if row.added else "",
        f"**UNEXPLAINED {number(row.unexplained)}**" if row.unexplained else "",
    ]
    return ", ".join(text for text in told if text) or NOTHING


def left_out(report: Report) -> Iterator[str]:
    """Tenants that were found and not touched, and why."""
    for one in report.facts.status.skipped:
        name = f"{one.cluster}/{one.customer}/{one.profile}".rstrip("/")
        yield f"- `{name}`: {one_line(one.reason)}"


def problems(report: Report) -> Iterator[str]:
    """Events, oldest first."""
    for event in report.facts.events:
        where = event.subject or "/".join(p for p in (event.cluster, event.database) if p)
        place = f"`{where}`: " if where else ""
        yield f"- {moment(event.at)} {event.kind}: {place}{one_line(event.text)}"


def orders(report: Report) -> Iterator[str]:
    """What operators told it to do, and why."""
    for one in report.facts.actions:
        became = f" ({one.before} → {one.after})" if one.after else ""
        why = f": {one_line(one.why)}" if one.why else ""
        yield f"- {moment(one.at)} {one.who}: {one.verb} `{one.scope}`{became}{why}"


def notes(report: Report) -> Iterator[str]:
    """What people wrote down."""
    for one in report.facts.notes:
        about = f" (`{one.database}`)" if one.database else ""
        yield f"- {moment(one.at)} {one.who}{about}: {one_line(one.text)}"


def queries(report: Report) -> Iterator[str]:
    """All queries in one block, each under what it shows."""
    text = queries_sql(report)
    return fence("sql", text)


def queries_sql(report: Report) -> str:
    """The queries as a file."""
    return "\n".join(_query(one) for one in report.facts.queries)


def _query(query: Query) -> str:
    sql = query.sql.strip().rstrip(";")
    return f"-- {query.server}: {query.database}.{query.table}: {one_line(query.purpose)}\n{sql};\n"


def remaining(report: Report) -> Iterator[str]:
    """What is left, with the command that does it."""
    if not report.remaining:
        yield "Nothing: every window is verified."
    for place, todo in enumerate(report.remaining, 1):
        yield f"{place}. {one_line(todo.text)}: {code(todo.command)}"
