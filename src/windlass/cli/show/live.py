"""Following a campaign: a picture that moves on a terminal, plain lines anywhere else."""

from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from windlass.cli.show.common import console, duration
from windlass.cli.show.status_table import HEALTH, headline, rate_of, state_text
from windlass.domain.record import StatusView, TenantView
from windlass.domain.states import State

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

BAR = 24
ROOM = 6
"""Lines that the head and the foot of the picture take."""

ORDER = (State.RUNNING, State.PARTIAL, State.CANCELLING, State.PAUSING, State.PARKED)
"""What is worth a line first, when not all tenants fit."""


class Screen(Protocol):
    """Where a campaign is followed. `every` is the pause between two looks, in seconds."""

    every: float

    def __enter__(self) -> Self:
        """Start showing."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop showing; what was shown last stays."""
        ...

    def show(self, view: StatusView) -> None:
        """The newest picture."""
        ...

    def say(self, text: str) -> None:
        """A line beside the picture."""
        ...


def screen(now: Callable[[], datetime]) -> Screen:
    """The one that fits stderr."""
    out = console(err=True)
    return Terminal(out, now) if out.is_terminal else Lines(out)


class Lines:
    """One line per change, for logs and pipes."""

    every = 3.0

    def __init__(self, out: "Console") -> None:
        self._out, self._last = out, ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def show(self, view: StatusView) -> None:
        """Print the line, unless nothing changed."""
        said = headline(view).plain
        if said != self._last:
            self._out.print(said, soft_wrap=True, markup=False)
        self._last = said

    def say(self, text: str) -> None:
        """Print it."""
        self._out.print(text, soft_wrap=True, markup=False)


class Terminal:
    """A table with a bar per tenant, redrawn in place."""

    every = 0.5

    def __init__(self, out: "Console", now: Callable[[], datetime]) -> None:
        from rich.live import Live

        self._out, self._now = out, now
        self._live = Live(console=out, auto_refresh=False, transient=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, view: StatusView) -> None:
        """Redraw."""
        rows = max(3, self._out.height - ROOM)
        self._live.update(picture(view, self._now(), rows), refresh=True)

    def say(self, text: str) -> None:
        """Print it above the picture."""
        self._out.print(text, markup=False)


def picture(view: StatusView, now: datetime, rows: int) -> "RenderableType":
    """Head, and as many tenants as fit, those at work first."""
    from rich.console import Group
    from rich.text import Text

    tenants = sorted(view.tenants, key=_place)
    hidden = tenants[rows:]
    made = _table()
    for tenant in tenants[:rows]:
        made.add_row(*_cells(tenant, now))
    parts: list[RenderableType] = [headline(view), made]
    if hidden:
        done = sum(t.state is State.DONE for t in hidden)
        parts.append(Text(f"… {len(hidden)} more tenants, {done} of them done", style="dim"))
    return Group(*parts, Text("Ctrl-C detaches; the campaign goes on", style="dim"))


def _place(tenant: TenantView) -> int:
    return ORDER.index(tenant.state) if tenant.state in ORDER else len(ORDER)


def _table() -> "Table":
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("tenant", "", "windows", "rows", "rows/s", "left", "state", "health", "note"):
        number = title in {"windows", "rows", "rows/s", "left"}
        made.add_column(title, justify="right" if number else "left", no_wrap=True)
    return made


def _cells(tenant: TenantView, now: datetime) -> list["RenderableType"]:
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    rate = 0.0 if tenant.state.final else rate_of(tenant, now)
    left = (tenant.rows_planned - tenant.rows_loaded) / rate if rate else None
    total = max(1, tenant.rows_planned, tenant.windows_total)
    at = tenant.rows_loaded if tenant.rows_planned else tenant.windows_done
    return [
        Text(f"{tenant.cluster}/{tenant.customer}/{tenant.profile}"),
        ProgressBar(total=total, completed=total if tenant.state is State.DONE else at, width=BAR),
        Text(f"{tenant.windows_done}/{tenant.windows_total}"),
        Text(f"{tenant.rows_loaded:,}"),
        Text(f"{rate:,.0f}" if rate else ""),
        Text(duration(max(0.0, left)) if left is not None else ""),
        state_text(tenant.state, tenant.windows_done, tenant.windows_total),
        Text(str(tenant.health), style=HEALTH[tenant.health]),
        Text(tenant.note.partition("\n")[0]),
    ]
