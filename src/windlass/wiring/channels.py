"""The places that the fleet file names for messages, and bringing them there from a worker."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from windlass.domain.errors import ConfigError
from windlass.engine.worker.messenger import Channel, Messenger, told
from windlass.ports import Clock
from windlass.ports.notices import NoticeLedger
from windlass.report.notify.services import Service
from windlass.settings import Fleet

log = logging.getLogger("windlass")


def services(fleet: Fleet) -> Iterator[tuple[str, Service | ConfigError]]:
    """Each place by its name in the config, `notify[0]`; or why it cannot be used."""
    for position, one in enumerate(fleet.notify):
        name = f"notify[{position}]"
        try:
            yield name, Service(one.url.get_secret_value(), name)
        except ConfigError as error:
            yield name, error


@contextmanager
def people_told(fleet: Fleet, ledger: NoticeLedger, clock: Clock) -> Iterator[None]:
    """While the block runs, people are told as the fleet file says."""
    if not fleet.notify:
        yield
        return
    with told(lambda: Messenger(ledger, channels(fleet), clock)):
        yield


def channels(fleet: Fleet) -> list[Channel]:
    """The places that can be used; one that cannot is named in the log, and keeps nobody from
    working. Takes a second or two: apprise knows many services."""
    found = []
    for one, (name, service) in zip(fleet.notify, services(fleet), strict=True):
        if isinstance(service, ConfigError):
            log.warning("%s", service)
            continue
        found.append(Channel(name, service, frozenset(one.on), one.patience_seconds))
    return found
