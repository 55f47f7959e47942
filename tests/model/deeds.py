"""The engine's activities, as sequences of statements. A deed is a generator: wherever it yields
it may be killed, left asleep, or its server restarted; what follows a yield happens at once."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from tests.model.design import Design
from tests.model.origin import Image, Origin
from tests.model.server import TableServer
from tests.model.shape import Row, Shape, Span

Deed = Generator[str, None, object]
"""Yields the name of the statement that comes next; returns the activity's result."""
PASSES = 3


class OvertakenError(Exception):
    """A later attempt has begun, or the group has ended: this one must stop."""


@dataclass
class Books:
    """The ledger: attempt numbers by subject, and marks."""

    numbers: dict[str, int] = field(default_factory=dict)
    begun: bool = False
    replaced: set[int] = field(default_factory=set)


@dataclass
class Attempt:
    """One attempt at a subject, with the world that it works in."""

    shape: Shape
    design: Design
    origin: Origin
    server: TableServer
    books: Books
    subject: str
    number: int

    def own(self, purpose: str) -> str:
        """A staging table's name that no other attempt has."""
        return f"{self.subject}#{self.number}/{purpose}"

    @property
    def latest(self) -> bool:
        """Whether no later attempt has begun, and the subject is not retired."""
        return self.books.numbers[self.subject] == self.number

    def ask(self) -> None:
        """Stop, and leave nothing, when overtaken."""
        if self.design.asks and not self.latest:
            self.server.sweep(self.own(""))
            raise OvertakenError(self.subject)

    def make(self, purpose: str) -> Generator[str, None, str]:
        """A table of the attempt's own; the ledger is asked after it is there, so that a later
        attempt either finds the table and drops it, or is found."""
        name = self.own(purpose)
        yield "create"
        self.server.create(name)
        yield "ask"
        self.ask()
        return name


def load(act: Attempt, window: Span, image: Image) -> Deed:
    """Stage one window; returns the staging table's name."""
    name = yield from act.make("rows")
    rows = act.origin.kept(window, image)
    for part in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
        yield "insert"
        act.server.insert(name, part)
        act.ask()
    return name


def publish(act: Attempt, loads: Sequence[str]) -> Deed:
    """Make the windows' staging visible."""
    yield "mark"
    act.books.begun = True
    if act.shape.mode == "append":
        yield from _append(act, loads)
        return None
    whole = yield from act.make("whole")
    for name in loads:
        yield "attach"
        act.server.insert(whole, act.server.need(name))
        act.ask()
    yield from _swap(act, whole)
    if act.shape.mode == "delete":
        yield from _clear(act, whole)
    elif act.shape.replacing:
        yield from _in_place(act, whole)
    else:
        yield from _delete_and_insert(act, whole)
    return None


def _append(act: Attempt, loads: Sequence[str]) -> Deed:
    for name in loads:
        for partition in sorted({act.shape.partition(row) for row in act.server.need(name)}):
            yield "move"
            act.server.move(name, partition)
            act.ask()
    return None


def _edge(act: Attempt, row: Row) -> bool:
    return act.shape.range.holds(row.at) and not act.shape.in_whole(row)


def _swap(act: Attempt, whole: str) -> Deed:
    rows = [row for row in act.server.need(whole) if act.shape.in_whole(row)]
    staged = {act.shape.partition(row) for row in rows}
    swapped = [row for row in act.server.live if act.shape.in_whole(row)]
    best = {row.key: row.version for row in rows}
    going = [row for row in act.server.seen if row in swapped]
    outranked = [row for row in going if best.get(row.key, -1) < row.version]
    yield from _bury(act, whole, outranked)
    for partition in sorted(staged):
        if not act.design.repeats and partition in act.books.replaced:
            continue
        act.books.replaced.add(partition)
        yield f"replace {partition}"
        act.server.replace(whole, partition)
    for partition in sorted({act.shape.partition(row) for row in swapped} - staged):
        yield "drop"
        act.server.drop(whole, partition)
    return None


def _bury(act: Attempt, whole: str, going: Sequence[Row]) -> Deed:
    """Take away what the rows that go hide elsewhere."""
    keys = {row.key for row in going}
    gone = set(going)
    hidden = [
        row
        for row in act.server.live
        if row.key in keys and row not in gone and not act.shape.range.holds(row.at)
    ]
    if act.design.buries and act.shape.replacing and hidden:
        yield "bury"
        act.server.remove(whole, hidden)
    return None


def _clear(act: Attempt, whole: str) -> Deed:
    yield from _bury(act, whole, [row for row in act.server.seen if _edge(act, row)])
    yield "clear"
    act.server.remove_where(whole, lambda row: _edge(act, row))
    return None


def _in_place(act: Attempt, whole: str) -> Deed:
    yield "insert"
    act.server.insert_live(whole, _missing(act, whole))
    yield "note"
    stale = _stale(act, whole)
    yield from _take_out(act, whole, stale)
    return None


def _missing(act: Attempt, whole: str) -> list[Row]:
    return [r for r in act.server.need(whole) if _edge(act, r) and r not in act.server.live]


def _stale(act: Attempt, whole: str) -> list[Row]:
    best = {row.key: row for row in act.server.need(whole)}
    return [
        row
        for row in act.server.live
        if _edge(act, row)
        and (row.key not in best or (best[row.key].version <= row.version and row != best[row.key]))
    ]


def _take_out(act: Attempt, note: str, stale: Sequence[Row]) -> Deed:
    visible = [row for row in act.server.seen if row in set(stale)]
    yield from _bury(act, note, visible)
    hidden = [row for row in stale if row not in visible]
    for some in (hidden, visible):
        if some:
            yield "remove"
            act.server.remove(note, some)
    return None


def _delete_and_insert(act: Attempt, whole: str) -> Deed:
    yield from _clear(act, whole)
    rows = [row for row in act.server.need(whole) if _edge(act, row)]
    for partition in sorted({act.shape.partition(row) for row in rows}):
        yield "insert"
        some = [row for row in rows if act.shape.partition(row) == partition]
        act.server.insert_live(whole, some)
    return None
