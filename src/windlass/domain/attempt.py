"""Attempts: one try at a publish group, and the names by which its traces are found again."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Attempt:
    """One try at a window's load or at a group's publish.

    `subject` is the window's or group's id, `number` counts from 1 and is never used twice for
    one subject, whoever retries.
    """

    campaign: str
    subject: str
    number: int

    @property
    def tag(self) -> str:
        """What every ClickHouse statement of this attempt carries as log_comment."""
        return f"windlass/{self.subject}#{self.number}"

    @property
    def token(self) -> str:
        """16 hex digits that name the attempt where names are short (staging tables,
        PostgreSQL's application_name)."""
        return hashlib.sha256(self.tag.encode()).hexdigest()[:16]

    @property
    def application_name(self) -> str:
        """What every PostgreSQL session of this attempt is called (at most 63 bytes)."""
        return f"windlass:{self.token}"


@dataclass(frozen=True)
class Staging:
    """One staging table of an attempt: `<staging database>.<name>`.

    `purpose` is `rows` (one per window and table), `gone` (keys kept out by exclusions) or
    `whole` (windows assembled for a swap); `part` tells windows apart. `database` is the live
    table's: with `table` it says on which servers the staging lies.
    """

    attempt: Attempt
    table: str
    purpose: str = "rows"
    part: str = "all"
    database: str = ""

    @property
    def name(self) -> str:
        """The table's name, the same at every retry of the attempt, for nobody else."""
        return f"{self.attempt.token}_{self.table}_{self.purpose}_{self.part}"
