"""Requests: an operator's question, answered by a cluster's worker; and saved plans."""

import json
from uuid import uuid4

from sqlalchemy import Connection, insert, select, update

from windlass.domain import errors
from windlass.domain.codec import dump, load
from windlass.domain.dataset import digest_of
from windlass.domain.errors import UnreachableError, UsageError, WindlassError
from windlass.domain.plan import Plan
from windlass.domain.states import State
from windlass.ledger import tables as t
from windlass.ledger.base import Base, found
from windlass.ledger.database import reads, writes

DONE, FAILED = "done", "failed"


class Requests(Base):
    """Questions and answers, and plans kept for later."""

    @writes
    def create_request(self, connection: Connection, kind: str, cluster: str, payload: str) -> str:
        """Record a question (JSON) for the cluster's worker; returns its id."""
        request = f"{kind}-{uuid4().hex[:12]}"
        connection.execute(
            insert(t.requests).values(
                id=request,
                kind=kind,
                cluster=cluster,
                payload=payload,
                state=str(State.QUEUED),
                created_at=self._clock.now(),
            )
        )
        return request

    @writes
    def request(self, connection: Connection, request: str, attempt: int = 1) -> tuple[str, str]:
        """(kind, payload JSON) of a request; who asks has taken it up, at that try."""
        row = connection.execute(select(t.requests).where(t.requests.c.id == request)).first()
        row = found(row, "request", request)
        begun = row.started_at or self._clock.now()
        self._set(connection, request, state=str(State.RUNNING), started_at=begun, attempt=attempt)
        return row.kind, row.payload

    @writes
    def finish_request(
        self, connection: Connection, request: str, answer: str, attempt: int = 1
    ) -> None:
        """The answer's JSON, unless a later try is at it."""
        if self._latest(connection, request, attempt):
            now = self._clock.now()
            self._set(connection, request, state=DONE, answer=answer, finished_at=now)

    @writes
    def fail_request(
        self, connection: Connection, request: str, error: WindlassError, attempt: int = 1
    ) -> None:
        """The error, so that whoever asked can raise it again, unless a later try is at it: that
        one may have ended this one's statements."""
        if not self._latest(connection, request, attempt):
            return
        told = [type(error).__name__, error.what, error.where, error.why, error.next_step]
        self._set(
            connection,
            request,
            state=FAILED,
            error=json.dumps(told),
            finished_at=self._clock.now(),
        )

    @reads
    def answer(self, connection: Connection, request: str) -> str:
        """The answer's JSON; raises the recorded error of a failed request."""
        row = connection.execute(select(t.requests).where(t.requests.c.id == request)).first()
        row = found(row, "request", request)
        if row.error:
            raise error_of(row.error)
        if row.answer is None:
            raise UnreachableError(
                f"no answer yet from the worker of {row.cluster}",
                where=request,
                next_step=f"windlass worker --cluster {row.cluster} must be running",
            )
        return str(row.answer)

    @writes
    def save_plan(self, connection: Connection, plan: Plan) -> str:
        """Keep a plan; returns its id (the same one for an equal plan)."""
        text = dump(plan)
        name = f"plan-{digest_of(text)}"
        if connection.scalar(select(t.plans.c.id).where(t.plans.c.id == name)) is None:
            now = self._clock.now()
            connection.execute(insert(t.plans).values(id=name, plan=text, created_at=now))
        return name

    @reads
    def plan(self, connection: Connection, plan: str) -> Plan:
        """A saved plan by its id."""
        text = connection.scalar(select(t.plans.c.plan).where(t.plans.c.id == plan))
        if text is None:
            raise UsageError(
                f"the ledger has no plan {plan!r}", next_step="windlass plan … makes one"
            )
        return load(Plan, text)

    def _latest(self, connection: Connection, request: str, attempt: int) -> bool:
        """Whether no later try took the request up."""
        of = t.requests.c
        begun = connection.scalar(select(of.attempt).where(of.id == request))
        return begun is None or begun <= attempt

    def _set(self, connection: Connection, request: str, **values: object) -> None:
        where = t.requests.c.id == request
        if connection.execute(update(t.requests).where(where).values(values)).rowcount == 0:
            raise UsageError(f"the ledger has no request {request!r}")


def error_of(recorded: str) -> WindlassError:
    """The error that `fail_request` recorded; of the base class where its own is gone."""
    name, what, where, why, next_step = json.loads(recorded)
    kind = getattr(errors, name, WindlassError)
    made: WindlassError = kind(what, where=where, why=why, next_step=next_step)
    return made
