"""The report as one HTML page: no script, no font, no picture from elsewhere."""

from functools import cache
from typing import TYPE_CHECKING

from windlass.report import markdown, words
from windlass.report.coverage import gaps
from windlass.report.shape import Report

if TYPE_CHECKING:
    from jinja2 import Environment


def write(report: Report) -> str:
    """The page. Everything that came from people or servers is escaped by the template."""
    most = max((window.rows for _, window in report.windows), default=0)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            facts=report.facts,
            view=report.facts.status,
            share=lambda rows: round(100 * rows / most, 1) if most else 0,
            many=len({row.cluster for row in report.tables}) > 1,
            queries=markdown.queries_sql(report),
            words=words,
            plain=plain,
            gaps=gaps(report.facts.status),
        )
    )


def plain(text: str) -> str:
    """Markdown's marks taken off a sentence of ours."""
    return text.replace("**", "").replace("`", "")


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("windlass.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
