"""`windlass run`: plan, ask, start, watch until it is verified."""

from pathlib import Path
from typing import Annotated

from windlass.cli import asking, naming
from windlass.cli.command import command
from windlass.cli.launch import Consent, from_campaign_file, launch, plan_from_file
from windlass.cli.options import (
    AcceptOption,
    ConfirmOption,
    DetachOption,
    ExpectOption,
    FileOption,
    NameOption,
    PlanOption,
    ProfileOption,
    ReasonOption,
    SupersedesOption,
    YesOption,
)
from windlass.cli.request import (
    CLUSTERS,
    END,
    START,
    TENANTS,
    DatasetOption,
    ExceptOption,
    ModeOption,
    PartsOption,
    RedoOption,
    WindowOption,
    Words,
)
from windlass.cli.session import Session
from windlass.cli.superseding import superseded
from windlass.domain.errors import UsageError
from windlass.domain.states import Mode


@command(
    "windlass run voice-prod acme,acme-sandbox 2026-01-01 2026-02-20",
    "windlass run all all 2026-01-01 2026-02-01 --except 'acme/*' --yes --detach",
    "windlass run --plan acme.json --reason 'appeals must go'",
    "windlass run -f campaign.yaml",
)
def app(
    session: Session,
    clusters: Annotated[str | None, CLUSTERS] = None,
    tenants: Annotated[str | None, TENANTS] = None,
    start: Annotated[str | None, START] = None,
    end: Annotated[str | None, END] = None,
    dataset: DatasetOption = None,
    mode: ModeOption = Mode.REPLACE,
    window: WindowOption = "auto",
    parts: PartsOption = None,
    excepted: ExceptOption = None,
    plan: PlanOption = None,
    file: FileOption = None,
    name: NameOption = None,
    reason: ReasonOption = "",
    yes: YesOption = False,
    detach: DetachOption = False,
    redo: RedoOption = False,
    expect_removed: ExpectOption = None,
    accept_removal: AcceptOption = False,
    confirm: ConfirmOption = None,
    supersedes: SupersedesOption = None,
    profile: ProfileOption = False,
) -> int:
    """Rebuild a range: plan, ask, start, and watch until it is verified.

    Ctrl-C only detaches: the campaign goes on, `windlass watch` takes it up again. Exit codes:
    0 all of it is verified (or there was nothing to do); 1 it ended parked, cancelled or
    unverified; 3 detached; 4 refused; 130 Ctrl-C.
    """
    chosen = naming.checked(name) if name is not None else None
    if supersedes is not None:
        superseded(session, supersedes)
    words = Words(
        clusters,
        tenants,
        start,
        end,
        dataset,
        mode,
        window,
        parts,
        tuple(excepted or ()),
        redo,
        tuple(expect_removed or ()),
        accept_removal,
    )
    consent = Consent(chosen, reason, yes, confirm, detach, supersedes, profile)
    return _begin(session, plan, file, words, consent)


def _begin(
    session: Session, plan: Path | None, file: Path | None, words: Words, consent: Consent
) -> int:
    """From a saved plan, a campaign file or the words alone."""
    if plan and file:
        raise UsageError(
            "--plan and --file say both what to do",
            why="a saved plan has everything that its campaign file said",
            next_step=f"windlass run --plan {plan}",
        )
    if plan:
        return launch(session, *plan_from_file(session, plan, words, consent))
    if file:
        words, consent = from_campaign_file(file, words, consent)
    return launch(session, asking.ask_plan(session, words), consent)
