"""Telling people: where messages go, and what the record knows of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from windlass.domain.notices import Happening, Message


class Notifier(Protocol):
    """One place that messages go to: a channel, a mailbox, a web hook."""

    def send(self, message: Message) -> None:
        """Returns once the place has taken the message. NotSentError where it did not, within a
        bounded time; that says neither the address nor anything else of it."""
        ...


class NoticeLedger(Protocol):
    """What telling needs of the record. `channel` names a place as the config does, never its
    address."""

    def happenings(self, since: datetime) -> list[Happening]:
        """What came to pass since then in campaigns that have not ended before it, oldest first,
        and cluster shares that are being throttled, however long already (cheap: asked every few
        seconds)."""
        ...

    def unsent(self, channel: str, keys: Sequence[str]) -> list[str]:
        """Those of the happenings that were neither told there nor given up, nor are just being
        told by somebody else, in their order."""
        ...

    def claim_notices(self, channel: str, keys: Sequence[str], seconds: float) -> Mapping[str, int]:
        """Take those that `unsent` would name, for so many seconds: `{key: how often it was
        taken}`. Of several that ask for the same one gets it."""
        ...

    def notices_sent(self, channel: str, keys: Sequence[str]) -> None:
        """They were told there, and never will be again."""
        ...

    def notices_failed(
        self, channel: str, happened: Sequence[Happening], why: str, wait: float | None
    ) -> None:
        """They were not. Nobody takes them for `wait` seconds; None: never again, which the
        campaign's actions tell."""
        ...
