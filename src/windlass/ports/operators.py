"""The durable record, as operators read it and write to it."""

from collections.abc import Mapping
from typing import Protocol

from windlass.domain.plan import Guard, Plan
from windlass.domain.record import (
    CampaignDraft,
    CampaignFacts,
    CampaignRecord,
    Event,
    HistoryEntry,
    Scope,
    StatusView,
    StepRecord,
    WindowView,
)
from windlass.domain.states import Health, State
from windlass.ports.undo import UndoReader


class LedgerReader(UndoReader, Protocol):
    """What operators' programs (CLI, web, report) read. UsageError, with the nearest name, where
    something does not exist; a campaign given as None is the latest one."""

    def ledger_id(self) -> str:
        """This ledger's own UUID: worker and CLI compare theirs."""
        ...

    def answer(self, request: str) -> str:
        """The answer's JSON. A failed request raises its error, of the class and with the fields
        that `fail_request` was given; UnreachableError while there is no answer yet."""
        ...

    def plan(self, plan: str) -> Plan:
        """A saved plan by its id."""
        ...

    def campaign(self, name: str | None = None) -> CampaignRecord:
        """That campaign as it stands."""
        ...

    def campaigns(self, limit: int = 50) -> list[CampaignRecord]:
        """Campaigns, the latest first."""
        ...

    def status(self, campaign: str | None = None, *, windows: bool = False) -> StatusView:
        """How a campaign stands; `windows` fills in every tenant's windows."""
        ...

    def facts(self, campaign: str | None = None) -> CampaignFacts:
        """Everything that a report is written from."""
        ...

    def paused(self, campaign: str, cluster: str, database: str = "") -> bool:
        """Whether the campaign, or that part of it, is pausing or paused: start nothing."""
        ...

    def limits(self, campaign: str, cluster: str, database: str = "") -> Mapping[str, int]:
        """The operator's limits (windows, windows_per_tenant, rows_per_second), each from the
        narrowest scope that sets it; empty when none were set."""
        ...

    def window(self, window: str) -> WindowView:
        """One window."""
        ...

    def events(self, campaign: str, subject: str = "") -> list[Event]:
        """What happened, oldest first; with a window's or group's id only what concerns it."""
        ...

    def steps(self, group: str) -> list[StepRecord]:
        """The group's publish steps, oldest first."""
        ...

    def history(
        self, cluster: str = "*", customer: str = "*", profile: str = "*", limit: int = 1000
    ) -> list[HistoryEntry]:
        """Windows that ended in a publish, the latest first; the words are globs."""
        ...


class LedgerWriter(Protocol):
    """What operators' programs write. Each call is one transaction.

    A move that domain.states does not allow raises RefusedError; staying is a no-op. After each
    move the states above are rolled up, unless an operator's order (pausing, paused, cancelling,
    cancelled) stands there.
    """

    def create_request(self, kind: str, cluster: str, payload: str) -> str:
        """Record a question (JSON) for the cluster's worker; returns its id."""
        ...

    def save_plan(self, plan: Plan) -> str:
        """Keep a plan; returns its id (the same one for an equal plan)."""
        ...

    def create_campaign(self, draft: CampaignDraft, plan: Plan) -> CampaignRecord:
        """Create it with all its tenants, groups and windows, queued. Ids in the plan get the
        final name as their first part (and the cluster as the second one where two clusters of
        the plan have the same database). OverlapError: a campaign that is not final holds one of
        these databases in the dataset and range; RefusedError: the given name is taken."""
        ...

    def move(self, scope: Scope, state: State, note: str = "") -> State:
        """Move a campaign, cluster, tenant or window; returns the state before. Orders go down:
        `pausing`, `paused`, `running` (resume) and `cancelling` to every part that allows it
        (parked parts are cancelled at once); `cancelled`, `parked` and `unknown` to every part
        that is not final yet; `queued` (retry) to what is parked or unknown."""
        ...

    def set_health(
        self, campaign: str, cluster: str, database: str, health: Health, note: str = ""
    ) -> None:
        """How a tenant fares; a note is shown until it is healthy again."""
        ...

    def set_limited_by(self, campaign: str, cluster: str, reason: str) -> None:
        """What holds the cluster back right now ('' nothing)."""
        ...

    def set_limits(self, scope: Scope, limits: Mapping[str, int]) -> None:
        """The operator's limits for a campaign, cluster or tenant, over those set before."""
        ...

    def set_guard(self, campaign: str, guard: Guard) -> None:
        """What the operator allows to be removed from now on; `campaign_plan` has it from then."""
        ...

    def note(self, campaign: str, who: str, text: str, database: str = "") -> None:
        """An operator's remark."""
        ...

    def action(
        self, scope: Scope, verb: str, who: str, why: str, before: str = "", after: str = ""
    ) -> None:
        """An operator's order."""
        ...
