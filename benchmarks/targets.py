"""What the suite holds its figures against. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A figure must be `limit` at least, or at most; `want` is what would be better still."""

    text: str
    limit: float
    at_least: bool = False
    unit: str = ""
    want: float | None = None

    def judge(self, figure: float | None) -> "Check":
        """Hold a figure against it; None: it was not measured."""
        if figure is None:
            return Check(self, None, None)
        return Check(self, figure, figure >= self.limit if self.at_least else figure <= self.limit)


@dataclass(frozen=True)
class Check:
    """A target, what was measured, and whether that meets it (None: not measured)."""

    target: Target
    figure: float | None
    met: bool | None

    @property
    def wanted(self) -> bool:
        """Whether it is even as good as wanted."""
        want, figure = self.target.want, self.figure
        if want is None or figure is None:
            return False
        return figure >= want if self.target.at_least else figure <= want

    def row(self) -> list[str]:
        """Target, limit, figure, verdict."""
        sign = "≥" if self.target.at_least else "≤"
        unit = f" {self.target.unit}" if self.target.unit else ""
        want = f" (want {self.target.want:g})" if self.target.want is not None else ""
        figure = "" if self.figure is None else f"{number(self.figure)}{unit}"
        return [self.target.text, f"{sign} {self.target.limit:g}{unit}{want}", figure, self._word()]

    def _word(self) -> str:
        if self.met is None:
            return "not measured"
        if not self.met:
            return "**missed**"
        return "met, and what was wanted" if self.wanted else "met"


HEAD = ("target", "limit", "measured", "")


def missed(checks: Sequence[Check]) -> list[Check]:
    """Those that were measured and not met."""
    return [check for check in checks if check.met is False]


def number(figure: float) -> str:
    """Three digits that count."""
    if abs(figure) >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.1f}" if abs(figure) >= 10 else f"{figure:.2f}"
