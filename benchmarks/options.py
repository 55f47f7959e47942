"""What a run of the suite is asked to do."""

from dataclasses import dataclass

FULL_ROWS = 1_760_000
"""Rows of the comparison, as in the figures that the targets come from."""

PARTS = ("ratios", "publish", "memory", "empty", "growth", "cli", "fleet", "demo")
DEFAULT_PARTS = PARTS[:-2]


@dataclass(frozen=True)
class Options:
    """`rows` of the comparison, `rounds` of it, `parts` by name; `big` takes the large sizes."""

    rows: int = FULL_ROWS
    rounds: int = 5
    parts: tuple[str, ...] = DEFAULT_PARTS
    big: bool = False

    def __post_init__(self) -> None:
        """ValueError where the words make no sense."""
        if self.rows < 1_000 or self.rounds < 1:
            raise ValueError("at least 1,000 rows and one round")
        if unknown := [part for part in self.parts if part not in PARTS]:
            raise ValueError(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")

    @property
    def of_record(self) -> bool:
        """Whether the sizes are those that the targets speak of."""
        return self.rows >= FULL_ROWS

    def scaled(self, rows: int) -> int:
        """Another part's rows, smaller in the same measure as the comparison is."""
        return rows if self.of_record else max(1_000, rows * self.rows // FULL_ROWS)

    def repeats(self, most: int) -> int:
        """Rounds of a part that needs fewer than the comparison."""
        return min(most, self.rounds)


def parse_parts(text: str, *, big: bool) -> tuple[str, ...]:
    """Parts by name, between spaces or commas, in the suite's order. Nothing named: all, but
    without `big` neither fleet nor demo. Unknown names are kept, for `Options` to refuse."""
    named = dict.fromkeys(text.replace(",", " ").split())
    if not named:
        return PARTS if big else DEFAULT_PARTS
    if "all" in named:
        return PARTS
    return (*(part for part in PARTS if part in named), *(n for n in named if n not in PARTS))
