"""The places that messages go to, as `windlass doctor` looks at them."""

from collections.abc import Iterator

from windlass.domain.errors import NotSentError, WindlassError
from windlass.domain.notices import Message
from windlass.settings import Fleet

Finding = tuple[str, str, str]
"""Level, what, next step."""


def findings(fleet: Fleet, who: str, *, send: bool) -> Iterator[Finding]:
    """Whether each place of `notify` can be used; with `send`, a message goes there."""
    if not fleet.notify:
        if send:
            step = "add notify: [{url: …, on: [done, parked]}]; docs/config.md has examples"
            yield "fail", "notify: nobody is told of anything: the fleet file names no place", step
        return
    from windlass.wiring.channels import services

    for one, (name, service) in zip(fleet.notify, services(fleet), strict=True):
        if isinstance(service, WindlassError):
            yield "fail", f"{name}: {service.what}", service.next_step
            continue
        told = f"{name}: {service.name}, on {', '.join(one.on)}"
        if not send:
            yield "ok", told, ""
            continue
        try:
            service.send(_message(who, name))
        except NotSentError as error:
            yield "fail", f"{told}: not sent: {error.why}", _AGAIN
        else:
            yield "ok", f"{told}: a message was taken", ""


def _message(who: str, name: str) -> Message:
    body = f"{who} asked for it. This is where {name} of the fleet file leads.\nnext: nothing"
    return Message("windlass doctor: a message to see whether it arrives", body)


_AGAIN = "check url (windlass schema tells its form), then windlass doctor --notify"
