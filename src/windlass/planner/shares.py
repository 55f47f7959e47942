"""One budget, shared out."""

from collections.abc import Iterable, Mapping


def shares(caps: Mapping[str, int], total: int) -> dict[str, int]:
    """How many of `total` each gets: one after the other, in order, none above its cap."""
    given = dict.fromkeys(caps, 0)
    while total > 0 and (open_ := [one for one in caps if given[one] < caps[one]]):
        for one in _first(open_, total):
            given[one] += 1
            total -= 1
    return given


def _first(names: Iterable[str], count: int) -> list[str]:
    return [name for name, _ in zip(names, range(count), strict=False)]
