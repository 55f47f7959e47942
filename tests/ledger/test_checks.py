"""Verifications on record: parts, tables, schedules and their runs."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.ledger.world import HandClock, days
from windlass.domain.codec import dump
from windlass.domain.errors import RefusedError, UnreachableError, UsageError
from windlass.domain.results import TableVerification
from windlass.domain.states import Verdict
from windlass.ledger.store import SqlLedger
from windlass.ports import CheckSchedule, EqualPart

AT = datetime(2026, 2, 1, 3, 4, 5, 678901, tzinfo=UTC)
GOOD = TableVerification("voice-prod", "acme_voice", "score", 5, 5, snapshots=(AT,))
QUESTION = json.dumps({"request": {"interval": {"start": "x", "end": "y"}}, "last_seconds": 0})
NIGHTLY = CheckSchedule(
    "nightly", "voice-prod", QUESTION, timedelta(hours=24), "ada@ops1", "windlass verify …"
)


def test_parts_and_tables_are_kept_by_request(ledger: SqlLedger) -> None:
    late, early = (EqualPart(days(d, d + 1), d, d, AT) for d in (7, 3))
    for part in (late, early, early):
        ledger.part_equal("verify-1", "acme_voice", "score", part)
    again = replace(late, source_rows=9)
    ledger.part_equal("verify-1", "acme_voice", "score", again)
    assert ledger.equal_parts("verify-1", "acme_voice", "score") == [early, again]
    assert ledger.equal_parts("verify-2", "acme_voice", "score") == []
    ledger.table_checked("verify-1", GOOD)
    ledger.table_checked("verify-1", GOOD)
    assert ledger.checked_tables("verify-1") == [GOOD]
    assert ledger.checked_tables("verify-2") == []


def test_a_schedule_lives_until_it_is_ended(ledger: SqlLedger) -> None:
    ledger.save_check(NIGHTLY)
    with pytest.raises(RefusedError):
        ledger.save_check(NIGHTLY)
    ledger.save_check(replace(NIGHTLY, cluster="chat-prod"))
    assert [one.cluster for one in ledger.checks()] == ["chat-prod", "voice-prod"]
    ledger.end_check("nightly", "voice-prod")
    with pytest.raises(UsageError):
        ledger.end_check("nightly", "voice-prod")
    with pytest.raises(UsageError):
        ledger.begin_check("nightly", "voice-prod", "run")
    ledger.save_check(NIGHTLY)
    assert NIGHTLY in ledger.checks()


def test_a_run_is_drawn_up_once_and_ends_with_its_answer(
    ledger: SqlLedger, clock: HandClock
) -> None:
    ledger.save_check(NIGHTLY)
    first = ledger.begin_check("nightly", "voice-prod", "run 1")
    assert ledger.begin_check("nightly", "voice-prod", "run 1") == first
    (run,) = ledger.check_runs("nightly", "voice-prod", 5)
    assert (run.verdict, run.ended_at, run.begun_at) == (None, None, clock.now())
    kind, payload = ledger.request(first)
    assert (kind, json.loads(payload)["seed"]) == ("verify", run.seed)
    clock.turn(60)
    bad = replace(GOOD, verdict=Verdict.MISMATCH, missing=1)
    ledger.finish_request(first, dump((GOOD, bad)))
    (run,) = ledger.check_runs("nightly", "voice-prod")
    assert (run.verdict, run.tables, run.ended_at) == (Verdict.MISMATCH, (GOOD, bad), clock.now())
    second = ledger.begin_check("nightly", "voice-prod", "run 2")
    ledger.fail_request(second, UnreachableError("no answer", where="voice-prod"))
    latest, before = ledger.check_runs("nightly", "voice-prod", 5)
    assert (latest.request, latest.verdict, before.request) == (second, None, first)
    assert "no answer" in latest.error
    assert latest.seed != before.seed


def test_a_relative_range_is_fixed_when_the_run_begins(ledger: SqlLedger, clock: HandClock) -> None:
    asked = json.dumps({**json.loads(QUESTION), "last_seconds": 7200})
    ledger.save_check(replace(NIGHTLY, question=asked))
    begun = clock.now()
    request = ledger.begin_check("nightly", "voice-prod", "run")
    clock.turn(3600)
    assert ledger.begin_check("nightly", "voice-prod", "run") == request
    interval = json.loads(ledger.request(request)[1])["request"]["interval"]
    end = datetime.fromisoformat(interval["end"])
    assert timedelta() <= begun - end < timedelta(minutes=1)
    assert end - datetime.fromisoformat(interval["start"]) == timedelta(hours=2)
