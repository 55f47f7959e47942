"""Whatever takes messages keeps the same promises: the one in memory, and apprise over HTTP."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.notify.hook import TOKEN, Hook
from windlass.domain.errors import ConfigError, NotSentError
from windlass.domain.notices import Message
from windlass.ports.notices import Notifier
from windlass.report.notify.recorder import Recorder
from windlass.report.notify.services import Service

PARKED = Message("acme: 1 publish group parked", "voice-prod/acme: why\nnext: windlass …", True)
DONE = Message("acme: done", "all verified – <b>1 & 2</b>\nnext: windlass report acme")


@dataclass
class Place:
    """A notifier, what arrived behind it (title, body, urgent), and a way to make it refuse."""

    notifier: Notifier
    arrived: Callable[[], list[tuple[str, str, bool]]]
    refuse: Callable[[bool], None]


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as found:
        yield found


def remembered() -> Place:
    recorder = Recorder()

    def refuse(no: bool) -> None:
        recorder.refuses = "as told" if no else ""

    return Place(recorder, lambda: [(m.title, m.body, m.urgent) for m in recorder.sent], refuse)


def posted(hook: Hook) -> Place:
    def refuse(no: bool) -> None:
        hook.status = 500 if no else 200

    def arrived() -> list[tuple[str, str, bool]]:
        return [(m["title"], m["message"], m["type"] == "warning") for m in hook.got]

    return Place(Service(hook.url, "notify[0]"), arrived, refuse)


@pytest.fixture(params=["recorder", "apprise"])
def place(request: pytest.FixtureRequest, hook: Hook) -> Place:
    return remembered() if request.param == "recorder" else posted(hook)


def test_what_is_sent_arrives_as_it_is_and_in_order(place: Place) -> None:
    place.notifier.send(PARKED)
    place.notifier.send(DONE)
    assert place.arrived() == [(m.title, m.body, m.urgent) for m in (PARKED, DONE)]


def test_what_is_not_taken_is_said_and_the_next_may_be(place: Place) -> None:
    place.refuse(True)
    with pytest.raises(NotSentError) as told:
        place.notifier.send(PARKED)
    assert told.value.why
    assert place.arrived() == []
    place.refuse(False)
    place.notifier.send(DONE)
    assert [title for title, *_ in place.arrived()] == [DONE.title]


def test_a_status_is_told_but_never_the_address(
    hook: Hook, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    hook.status = 403
    service = Service(hook.url, "notify[0]")
    with caplog.at_level(logging.DEBUG), pytest.raises(NotSentError) as told:
        service.send(DONE)
    assert told.value.why == "it answered HTTP 403"
    assert told.value.where == "notify[0] (JSON)"
    hook.close()
    with caplog.at_level(logging.DEBUG), pytest.raises(NotSentError) as again:
        service.send(DONE)
    assert again.value.why == "it could not be reached"
    printed = "".join(capfd.readouterr())
    for text in (str(told.value), str(again.value), repr(service), caplog.text, printed):
        assert TOKEN not in text


def test_one_that_hangs_is_left_and_nothing_is_sent_after_it(hook: Hook) -> None:
    service = Service(hook.url, "notify[0]", seconds=0.2)
    hook.open.clear()
    with pytest.raises(NotSentError, match="was not sent") as told:
        service.send(DONE)
    assert told.value.why == "no answer within 0 s"
    with pytest.raises(NotSentError) as again:
        service.send(DONE)
    assert again.value.why == "the message before still hangs"


@pytest.mark.parametrize("url", [f"nosuch://{TOKEN}/x", f"slack://{TOKEN}", "json://"])
def test_a_url_of_no_service_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigError) as told:
        Service(url, "notify[1]")
    assert told.value.where == "notify[1]"
    assert TOKEN not in str(told.value)
