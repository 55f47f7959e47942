"""Slack, mail, web hooks and some hundred more, by way of apprise.

Its URLs hold tokens, and so do the log lines of what it is made of: nothing that any of them says
leaves this file.
"""

import logging
import re
import threading
from typing import TYPE_CHECKING, Any

from windlass.domain.errors import ConfigError, NotSentError
from windlass.domain.notices import Message

if TYPE_CHECKING:
    from apprise import NotifyBase

SECONDS = 20.0
"""After so many a message counts as not sent."""
THREAD = "windlass-notify"
INSTALL = "pip install 'windlass[notify]' where the worker runs"
_TALKATIVE = ("urllib3.connectionpool", "urllib3.util.retry", "requests_oauthlib.oauth1_auth")
_CODE = re.compile(r"error=(\d{3})\b")


class Service:
    """The port Notifier behind one of apprise's URLs. `where` names it in errors, as the config
    does. ConfigError: apprise is not installed, or does not understand the URL."""

    def __init__(self, url: str, where: str, seconds: float = SECONDS) -> None:
        self._where, self._seconds = where, seconds
        _hush()
        self._plugin = _plugin(url, where)
        self._sending: threading.Thread | None = None

    @property
    def name(self) -> str:
        """What it is: `Slack`, `JSON`, `E-Mail`."""
        return str(self._plugin.service_name)

    def send(self, message: Message) -> None:
        """Send it, in a thread of its own: not every service has a timeout."""
        if self._sending is not None and self._sending.is_alive():
            raise self._error("the message before still hangs")
        outcome: list[bool | str] = []
        thread = threading.Thread(
            target=self._send, args=(message, outcome), name=THREAD, daemon=True
        )
        self._sending = thread
        thread.start()
        thread.join(self._seconds)
        if not outcome:
            raise self._error(f"no answer within {self._seconds:.0f} s")
        if outcome[0] is not True:
            raise self._error(str(outcome[0] or _HEARD.reason(thread.ident)))

    def _send(self, message: Message, outcome: list[bool | str]) -> None:
        kind = "warning" if message.urgent else "info"
        try:
            sent = self._plugin.notify(body=message.body, title=message.title, notify_type=kind)
            outcome.append(bool(sent))
        except Exception as error:
            # Its text may hold the URL; what kind it is of is all that may be told.
            outcome.append(f"it failed with {type(error).__name__}")

    def _error(self, why: str) -> NotSentError:
        return NotSentError(
            "the message was not sent",
            where=f"{self._where} ({self.name})",
            why=why,
            next_step="windlass doctor --notify sends one and tells",
        )


def _plugin(url: str, where: str) -> "NotifyBase":
    try:
        from apprise import Apprise, AppriseAsset
    except ImportError:
        raise ConfigError(
            "notifications need the package apprise", where=where, next_step=INSTALL
        ) from None
    asset = AppriseAsset(app_id="Windlass", app_desc="Windlass", app_url="")
    made: Any = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if made is None:
        raise ConfigError(
            "the url is of no service that apprise knows",
            where=where,
            why="its scheme is unknown, or something that the service needs is missing in it",
            next_step="https://appriseit.com/services/ lists how each service's URL looks",
        )
    plugin: NotifyBase = made
    return plugin


class _Heard(logging.Filter):
    """Lets through nothing of what apprise logs, and keeps no more of it than a status code, by
    thread."""

    def __init__(self) -> None:
        super().__init__()
        self._codes: dict[int, str] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        found = _CODE.search(record.getMessage())
        if found and record.thread is not None:
            self._codes[record.thread] = found[1]
        return False

    def reason(self, thread: int | None) -> str:
        """Why the message of that thread was not taken, as far as that may be told."""
        code = self._codes.pop(thread, "") if thread is not None else ""
        return f"it answered HTTP {code}" if code else "it could not be reached"


_HEARD = _Heard()


def _hush() -> None:
    """Nothing that is logged on the way of a message is printed."""
    logging.getLogger("apprise").addFilter(_HEARD)
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_elsewhere)


def _elsewhere(record: logging.LogRecord) -> bool:
    """Whether it was said on the way of anything but a message."""
    return record.threadName != THREAD
