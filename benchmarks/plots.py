"""Plots, as small SVG files that look the same when the figures are the same."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.stats import Spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, OURS, THEIRS = "#444444", "#1f6f8b", "#b8c4cc"


def bars(path: Path, spreads: Mapping[str, Spread], ours: Sequence[str], unit: str) -> None:
    """A bar with its spread for each label, ours in colour, and a line at 1."""
    figure, axes = _figure(0.42 * len(spreads) + 0.9)
    labels = list(spreads)[::-1]
    found = [spreads[label] for label in labels]
    reach = [
        [one.median - one.least for one in found],
        [one.most - one.median for one in found],
    ]
    colours = [OURS if label in ours else THEIRS for label in labels]
    medians = [one.median for one in found]
    axes.barh(labels, medians, xerr=reach, color=colours, ecolor=INK, capsize=2)
    axes.axvline(1, color=INK, linewidth=0.8, linestyle=":")
    axes.set_xlabel(unit)
    _save(figure, path)


def lines(path: Path, series: Mapping[str, Sequence[tuple[float, float]]], x: str, y: str) -> None:
    """A line per series, from zero; a thin straight line from the first point to the last shows
    what linear would be."""
    figure, axes = _figure(3.2)
    for label, points in series.items():
        ordered = sorted(points)
        drawn = axes.plot(*zip(*ordered, strict=True), marker="o", markersize=4, label=label)
        ends = (ordered[0], ordered[-1])
        colour = drawn[0].get_color()
        axes.plot(*zip(*ends, strict=True), linewidth=0.6, linestyle=":", color=colour)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    _save(figure, path)


def _figure(height: float) -> tuple["Figure", "Axes"]:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams.update(
        {"svg.fonttype": "none", "svg.hashsalt": "windlass", "font.size": 9, "axes.edgecolor": INK}
    )
    figure = Figure(figsize=(7.2, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: "Figure", path: Path) -> None:
    """On white, since the ink is dark; without a date."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", facecolor="white", metadata={"Date": None})
