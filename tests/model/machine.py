"""Any interleaving of a publish group's life, with what must hold after each step of it."""

from collections import Counter
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from tests.model.shape import CUTTINGS, LAST, Row, Shape, Span
from tests.model.watchman import Watchman
from tests.model.worlds import Maker, Run, Seed, World

KEYS = st.integers(0, 5)
INSTANTS = st.integers(0, LAST - 1)
TEXTS = st.integers(0, 3)
STEPS = st.sampled_from([1, 1, 2, 3, 5, 8, 50])
TRIES = 4
PATIENCE = 40
"""How often one that was let go is looked at again; a loaded machine is slow."""


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """Any table, range and windows."""
    start = draw(st.integers(0, LAST - 2))
    end = draw(st.integers(start + 1, LAST))
    return Shape(
        draw(st.sampled_from(sorted(CUTTINGS))),
        draw(st.booleans()),
        Span(start, end),
        tuple(draw(st.lists(st.integers(start, end), max_size=2))),
        draw(st.sampled_from(["replace"] * 4 + ["append", "delete"])),
        draw(st.booleans()),
    )


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """A row from before."""
    return Row(draw(KEYS), draw(INSTANTS), draw(TEXTS), draw(st.integers(1, 90)))


@st.composite
def seeds(draw: st.DrawFn) -> Seed:
    """Any source and any target; a plain table holds a key more than once, too."""
    source = draw(st.lists(rows(), max_size=6, unique_by=lambda row: row.key))
    copied = [row.kept for row in source if draw(st.booleans())]
    other = draw(st.lists(rows(), max_size=6))
    return Seed(draw(shapes()), tuple(source), (*copied, *other))


