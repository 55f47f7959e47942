"""Every fault of the suite. A seed draws one of them, and all that is left to chance in it."""

import signal
import threading
import time
from collections.abc import Callable
from functools import partial

from tests.faults.drives import DRIVEN
from tests.faults.http import failure
from tests.faults.relay import ByteRule
from tests.faults.rough import ROUGH
from tests.faults.run import Fault, Run
from tests.faults.strikes import COUNTS, POINTS, arm_strike, hold_ledger, kill_worker

CHANGES = ("load-insert", "attach", "swap", "insert-live", "delete-live")


def _kill_at(step: str, point: str, run: Run) -> None:
    arm_strike(run, step, at=point, act=partial(kill_worker, run), then="go")


def _stop_at(step: str, run: Run) -> None:
    """A deployment: SIGTERM in the middle of a statement that takes its time."""
    act = partial(kill_worker, run, signal.SIGTERM)
    arm_strike(run, step, at="sent", act=act, wait=run.dice.uniform(0.0, 8.0))


def _kill_any_time(run: Run) -> None:
    fired = threading.Event()

    def act() -> None:
        kill_worker(run)
        fired.set()

    run.later(run.dice.uniform(0.1, 7.0), act)
    run.struck = fired.is_set


def _lost(step: str, how: str, run: Run) -> None:
    arm_strike(run, step, at="answered", then=how)


def _never_sent(step: str, run: Run) -> None:
    arm_strike(run, step, at="before", then="drop", times=run.dice.randint(1, 3))


def _slow(step: str, run: Run) -> None:
    arm_strike(run, step, at=run.dice.choice(POINTS), wait=run.dice.uniform(2.0, 20.0))


def _black_hole(step: str, which: str, run: Run) -> None:
    seconds = run.dice.uniform(5.0, 30.0)
    relay = getattr(run.way, which)
    arm_strike(run, step, at=run.dice.choice(POINTS), act=lambda: relay.gate.shut(seconds))


def _cut(step: str, which: str, run: Run) -> None:
    relay = getattr(run.way, which)
    arm_strike(run, step, at=run.dice.choice(POINTS), act=relay.cut)


_CODES = {
    243: ("NOT_ENOUGH_SPACE", "Cannot reserve 1.00 MiB, not enough space"),
    252: ("TOO_MANY_PARTS", "Too many parts (3000) in all partitions in total in table"),
    202: ("TOO_MANY_SIMULTANEOUS_QUERIES", "Too many simultaneous queries. Maximum: 100"),
    394: ("QUERY_WAS_CANCELLED", "Query was cancelled"),
    241: ("MEMORY_LIMIT_EXCEEDED", "Memory limit (total) exceeded: would use 9.00 GiB"),
}


def _refused(step: str, code: int, run: Run) -> None:
    answer = failure(code, *_CODES[code])
    arm_strike(run, step, at="before", then="fail", answer=answer, times=run.dice.randint(1, 3))


def _too_little_memory(step: str, run: Run) -> None:
    arm_strike(run, step, params="max_memory_usage=1000", times=run.dice.randint(1, 3))


def _at_source(pattern: bytes, act: Callable[[Run], None], run: Run) -> None:
    """When the worker sends that to PostgreSQL."""
    rule = ByteRule(
        pattern,
        partial(act, run),
        nth=run.dice.randint(1, 2),
        before=run.dice.random() < 0.5,
        lose=run.dice.random() < 0.3,
    )
    run.way.postgres.bytes_rule = rule
    run.struck = rule.fired.is_set


def _terminate(like: str, run: Run) -> None:
    run.shop.pg(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name like "
        f"'windlass:%' and query like '%{like}%' and query like '%{run.lane.name}%'"
    )


def _terminate_all(run: Run) -> None:
    run.shop.pg(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name like "
        f"'windlass:%' and usename = '{run.lane.role}'"
    )


def _role_limits(run: Run) -> None:
    """Limits that the role brings along, ended after the run."""
    role = run.lane.role
    run.shop.pg(f"alter role {role} set statement_timeout = '30ms'")
    run.shop.pg(f"alter role {role} set idle_in_transaction_session_timeout = '30ms'")


def _no_role_limits(run: Run) -> None:
    run.shop.pg(f"alter role {run.lane.role} reset all")


def _lock_ledger(step: str, run: Run) -> None:
    seconds = run.dice.choice([3.0, 8.0, 20.0, 40.0])
    holding = partial(hold_ledger, run.lane.ledger_url, seconds)
    begin = lambda: threading.Thread(target=holding, daemon=True).start()  # noqa: E731
    arm_strike(run, step, at=run.dice.choice(POINTS), act=begin)


def _freeze(step: str, point: str, late: bool, run: Run) -> None:
    """Stop the worker, and let another take over; `late`: what it had sent arrives later, too."""
    second = partial(run.lane.hire, "b")

    def act() -> None:
        run.lane.workers["a"].signal(signal.SIGSTOP)
        if late:
            run.way.clickhouse.gate.shut(3600)
            run.way.postgres.gate.shut(3600)
        threading.Thread(target=second, daemon=True).start()

    arm_strike(run, step, at=point, act=act)


def wake(run: Run) -> None:
    """The zombie wakes up: nothing visible may change any more."""
    if not run.struck():
        return
    before, since = run.shop.live(), time.monotonic()
    for relay in run.way.all:
        relay.gate.open()
    run.lane.workers["a"].signal(signal.SIGCONT)
    time.sleep(8.0)
    after = run.shop.live()
    if before != after:
        run.wrong.append("the zombie changed live rows")
    said = [s.step for at, s in run.way.clickhouse.statements if at > since]
    run.note(f"the zombie's statements after waking: {sorted(set(said))}")
    run.lane.dismiss("b")


