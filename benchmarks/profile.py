"""Where a campaign's time went, as its report tells it (`windlass run --profile`)."""

from collections.abc import Iterator, Mapping

from benchmarks import markdown
from benchmarks.targets import number


def render(profile: object) -> list[str]:
    """A table of every figure in the profile, under the names that the report gives them."""
    rows = [[name, number(figure)] for name, figure in _figures(profile)]
    if not rows:
        return []
    return ["Where the time of one more campaign went:", "", markdown.table(("stage", ""), rows)]


def _figures(found: object, name: str = "") -> Iterator[tuple[str, float]]:
    """Numbers with the way to them; of a list of windows each by its place."""
    if isinstance(found, Mapping):
        for key, value in found.items():
            yield from _figures(value, f"{name} {key}".strip())
    elif isinstance(found, list):
        for place, value in enumerate(found):
            yield from _figures(value, f"{name} {place + 1}".strip())
    elif isinstance(found, int | float) and not isinstance(found, bool):
        yield name, float(found)
