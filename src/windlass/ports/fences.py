"""What tells an attempt that its time is over."""

from typing import Protocol

from windlass.domain.attempt import Attempt


class FenceLedger(Protocol):
    """Attempt numbers as a fence: the highest one of a subject is at work, all others are not."""

    def overtaken(self, attempt: Attempt) -> bool:
        """Whether a later attempt at its subject has begun, it was retired, or the window that it
        is about is over (cheap: asked between two statements)."""
        ...

    def over(self, group: str) -> bool:
        """Whether the group is done, parked or cancelled: nothing may begin at it any more."""
        ...

    def retire(self, group: str) -> list[Attempt]:
        """From now on every attempt at the group, its windows and its steps counts as overtaken.
        Returns all that ever began, for killing and sweeping."""
        ...

    def retire_tenant(self, campaign: str, cluster: str, database: str) -> list[Attempt]:
        """The same for every group of the tenant that is not done."""
        ...
