"""The table of faults and outcomes in docs/reliability.md, written by the suite and by nobody
else."""

from collections.abc import Sequence
from pathlib import Path

from tests.faults.run import Result

BEGIN, END = "<!-- table: make test-faults -->", "<!-- end of the table -->"
_HEAD = (
    "| fault | runs | done by itself | parked or cancelled, then done | lost | doubled | "
    "half-visible | left over | other | looks | median s | longest s |"
)


def table(results: Sequence[Result], seeds: str) -> str:
    """A row per kind of fault, and the sum."""
    struck = [one for one in results if one.struck]
    families = sorted({one.family for one in struck})
    rows = [_row(name, [r for r in struck if r.family == name]) for name in families]
    shapes = sorted({one.shape for one in struck})
    crashed = sum(one.after_crash > 0 for one in struck)
    lines = [
        f"{len(struck)} runs ({seeds}), {len({(r.family, r.fault) for r in struck})} faults, "
        f"live tables: {', '.join(shapes)}. {len(results) - len(struck)} more runs ended before "
        f"their fault could strike, and are not counted.",
        "",
        _HEAD,
        "|" + "---|" * (_HEAD.count("|") - 1),
        *rows,
        _row("**all**", struck),
        "",
        f"In {crashed} of the runs that killed ClickHouse, readers met old and new rows together "
        "after its restart, until the publish was repeated.",
    ]
    return "\n".join(lines)


def _row(name: str, runs: Sequence[Result]) -> str:
    later = ("parked, then done", "cancelled, then done")
    seconds = sorted(one.seconds for one in runs)
    figures = [
        len(runs),
        sum(one.outcome == "done" for one in runs),
        sum(one.outcome in later for one in runs),
        sum(one.lost for one in runs),
        sum(one.doubled for one in runs),
        sum(one.half_visible for one in runs),
        sum(bool(one.leftovers) for one in runs),
        sum(one.other for one in runs)
        + sum(bool(one.wrong) or one.outcome not in ("done", *later) for one in runs),
        sum(one.looks for one in runs),
        round(seconds[len(seconds) // 2]),
        round(seconds[-1]),
    ]
    return f"| {name} | {' | '.join(f'{figure:,}' for figure in figures)} |"


def write(path: Path, results: Sequence[Result], seeds: str) -> None:
    """Put it between its marks."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{table(results, seeds)}\n{END}{after}", encoding="utf-8")
