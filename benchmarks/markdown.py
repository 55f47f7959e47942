"""Tables, and the places in a document where they go. Pure."""

from collections.abc import Mapping, Sequence

from benchmarks.stats import Spread
from benchmarks.targets import number


class MarkerError(Exception):
    """A document lacks the marks between which something should be written."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; what would end a cell is escaped."""
    cells = [[_cell(text) for text in row] for row in rows]
    return "\n".join(
        [_row([_cell(text) for text in head]), "|" + "---|" * len(head), *map(_row, cells)]
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def spread(figures: Spread, scale: float = 1.0) -> str:
    """`1.20 (1.10 – 1.35)`, or the figure alone where there is one."""
    least, middle, most = (number(f * scale) for f in (figures.least, figures.median, figures.most))
    return f"{middle} ({least} – {most})" if figures.count > 1 else middle


def begin(name: str) -> str:
    """The mark before a section that the suite writes."""
    return f"<!-- bench: {name} -->"


def end(name: str) -> str:
    """The mark after it."""
    return f"<!-- end of {name} -->"


def fill(text: str, sections: Mapping[str, str]) -> str:
    """Put each section between its marks. MarkerError: a mark is missing, or there twice."""
    for name, section in sections.items():
        first, last = begin(name), end(name)
        if (text.count(first), text.count(last)) != (1, 1) or text.index(last) < text.index(first):
            raise MarkerError(f"there must be {first} and, after it, {last}, once each")
        before, _, rest = text.partition(first)
        _, _, after = rest.partition(last)
        text = f"{before}{first}\n{section.strip()}\n{last}{after}"
    return text
