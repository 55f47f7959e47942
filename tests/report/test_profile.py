"""Where the time went: what the ledger holds of it, added up."""

import threading

from tests.ledger.world import days, group
from tests.report.conftest import C
from windlass.domain.results import TableLoad
from windlass.domain.stopwatch import Stopwatch, add, stage, timed
from windlass.ledger.store import SqlLedger
from windlass.report.model import as_json, as_markdown, build

WINDOW = f"{C}/{group('acme_voice', days(0, 10)).windows[0].id}"
GROUP = f"{C}/{group('acme_voice', days(0, 10)).id}"


def measured(ledger: SqlLedger) -> None:
    ledger.window_loaded(WINDOW, 7, [TableLoad("score", 7, 9.0, {"read": 9.0})])
    stages = {"count": 0.5, "stream": 2.0, "sample": 0.1, "read": 1.9, "fingerprint": 0.3}
    empty = TableLoad("scorecard", 0, 0.25, {"count": 0.2})
    ledger.window_loaded(WINDOW, 10, [TableLoad("score", 10, 3.0, stages), empty])
    ledger.step_end(GROUP, 1, "", "time guard", {"seconds": 1.0})
    ledger.step_end(GROUP, 2, "", "time guard", {"seconds": 0.5})
    ledger.step_end(GROUP, 1, "", "time publish", {"publish": 0.4, "keep": 0.2, "seconds": 0.7})
    ledger.step_end(GROUP, 1, "", "time settle", {"keep": 0.1, "seconds": 1.1})


def test_each_window_says_where_its_time_went(ledger: SqlLedger) -> None:
    measured(ledger)
    found = as_json(build(ledger.facts(C)))["profile"]
    score, scorecard = sorted(found["windows"], key=lambda one: str(one["table"]))
    assert (score["window"], score["rows"], score["read"]) == (WINDOW, 10, 1.9)
    assert score["control"] == 0.4
    assert (scorecard["count"], scorecard["control"]) == (0.2, 0.05)


def test_groups_and_the_sum_of_all(ledger: SqlLedger) -> None:
    measured(ledger)
    found = as_json(build(ledger.facts(C)))["profile"]
    (one,) = found["groups"]
    assert {name: one[name] for name in ("guard", "keep", "publish", "settle", "control")} == {
        "guard": 0.5,
        "keep": 0.3,
        "publish": 0.4,
        "settle": 1.0,
        "control": 0.1,
    }
    assert one["seconds"] == 2.3
    assert found["total"]["control"] == 0.55
    assert list(found["total"])[:2] == ["count", "read"]
    assert "| 1.90 s |" in as_markdown(build(ledger.facts(C)))


def test_nothing_measured_is_nothing_told(ledger: SqlLedger) -> None:
    report = build(ledger.facts(C))
    assert as_json(report)["profile"] == {"windows": [], "groups": [], "total": {}}
    assert "Where the Time Went" not in as_markdown(report)


def test_a_stopwatch_hears_only_of_its_own_context() -> None:
    add("lost", 1.0)
    with timed() as outer:
        with stage("work"):
            other = threading.Thread(target=add, args=("elsewhere", 1.0))
            other.start()
            other.join()
        with timed() as inner:
            add("inner", 2.0)
    assert set(outer.seconds) == {"work"}
    assert inner.seconds == {"inner": 2.0}
    assert Stopwatch().seconds == {}
