"""Sampled and scheduled verifications, as typed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.cli.test_questions import OTHER, SAME
from tests.cli.world import NOW, Cli
from windlass.cli.backend import Reply
from windlass.domain import codec

R = ("voice-prod", "acme", "2026-01-01", "2026-02-01")
EVERY = ("--sample", "5%", "--every", "24h")


def test_rows_in_flight_are_told_and_do_no_harm(cli: Cli) -> None:
    cli.backend.verifications = [Reply("voice-prod", (replace(SAME, in_flight=3),))]
    done = cli.run("verify", *R)
    assert done.exit_code == 0
    assert "(3 rows in flight)" in done.stdout


def test_a_table_that_cannot_be_compared_is_no_success(cli: Cli) -> None:
    from windlass.domain.states import Verdict

    lost = replace(SAME, finding="the target table does not exist", verdict=Verdict.UNVERIFIED)
    cli.backend.verifications = [Reply("voice-prod", (SAME, lost))]
    done = cli.run("verify", *R)
    assert done.exit_code == 1
    assert "not compared: the target table does not exist" in done.stdout
    assert "1 table could not be compared" in done.stdout


def test_parts_from_several_snapshots_are_told(cli: Cli) -> None:
    moments = (NOW, NOW + timedelta(minutes=5))
    cli.backend.verifications = [Reply("voice-prod", (replace(SAME, snapshots=moments),))]
    done = cli.run("verify", *R)
    assert "compared in 2 snapshots" in done.stdout
    assert len(cli.json("verify", *R)["tables"][0]["snapshots"]) == 2
    tables = (replace(SAME, snapshots=moments[:1]), replace(OTHER, snapshots=moments[1:]))
    cli.backend.verifications = [Reply("voice-prod", tables)]
    done = cli.run("verify", *R)
    assert "taken up again" in done.stdout
    assert "next: windlass plan voice-prod acme 2026-01-01 2026-02-01\n" in done.stdout
    chat = replace(SAME, cluster="chat-prod", snapshots=moments[1:])
    cli.backend.verifications = [Reply("voice-prod", tables[:1]), Reply("chat-prod", (chat,))]
    assert "taken up again" not in cli.run("verify", *R).stdout


def test_a_sample_has_a_seed_of_its_own_that_can_be_drawn_again(cli: Cli) -> None:
    cli.backend.verifications = [Reply("voice-prod", (replace(SAME, sampled=20, steps=400),))]
    one, other = (cli.json("verify", *R, "--sample", "5%") for _ in range(2))
    assert one["seed"] != other["seed"]
    assert (one["sample"], one["tables"][0]["sampled"]) == (0.05, {"steps": 20, "of": 400})
    told = cli.run("verify", *R, "--sample", "0.05", "--seed", one["seed"])
    assert f"seed {one['seed']}" in told.stdout
    assert cli.backend.questions[-1] == replace(cli.backend.questions[0], seed=one["seed"])


@pytest.mark.parametrize(
    "words",
    [
        ("--sample", "0"),
        ("--sample", "120%"),
        ("--sample", "some"),
        ("--every", "often"),
        ("--name", "nightly"),
        ("--last", "7d"),
        ("--parallel", "99"),
    ],
)
def test_nonsense_is_refused(cli: Cli, words: tuple[str, ...]) -> None:
    assert cli.run("verify", *R, *words).exit_code == 2
    assert cli.backend.questions == []


def test_the_last_days_are_the_range(cli: Cli) -> None:
    cli.backend.verifications = [Reply("voice-prod", (SAME,))]
    assert cli.run("verify", "voice-prod", "acme", "--last", "7d").exit_code == 0
    interval = cli.backend.asked[-1].interval
    assert (interval.start, interval.end) == (NOW - timedelta(days=7), NOW)


def test_a_schedule_is_made_listed_and_ended(cli: Cli) -> None:
    ledger, words = cli.backend.ledger, ("verify", "all", "acme", "--last", "7d", *EVERY)
    assert cli.run(*words, "--name", "nightly").exit_code == 0
    assert [(s.name, s.cluster) for s in ledger.checks()] == [
        ("nightly", "chat-prod"),
        ("nightly", "voice-prod"),
    ]
    assert cli.run(*words, "--name", "nightly").exit_code == 4
    request = ledger.begin_check("nightly", "voice-prod", "first run")
    assert ledger.begin_check("nightly", "voice-prod", "first run") == request
    ledger.finish_request(request, codec.dump((SAME, OTHER)))
    cli.clock.turn(60)
    second = ledger.begin_check("nightly", "voice-prod", "second run")
    assert second != request
    shown = cli.json("verify", "--schedules")["schedules"]
    assert [(s["cluster"], s["last"] and s["last"]["verdict"]) for s in shown] == [
        ("chat-prod", None),
        ("voice-prod", None),
    ]
    ledger.finish_request(second, codec.dump((SAME, OTHER)))
    shown = cli.json("verify", "--schedules")["schedules"][1]["last"]
    assert (shown["verdict"], shown["tables"][1]["missing"]) == ("mismatch", 1)
    assert "mismatch" in cli.run("verify", "--schedules").stdout
    one, other = ledger.check_runs("nightly", "voice-prod", 5)
    assert one.seed != other.seed
    assert cli.run("verify", "--unschedule", "nightly").exit_code == 0
    assert ledger.checks() == []
    assert "windlass verify --schedules" not in cli.run("verify", "--schedules").stdout
    assert cli.run("verify", "--unschedule", "nightly").exit_code == 2


def test_a_run_has_the_days_before_it_and_keeps_them(cli: Cli) -> None:
    words = ("verify", "voice-prod", "acme", "--last", "7d", *EVERY, "--name", "nightly")
    assert cli.run(*words).exit_code == 0
    cli.clock.turn(86_400)
    ledger = cli.backend.ledger
    request = ledger.begin_check("nightly", "voice-prod", "run")
    from windlass.engine.activities.verify import Question

    asked = codec.load(Question, ledger.request(request)[1])
    interval = asked.request.interval
    assert interval.end == (NOW + timedelta(days=1)).replace(second=0)
    assert interval.duration == timedelta(days=7)
    assert (asked.sample, len(asked.seed)) == (0.05, 8)


def test_doctor_tells_of_a_scheduled_mismatch(cli: Cli) -> None:
    assert cli.run("verify", *R, *EVERY, "--name", "nightly").exit_code == 0
    ledger = cli.backend.ledger
    request = ledger.begin_check("nightly", "voice-prod", "run")
    ledger.finish_request(request, codec.dump((SAME,)))
    assert cli.json("doctor", "--cluster", "voice-prod")["ok"]
    cli.clock.turn(60)
    ledger.finish_request(
        ledger.begin_check("nightly", "voice-prod", "next"), codec.dump((SAME, OTHER))
    )
    shown = cli.json("doctor", "--cluster", "voice-prod", code=1)
    (finding,) = [f for f in shown["findings"] if f["level"] == "fail"]
    assert "nightly" in finding["what"]
    assert "acme_voice.score" in finding["what"]
    assert finding["next_step"].startswith("windlass verify voice-prod acme")
