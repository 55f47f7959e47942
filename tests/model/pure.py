"""The world as a model: the contracts of ports/*, in whole numbers."""

from collections.abc import Callable, Sequence

from tests.model.deeds import Attempt, Books, Deed, OvertakenError, load, publish
from tests.model.design import Design
from tests.model.origin import Image, Origin
from tests.model.server import GoneError, TableServer
from tests.model.settling import Order, settle
from tests.model.shape import Row, Span
from tests.model.worlds import Run, Seed, World
from windlass.domain.states import State, allowed


class PureRun(Run):
    """A deed that is stepped by hand. It stops before each statement."""

    def __init__(self, act: Attempt, deed: Deed) -> None:
        self.act, self.subject = act, act.subject
        self._deed = deed
        self.next = ""
        self._step()

    def advance(self, steps: int) -> None:
        """See Run."""
        for _ in range(steps):
            if not self.ended:
                self._step()

    def kill(self, *, after: bool) -> None:
        """See Run."""
        if after and not self.ended:
            self._step()
        self._end("retry")

    def _step(self) -> None:
        try:
            self.next = next(self._deed)
        except StopIteration as stop:
            self.ended, self.result = True, stop.value
        except (GoneError, OvertakenError):
            self._end("overtaken")

    def _end(self, error: str) -> None:
        self.ended, self.error, self.result = True, error, None
        self._deed.close()


class PureWorld(World):
    """One publish group in memory."""

    def __init__(self, seed: Seed, design: Design) -> None:
        self.shape, self.design, self.resumes = seed.shape, design, design.resumes
        self.origin = Origin({row.key: row for row in seed.source})
        self.origin.history.append(self.origin.image())
        self.server = TableServer(seed.shape, list(seed.live))
        self.books = Books()
        self._states = [State.QUEUED for _ in seed.shape.windows]
        self._image: Image = {}
        self._horizon = 0
        self._verdict = ""
        self._given_up = False
        self._before = 0
        self._begun: dict[str, int] = {}

    def write(self, key: int, row: Row | None, *, later: bool) -> None:
        """See World."""
        version = self.origin.tick()
        made = row and Row(row.key, row.at, row.text, version, row.out)
        (self.origin.begin if later else self.origin.write)(key, made)

    def commit(self) -> None:
        """See World."""
        self.origin.commit()

    def ingest(self, row: Row) -> None:
        """See World."""
        self.server.live.append(row)

    def live(self) -> list[Row]:
        """See World."""
        return list(self.server.live)

    def staging(self) -> set[str]:
        """See World."""
        return set(self.server.staging)

    def states(self) -> list[str]:
        """See World."""
        return [str(state) for state in self._states]

    def snapshot(self) -> None:
        """See World."""
        self._image, self._horizon = self.origin.image(), self.origin.horizon

    def release(self) -> None:
        """See World."""

    def load(self, window: Span) -> Run:
        """See World."""
        place = self.shape.windows.index(window)
        act = self._attempt(f"window-{window.start}")
        self._move(place, State.RUNNING)
        rows = {} if self.shape.mode == "delete" else self._image
        return PureRun(act, load(act, window, rows))

    def publish(self, loads: Sequence[object]) -> Run:
        """See World."""
        if not self.books.begun:
            self._before = len(self.shape.inside(self.server.seen))
        act = self._attempt("group")
        return PureRun(act, publish(act, [str(one) for one in loads]))

    def settle(self, loads: Sequence[object], *, final: bool) -> Run:
        """See World."""
        staged = self.origin.kept(self.shape.range, self._image)
        names = [str(one) for one in loads]
        order = Order(names, self._horizon, staged, final, self._before)
        act = self._attempt("settle")
        return PureRun(act, self._recorded(settle(act, order)))

    def _recorded(self, deed: Deed) -> Deed:
        """A try whose reply was lost finds the record, and is not made again."""
        if self._verdict:
            return self._verdict
        verdict = yield from deed
        if verdict != "again":
            self._verdict = str(verdict)
            if not self._given_up:
                self._move_all(State.DONE)
        return verdict

    def park(self) -> None:
        """See World."""
        self._end(State.PARKED)

    def cancel(self) -> None:
        """See World."""
        self._move_all(State.CANCELLING)
        self._end(State.CANCELLED)

    def crash(self, run: Run) -> bool:
        """See World."""
        assert isinstance(run, PureRun)
        if not run.next.startswith("replace"):
            return False
        self.server.replace_half(run.act.own("whole"), int(run.next.split()[1]))
        run.kill(after=False)
        return True

    def close(self) -> None:
        """See World."""

    def _attempt(self, subject: str) -> Attempt:
        """What `Desk.begin` does: count, then drop what the attempt before left."""
        number = self.books.numbers.get(subject, 0) + 1
        self.books.numbers[subject] = number
        if self.design.sweeps:
            self.server.sweep(f"{subject}#{number - 1}/")
        return Attempt(
            self.shape, self.design, self.origin, self.server, self.books, subject, number
        )

    def _end(self, state: State) -> None:
        """Retire every attempt, drop everything, say so."""
        for subject in self.books.numbers:
            self.books.numbers[subject] += self.design.asks
        self.server.sweep("")
        self._given_up = True
        self._move_all(state)

    def _move_all(self, state: State) -> None:
        for place in range(len(self._states)):
            self._move(place, state)

    def _move(self, place: int, state: State) -> None:
        assert allowed(self._states[place], state), (self._states[place], state)
        self._states[place] = state


def pure(design: Design) -> Callable[[Seed], World]:
    """Makes worlds of that design."""

    def make(seed: Seed) -> World:
        return PureWorld(seed, design)

    return make