def _frozen(step: str, point: str, late: bool) -> Fault:
    name = f"{step}, {point}{', requests arrive late' if late else ''}"
    return Fault(
        "worker stopped, another finishes, then it wakes (SIGSTOP, SIGCONT)",
        name,
        partial(_freeze, step, point, late),
        after=wake,
    )


def _deck() -> list[Fault]:
    calm = [
        *(Fault("worker killed (SIGKILL)", f"{s}, {p}", partial(_kill_at, s, p))
          for s in COUNTS for p in POINTS),
        *(Fault("worker killed (SIGKILL)", "any time", _kill_any_time) for _ in range(4)),
        *(Fault("reply of ClickHouse lost", f"{s}, {h}", partial(_lost, s, h))
          for s in COUNTS for h in ("drop", "half", "truncate") if s in CHANGES or h == "drop"),
        *(Fault("request to ClickHouse lost", s, partial(_never_sent, s)) for s in COUNTS),
        *(Fault("ClickHouse slow", s, partial(_slow, s)) for s in CHANGES),
        *(Fault("ClickHouse a black hole", s, partial(_black_hole, s, "clickhouse"))
          for s in ("load-insert", "swap", "delete-live", "settle")),
        *(Fault("PostgreSQL a black hole", s, partial(_black_hole, s, "postgres"))
          for s in ("load-create", "load-insert", "settle")),
        *(Fault("PostgreSQL connections reset", s, partial(_cut, s, "postgres"))
          for s in ("load-create", "load-insert", "guard", "settle")),
        *(Fault("Temporal a black hole", s, partial(_black_hole, s, "temporal"))
          for s in ("load-check", "swap", "settle", "sweep")),
        *(Fault("Temporal connections reset", s, partial(_cut, s, "temporal"))
          for s in ("load-check", "swap", "published", "sweep")),
        *(Fault("disk full (243)", s, partial(_refused, s, 243)) for s in CHANGES),
        *(Fault("too many parts (252)", s, partial(_refused, s, 252))
          for s in ("load-insert", "insert-live", "attach")),
        *(Fault("too many statements (202)", s, partial(_refused, s, 202)) for s in CHANGES),
        *(Fault("memory limit (241)", s, partial(_too_little_memory, s))
          for s in ("load-insert", "insert-live", "guard", "settle")),
        *(Fault("PostgreSQL backend terminated", p.decode(), partial(_at_source, p, a))
          for p, a in ((b"COPY", partial(_terminate, "COPY")), (b"COPY", _terminate_all),
                       (b"pg_export_snapshot", _terminate_all), (b"md5", _terminate_all))),
        *(Fault("worker killed (SIGKILL)", f"source: {p.decode()}",
                partial(_at_source, p, kill_worker))
          for p in (b"COPY", b"pg_export_snapshot", b"SET TRANSACTION SNAPSHOT", b"md5")),
        *(Fault("PostgreSQL timeouts of the role", "statement_timeout, idle_in_transaction",
                _role_limits, after=_no_role_limits) for _ in range(3)),
        *(Fault("ledger locked", s, partial(_lock_ledger, s))
          for s in ("load-check", "guard", "swap", "published", "settle", "sweep")),
        *(_frozen(s, p, late) for s, p, late in (
            ("load-create", "sent", False), ("load-insert", "sent", False),
            ("load-insert", "before", True), ("guard", "sent", False), ("attach", "before", True),
            ("swap", "before", True), ("swap", "sent", False), ("insert-live", "before", True),
            ("insert-live", "sent", False), ("delete-live", "before", True),
            ("delete-live", "sent", False), ("settle", "sent", False), ("sweep", "before", True))),
        *(Fault("append: worker killed (SIGKILL)", f"move, {p}", partial(_kill_at, "move", p),
                modes=("append",)) for p in POINTS),
        *(Fault("append: reply of ClickHouse lost", f"move, {h}", partial(_lost, "move", h),
                modes=("append",)) for h in ("drop", "half")),
        *(Fault("delete: worker killed (SIGKILL)", f"delete-live, {p}",
                partial(_kill_at, "delete-live", p), modes=("delete",)) for p in POINTS),
        *(Fault("statement killed by somebody (394)", s, partial(_refused, s, 394))
          for s in ("load-insert", "guard", "swap", "settle")),
        *(Fault("worker told to stop (SIGTERM)", s, partial(_stop_at, s))
          for s in ("load-insert", "guard", "swap", "delete-live", "settle")),
        *(one for one in DRIVEN if not one.rough),
    ]  # fmt: skip
    return _mixed(calm, [*ROUGH, *(one for one in DRIVEN if one.rough)])


def _mixed(calm: list[Fault], rough: list[Fault]) -> list[Fault]:
    """The same order at every start; faults that restart a part of the stack evenly among them."""
    apart = len(calm) / len(rough)
    places = [(number + 1, one) for number, one in enumerate(_shuffled(calm))]
    places += [(round((number + 0.5) * apart), one) for number, one in enumerate(_shuffled(rough))]
    return [one for _, one in sorted(places, key=lambda place: place[0])]


def _shuffled(faults: list[Fault]) -> list[Fault]:
    from random import Random

    mixed = list(faults)
    Random(20260219).shuffle(mixed)
    return mixed


DECK = _deck()