class Life(RuleBasedStateMachine):
    """Rules are what can happen; `watchman` is what must not."""

    maker: ClassVar[Maker]
    world: World
    watch: Watchman

    def __init__(self) -> None:
        super().__init__()
        self.run: Run | None = None
        self.zombies: list[Run] = []
        self.loads: dict[Span, object] = {}
        self.phase = "new"
        self.tries = 0
        self.last = ""

    @initialize(seed=seeds())
    def begin(self, seed: Seed) -> None:
        """A world."""
        self.world = type(self).maker(seed)
        self.watch = Watchman(self.world)
        self.phase = "fresh"

    # what others do

    @rule(key=KEYS, at=INSTANTS, text=TEXTS, out=st.booleans(), later=st.booleans())
    def put(self, key: int, at: int, text: int, out: bool, later: bool) -> None:
        """The application inserts, updates, moves or excludes a row."""
        if key not in self.world.origin.locked:
            self.world.write(key, Row(key, at, text, 0, out), later=later)

    @rule(key=KEYS, later=st.booleans())
    def delete(self, key: int, later: bool) -> None:
        """The application deletes a row."""
        if key in self.world.origin.rows and key not in self.world.origin.locked:
            self.world.write(key, None, later=later)

    @precondition(lambda self: self.phase != "new" and self.world.origin.open)
    @rule()
    def commit(self) -> None:
        """A transaction that was open for a while ends."""
        self.world.commit()

    @precondition(lambda self: self.phase != "new" and self.world.shape.replacing)
    @rule(key=KEYS)
    def ingest(self, key: int) -> None:
        """Live ingestion brings the source's present row."""
        row = self.world.origin.rows.get(key)
        if row is not None and not row.out:
            self.world.ingest(row.kept)
            self.watch.ingested(row.kept)

    # what the engine does

    @property
    def idle(self) -> bool:
        """Whether an activity can begin."""
        return self.run is None and self.phase in {"fresh", "load", "publish", "settle"}

    @precondition(lambda self: self.idle)
    @rule()
    def start(self) -> None:
        """The next activity begins, or is tried again."""
        if self.phase == "fresh":
            self.tries += 1
            self.loads = {}
            self.world.snapshot()
            self.watch.snapshot()
            self.phase = "load"
        self.run = self._next()

    def _next(self) -> Run:
        if self.phase == "load":
            window = next(w for w in self.world.shape.windows if w not in self.loads)
            return self.world.load(window)
        loads = [self.loads[window] for window in self.world.shape.windows]
        if self.phase == "publish":
            self.watch.publishing()
            return self.world.publish(loads)
        self.watch.settling()
        return self.world.settle(loads, final=self.tries >= TRIES)

    @precondition(lambda self: self.run is not None)
    @rule(steps=STEPS)
    def advance(self, steps: int) -> None:
        """Some statements of the activity happen."""
        assert self.run is not None
        self.run.advance(steps)
        self._ended()

    def _ended(self) -> None:
        run = self.run
        if run is None or not run.ended:
            return
        self.run = None
        if run.error == "park":
            self._end("parked")
        elif not run.error:
            self._go_on(run.result)

    def _go_on(self, result: object) -> None:
        shape = self.world.shape
        if self.phase == "load":
            self.loads[next(w for w in shape.windows if w not in self.loads)] = result
            self.phase = "load" if len(self.loads) < len(shape.windows) else "publish"
        elif self.phase == "publish":
            self.watch.published()
            self.world.release()
            self.phase = "settle"
        elif result == "again":
            self.phase = "fresh"
        else:
            self.phase, self.last = "ended", str(result)
            self.watch.settled(self.last)

    # what goes wrong

    @precondition(lambda self: self.run is not None)
    @rule(after=st.booleans())
    def kill(self, after: bool) -> None:
        """The worker dies, or the reply is lost; Temporal tries the activity again."""
        assert self.run is not None
        self.run.kill(after=after)
        self.run = None

    @precondition(lambda self: self.run is not None)
    @rule()
    def fall_asleep(self) -> None:
        """The worker stops; Temporal gives the activity to another one."""
        assert self.run is not None
        self.zombies.append(self.run)
        self.run = None

    @precondition(lambda self: self.zombies)
    @rule(steps=STEPS, data=st.data())
    def wake(self, steps: int, data: st.DataObject) -> None:
        """A worker that was given up goes on where it stood."""
        zombie = data.draw(st.sampled_from(self.zombies))
        given_up = self.phase == "ended" or self._overtaken()
        before = Counter(self.world.shape.seen(self.world.live()))
        zombie.advance(steps)
        if zombie.ended:
            self.zombies.remove(zombie)
        if given_up:
            assert Counter(self.world.shape.seen(self.world.live())) == before, zombie.subject

    def _overtaken(self) -> bool:
        """Whether another attempt is at what the zombie was at. Two that append move the same
        staging, each row of it once: there the zombie only hurries on."""
        moves = self.world.shape.mode == "append" and self.phase == "publish"
        return self.run is not None and not moves

    @precondition(lambda self: self.run is not None and self.phase == "publish")
    @rule()
    def crash(self) -> None:
        """ClickHouse dies in the middle of a REPLACE."""
        assert self.run is not None
        if self.world.crash(self.run):
            self.watch.crashed()
            self.run = None

    @precondition(lambda self: self.idle and self.phase != "fresh")
    @rule()
    def start_over(self) -> None:
        """The activity's tries are used up: the whole group is tried again. Not where it is on
        record as done: the next try of the settling finds that."""
        if set(self.world.states()) == {"done"}:
            return
        if self.may_load_again() and self.tries < TRIES:
            self.world.release()
            self.phase = "fresh"

    def may_load_again(self) -> bool:
        """A group that has begun to append goes on where it was."""
        append = self.world.shape.mode == "append" and self.world.resumes
        return self.phase == "load" or not append

    @precondition(lambda self: self.idle)
    @rule(cancel=st.booleans())
    def give_up(self, cancel: bool) -> None:
        """Parked, or cancelled by the operator."""
        if (self.phase == "fresh" and not cancel) or set(self.world.states()) == {"done"}:
            return
        if cancel:
            self.world.cancel()
            self.phase, self.last = "ended", "cancelled"
        else:
            self._end("parked")
        self.world.release()

    def _end(self, how: str) -> None:
        self.world.park()
        self.phase, self.last = "ended", how

    # what must hold

    @invariant()
    def nothing_wrong(self) -> None:
        """Outside the range nothing changes; readers see old or new; states move by the table."""
        if self.phase != "new":
            self.watch.look()

    @invariant()
    def nothing_left(self) -> None:
        """Nothing stays in staging, but what a zombie has yet to find out."""
        if self.phase == "ended" and not self.zombies:
            assert self.world.staging() == set()

    def teardown(self) -> None:
        """Come to rest, then compare exactly."""
        if self.phase != "new":
            try:
                self._rest()
            finally:
                self.world.close()

    def _see_off(self, zombie: Run) -> None:
        for _ in range(PATIENCE):
            zombie.advance(500)
            if zombie.ended:
                return
        raise AssertionError(f"{zombie.subject} never ends")

    def _rest(self) -> None:
        while self.world.origin.open:
            self.world.commit()
        while self.phase != "ended":
            if self.run is None:
                self.start()
            self.advance(50)
            self.nothing_wrong()
        for zombie in self.zombies:
            self._see_off(zombie)
        self.zombies = []
        self.nothing_wrong()
        self.nothing_left()
        self.watch.at_rest(self.last)
