"""A place that only keeps what it is sent: for tests, and for a fleet that tells nobody."""

from dataclasses import dataclass, field

from windlass.domain.errors import NotSentError
from windlass.domain.notices import Message


@dataclass
class Recorder:
    """The port Notifier in memory; with `refuses` ('' takes everything) it takes nothing."""

    sent: list[Message] = field(default_factory=list)
    refuses: str = ""

    def send(self, message: Message) -> None:
        """Keep it."""
        if self.refuses:
            raise NotSentError("the message was not taken", why=self.refuses)
        self.sent.append(message)
