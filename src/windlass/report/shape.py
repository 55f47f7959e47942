"""What a report consists of, apart from how it is made and how it is written."""

from dataclasses import dataclass

from windlass.domain.record import CampaignFacts, TenantView, WindowView
from windlass.report.coverage import ClusterLog, Coverage
from windlass.report.figures import Figures
from windlass.report.remaining import Todo


@dataclass(frozen=True)
class Report:
    """Everything that a work log says, in the order in which it says it.

    `headline` is one sentence; `progress`, `steps` and `checks` are lines (a check is done or
    not); `parameters` and `timings` are (name, value); `windows` are those that count, in order.
    """

    facts: CampaignFacts
    title: str
    green: bool
    headline: str
    progress: tuple[str, ...]
    coverage: Coverage
    clusters: tuple[ClusterLog, ...]
    parameters: tuple[tuple[str, str], ...]
    steps: tuple[str, ...]
    tables: tuple[Figures, ...]
    windows: tuple[tuple[TenantView, WindowView], ...]
    timings: tuple[tuple[str, str], ...]
    checks: tuple[tuple[bool, str], ...]
    remaining: tuple[Todo, ...]
    windows_run: int
    wall_seconds: float | None
