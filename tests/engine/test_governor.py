"""A governor over scripted servers and a ledger in memory: what it sets, shows and orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from windlass.domain.errors import UnreachableError
from windlass.domain.health import Course, Reading, Threshold
from windlass.domain.plan import Expected
from windlass.domain.record import Scope
from windlass.domain.states import Health, Mode
from windlass.engine.payloads import News
from windlass.engine.worker.governor import Governor, Servers
from windlass.engine.worker.warden import Planned
from windlass.ports.health import AtWork, Sight

NOW = datetime(2026, 2, 22, tzinfo=UTC)
DAY = 86_400.0
SIGHT = Sight(
    "c", "acme_voice", "g", "w", 1, 100_000, 10_000, NOW, NOW, 1_000.0, Health.HEALTHY, DAY
)
BUSY = AtWork(("c",), (("c", "acme_voice"),), (SIGHT,))


@dataclass
class Clock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass
class Server:
    """Both servers at once."""

    parts: float = 10
    away: bool = False
    asked: list[Sequence[tuple[str, str]]] = field(default_factory=list)

    def health(self, tables: Sequence[tuple[str, str]] = ()) -> list[Reading]:
        if tables:
            self.asked.append(tables)
            if self.away:
                raise UnreachableError("it does not answer")
            return [Reading("clickhouse_parts", self.parts, "acme_voice.card partition 202601")]
        return [Reading("postgres_latency", 0.01)]


@dataclass
class Ledger:
    work: AtWork = BUSY
    mine: bool = True
    course: Course | None = None
    failing: str = ""
    held: dict[str, int] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    actions: list[tuple[str, ...]] = field(default_factory=list)
    health: list[tuple[Health, str]] = field(default_factory=list)

    def govern(self, cluster: str, holder: str, seconds: float) -> tuple[bool, Course | None]:
        return self.mine, self.course

    def set_course(self, cluster: str, course: Course) -> None:
        self.course = course

    def at_work(self, cluster: str) -> AtWork:
        return self.work

    def paces(self, campaign: str, cluster: str, database: str) -> Mapping[str, int]:
        return self.held

    def stop_failing(self, campaign: str) -> str:
        return self.failing

    def show_limit(self, campaign: str, cluster: str, reason: str) -> None:
        self.shown.append(reason)

    def event(
        self, campaign: str, cluster: str, database: str, subject: str, kind: str, text: str
    ) -> None:
        self.events.append((kind, text))

    def action(
        self, scope: Scope, verb: str, who: str, why: str, before: str = "", after: str = ""
    ) -> None:
        assert (scope, who) == (Scope("c", "prod", "acme_voice", "w"), "windlass")
        self.actions.append((verb, why, before, after))

    def set_health(
        self, campaign: str, cluster: str, database: str, health: Health, note: str = ""
    ) -> None:
        self.health.append((health, note))


@dataclass
class Stage:
    """A governor with everything around it; `look` is two seconds."""

    ledger: Ledger = field(default_factory=Ledger)
    server: Server = field(default_factory=Server)
    clock: Clock = field(default_factory=Clock)
    told: list[News] = field(default_factory=list)
    expected: Expected | None = field(default_factory=lambda: Expected(100, 80, 125))
    mode: Mode = Mode.REPLACE
    unreachable: bool = False

    def __post_init__(self) -> None:
        limits = {"clickhouse_parts": Threshold(200, 300)}
        self.governor = Governor(
            "prod",
            8,
            Servers(self.server, self.server, limits),
            self.ledger,
            self.clock,
            lambda _: ["card", "mark"],
            lambda _: Planned(self.expected, self.mode),
            self._tell,
        )

    def _tell(self, campaign: str, news: News) -> None:
        if self.unreachable:
            raise UnreachableError("Temporal does not answer")
        self.told.append(news)

    def look(self, times: int = 1, *, rate: float | None = None) -> None:
        """The window goes on at that rate (None: at once again, its last beat just now)."""
        for _ in range(times):
            self.clock.at += timedelta(seconds=2)
            seen = tuple(
                replace(
                    one,
                    seen_at=self.clock.at,
                    rows=one.rows + 100,
                    recent=one.recent if rate is None else rate,
                    health=self.ledger.health[-1][0] if self.ledger.health else one.health,
                )
                for one in self.ledger.work.windows
            )
            self.ledger.work = replace(self.ledger.work, windows=seen)
            self.governor.look()

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.ledger.events]


def test_throttling_is_set_shown_told_and_written_down_once() -> None:
    stage = Stage()
    stage.look()
    assert stage.server.asked == [[("acme_voice", "card"), ("acme_voice", "mark")]]
    assert stage.ledger.shown == [""]
    assert stage.told == []
    stage.server.parts = 212
    stage.look(4)
    assert stage.ledger.course is not None
    assert stage.ledger.course.windows == 4
    assert stage.ledger.shown[-1] == "clickhouse parts 212 >= 200; 4 of 8 windows"
    assert stage.told == [News()]
    stage.server.parts = 20
    stage.look(8)
    assert stage.ledger.shown[-1] == ""
    assert stage.ledger.course == Course(8)
    assert stage.ledger.events == [
        (
            "throttled",
            "clickhouse parts 212 >= 200 (acme_voice.card partition 202601): 8 -> 4 windows, "
            "1,000 rows/s",
        ),
        ("throttle ended", "clickhouse parts 20 again: all 8 windows; least were 4"),
    ]


def test_a_server_that_does_not_answer_changes_nothing_and_is_said_once() -> None:
    stage = Stage(server=Server(parts=212))
    stage.look(2)
    before = stage.ledger.course
    stage.server.away = True
    stage.look(20)
    assert stage.ledger.course == before
    assert stage.ledger.shown[-1] == (
        "clickhouse parts 212 >= 200; 4 of 8 windows; "
        "the health of clickhouse cannot be read: nothing gets faster"
    )
    stage.server.away = False
    stage.look()
    assert stage.kinds == ["throttled", "health", "health"]


def test_of_several_workers_one_asks() -> None:
    stage = Stage(ledger=Ledger(mine=False))
    stage.look(3)
    assert stage.server.asked == []
    assert stage.ledger.shown == []


def test_word_that_could_not_be_brought_is_brought_later() -> None:
    stage = Stage(server=Server(parts=212), unreachable=True)
    stage.look()
    with pytest.raises(UnreachableError):
        stage.look()
    stage.unreachable = False
    stage.look()
    assert stage.told == [News()]


def test_a_window_that_struggles_is_noticed_spared_and_cut_again() -> None:
    stage = Stage()
    stage.look(15)
    assert stage.ledger.health == []
    stage.look(29, rate=50)
    assert stage.kinds == [], "a moment is no struggle"
    stage.look(5, rate=50)
    assert stage.kinds == ["struggling"]
    health, note = stage.ledger.health[-1]
    assert health is Health.STRUGGLING
    assert "50 rows/s, where history predicts 800 at least" in note
    assert stage.ledger.course is not None
    assert stage.ledger.course == Course(8, spared=("acme_voice",))
    assert stage.told == [News()]
    stage.look(65, rate=50)
    cuts = [cut for news in stage.told for cut in news.cuts]
    assert len(cuts) == 1, "what was cut is not cut twice at once"
    assert (cuts[0].group, cuts[0].window, cuts[0].who) == ("g", "w", "windlass")
    assert cuts[0].into_seconds == DAY / 4
    assert "50 rows/s" in cuts[0].why
    stage.look(25, rate=50)
    assert len([cut for news in stage.told for cut in news.cuts]) == 1, "it takes its time"
    assert stage.kinds == ["struggling"]
    stage.look(65, rate=50)
    assert len([cut for news in stage.told for cut in news.cuts]) == 2, "word of it was lost"


def test_smaller_blocks_come_before_smaller_windows_each_with_its_evidence() -> None:
    stage = Stage()
    stage.look(15)
    stage.look(34, rate=50)
    assert [verb for verb, *_ in stage.ledger.actions] == ["back off"]
    stage.look(25, rate=50)
    assert stage.ledger.course == Course(8, spared=("acme_voice",), blocks=(("acme_voice", 4),))
    stage.look(45, rate=50)
    done = [(verb, before, after) for verb, _, before, after in stage.ledger.actions]
    assert done == [
        ("back off", "as many windows at once as its limits allow", "one window at a time"),
        ("smaller blocks", "blocks of 2.0 MiB", "blocks of 512.0 KiB"),
        ("smaller blocks", "blocks of 512.0 KiB", "blocks of 128.0 KiB"),
        ("cut", "a window of 24 h 00 min", "windows of 6 h 00 min"),
    ]
    assert all(
        "50 rows/s, where history predicts 800" in why for _, why, *_ in stage.ledger.actions
    )


def test_what_recovers_in_smaller_blocks_keeps_them_until_it_is_loaded() -> None:
    stage = Stage()
    stage.look(15)
    stage.look(60, rate=50)
    stage.look(60, rate=1_000)
    assert stage.kinds == ["struggling", "recovered"]
    assert stage.ledger.course == Course(8, blocks=(("acme_voice", 4),))
    stage.ledger.work = replace(BUSY, windows=())
    stage.look()
    assert stage.ledger.course == Course(8)


def test_what_falls_silent_has_smaller_blocks_for_its_next_try() -> None:
    stage = Stage()
    stage.look(15)
    for _ in range(25):
        stage.clock.at += timedelta(seconds=2)
        stage.governor.look()
    assert [verb for verb, *_ in stage.ledger.actions] == ["back off", "smaller blocks"]
    assert stage.ledger.course is not None
    assert stage.ledger.course.blocks == (("acme_voice", 4),)


def test_a_window_that_recovers_is_left_alone() -> None:
    stage = Stage()
    stage.look(15)
    stage.look(40, rate=50)
    stage.look(60, rate=1_000)
    assert stage.kinds == ["struggling", "recovered"]
    assert stage.ledger.health[-1] == (Health.HEALTHY, "")
    assert stage.ledger.course == Course(8)
    assert not any(news.cuts for news in stage.told)


def test_what_we_slow_down_ourselves_does_not_struggle() -> None:
    stage = Stage(ledger=Ledger(held={"c": 50}))
    stage.look(200, rate=50)
    assert stage.kinds == []


def test_what_appends_is_not_cut() -> None:
    stage = Stage(mode=Mode.APPEND)
    stage.look(15)
    stage.look(200, rate=50)
    assert stage.kinds == ["struggling"]
    assert not any(news.cuts for news in stage.told)


def test_long_but_steady_is_left_alone() -> None:
    stage = Stage(expected=Expected(72_000, 50_000, 90_000))
    stage.look(1_000, rate=2)
    assert stage.kinds == []


def test_a_campaign_that_fails_is_told_to_hear_its_pause() -> None:
    stage = Stage(ledger=Ledger(failing="20 of 30 failed"))
    stage.look(5)
    assert stage.told == [News()]


def test_a_campaign_is_told_once_that_its_canaries_are_verified() -> None:
    stage = Stage()
    stage.look(2)
    assert stage.told == []
    stage.ledger.work = replace(stage.ledger.work, opened=("c",))
    stage.look(3)
    assert stage.told == [News()]
    stage.ledger.mine = False
    stage.look()
    stage.ledger.mine = True
    stage.look(2)
    assert stage.told == [News(), News()], "whoever takes over cannot know whether it was told"


def test_a_word_about_canaries_that_could_not_be_brought_is_brought_later() -> None:
    stage = Stage(unreachable=True)
    stage.ledger.work = replace(stage.ledger.work, opened=("c",))
    with pytest.raises(UnreachableError):
        stage.look()
    stage.unreachable = False
    stage.look(2)
    assert stage.told == [News()]
