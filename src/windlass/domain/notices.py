"""What a person may want to be told of, and what is told."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Occasion(StrEnum):
    """What there is to tell of; the words of `notify: [{on: […]}]`."""

    DONE = "done"
    PARKED = "parked"
    MISMATCH = "mismatch"
    STOPPED = "stopped"
    STRUGGLING = "struggling"
    THROTTLED = "throttled"


URGENT = frozenset({Occasion.PARKED, Occasion.MISMATCH, Occasion.STOPPED})
"""What waits for a person."""


@dataclass(frozen=True)
class Happening:
    """One thing that came to pass. `key` is its own for ever; `at` is when it did (or began, where
    it goes on); `tenant` is `cluster/customer/profile`, `subject` a window's or group's id ('' it
    is about the whole campaign, or about no window); `text` has the evidence."""

    key: str
    occasion: Occasion
    campaign: str
    at: datetime
    text: str
    cluster: str = ""
    tenant: str = ""
    subject: str = ""


@dataclass(frozen=True)
class Message:
    """What is sent: one line, and what, where, why and what to type next beneath. `urgent`: a
    person is waited for."""

    title: str
    body: str
    urgent: bool = False
