"""`windlass verify`: is the target what the source says?"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from windlass.cli import checks
from windlass.cli.answers import gathered
from windlass.cli.command import command
from windlass.cli.request import (
    CLUSTERS,
    END,
    START,
    TENANTS,
    Asked,
    DatasetOption,
    ExceptOption,
    Words,
    understand,
)
from windlass.cli.session import Session
from windlass.cli.show.common import iso, print_json
from windlass.cli.show.verification import Told, show, verification_json
from windlass.domain.errors import UsageError
from windlass.domain.results import TableVerification
from windlass.domain.states import Verdict

if TYPE_CHECKING:
    from windlass.domain.plan import Request
    from windlass.engine.activities.verify import Question


KeysOption = Annotated[
    int, typer.Option("--keys", metavar="N", min=0, help="Keys to name per table.")
]
ValuesOption = Annotated[
    bool, typer.Option("--values", help="Print the values of columns that differ, too.")
]
ParallelOption = Annotated[
    int,
    typer.Option("--parallel", metavar="N", min=1, max=16, help="Source sessions per cluster."),
]
LastOption = Annotated[
    str | None, typer.Option("--last", metavar="SPAN", help="In place of START END: 7d, 24h.")
]
SampleOption = Annotated[
    str | None, typer.Option("--sample", metavar="SHARE", help="Random steps of time: 5%.")
]
SeedOption = Annotated[
    str | None, typer.Option("--seed", metavar="S", help="Draw the same sample again.")
]
EveryOption = Annotated[
    str | None, typer.Option("--every", metavar="SPAN", help="Schedule it: 24h, 7d, 30m.")
]
NameOption = Annotated[str | None, typer.Option("--name", metavar="N", help="The schedule's name.")]
SchedulesOption = Annotated[
    bool, typer.Option("--schedules", help="List schedules and how each last ended.")
]
UnscheduleOption = Annotated[
    str | None, typer.Option("--unschedule", metavar="NAME", help="End a schedule.")
]


@command(
    "windlass verify voice-prod acme 2026-01-01 2026-02-20",
    "windlass verify all 'acme*' 2026-01-01 2026-02-20 --keys 5 -o json",
    "windlass verify all all --last 7d --sample 5% --every 24h --name nightly",
    "windlass verify --schedules",
)
def app(
    session: Session,
    clusters: Annotated[str | None, CLUSTERS] = None,
    tenants: Annotated[str | None, TENANTS] = None,
    start: Annotated[str | None, START] = None,
    end: Annotated[str | None, END] = None,
    dataset: DatasetOption = None,
    excepted: ExceptOption = None,
    keys: KeysOption = 20,
    values: ValuesOption = False,
    parallel: ParallelOption = 2,
    last: LastOption = None,
    sample: SampleOption = None,
    seed: SeedOption = None,
    every: EveryOption = None,
    name: NameOption = None,
    schedules: SchedulesOption = False,
    unschedule: UnscheduleOption = None,
) -> int:
    """Compare source and target by fingerprints, and name the keys that differ.

    Changes nothing. Rows that are on their way rather than wrong are counted apart. Exit codes: 0
    every table agrees; 1 some differ or could not be compared, or a cluster could not be asked.
    """
    words = Words(clusters, tenants, start, end, dataset, excepted=tuple(excepted or ()))
    if schedules:
        return checks.listed(session)
    if unschedule is not None:
        return checks.ended(session, unschedule)
    span = checks.span(last, "--last") if last else None
    asked = _understood(session, words, span)
    share = checks.share(sample)
    if every is None:
        _refuse_name(name)
        drawn = seed or checks.fresh_seed()
        question = _question(asked, keys, values, parallel, share, drawn)
        return _once(session, question)
    question = _question(asked, keys, values, parallel, share, "")
    if span:
        question = replace(question, last_seconds=int(span.total_seconds()))
    return checks.scheduled(session, question, name, checks.span(every, "--every"))


def _understood(session: Session, words: Words, span: timedelta | None) -> Asked:
    if span:
        if words.start or words.end:
            raise UsageError(
                "--last stands in place of START and END", next_step="give one of them"
            )
        now = session.now().replace(microsecond=0)
        words = replace(words, start=(now - span).isoformat(), end=now.isoformat())
    asked = understand(words, session.backend.fleet, session.now())
    for note in asked.notes:
        session.say(note)
    return asked


def _question(
    asked: Asked, keys: int, values: bool, parallel: int, share: float, seed: str
) -> "Question":
    from windlass.engine.activities.verify import Question

    return Question(asked.request, keys, values, parallel, share, seed if share < 1 else "")


def _refuse_name(name: str | None) -> None:
    if name is not None:
        raise UsageError("--name names a schedule", next_step="add --every 24h, or leave it out")


def _once(session: Session, question: "Question") -> int:
    if question.sample < 1:
        session.say(f"sampling {question.sample:.3g} of the time; seed {question.seed}")
    found, failed = gathered(session.backend.verify(question, session.say))
    _print(session, question, found)
    agree = all(one.verdict is Verdict.VERIFIED for one in found)
    return 0 if agree and not failed else 1


def _print(session: Session, question: "Question", found: Sequence[TableVerification]) -> None:
    request = question.request
    if not session.as_json:
        show(found, Told(_plan(request), question.sample, question.seed))
        return
    print_json(
        {
            "dataset": request.dataset.name,
            "start": iso(request.interval.start),
            "end": iso(request.interval.end),
            "sample": question.sample,
            "seed": question.seed,
            "tables": [verification_json(one) for one in found],
        }
    )


def _plan(request: "Request") -> str:
    """The command that plans what was verified."""
    span = " ".join(shortest(at) for at in (request.interval.start, request.interval.end))
    who = f"{','.join(request.clusters)} {','.join(request.tenants)}"
    return f"windlass plan {who} {span}"


def shortest(at: datetime) -> str:
    """A date for a midnight, else RFC 3339."""
    text = str(iso(at))
    return text.removesuffix("T00:00:00Z")
