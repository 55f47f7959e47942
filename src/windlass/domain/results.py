"""What was counted, hashed and found: the values that verdicts are made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from windlass.domain.states import Verdict
from windlass.domain.window import Interval


@dataclass(frozen=True)
class Digest:
    """A count and an order-free sum of row hashes (decimal text). Equal digests, equal rows."""

    rows: int
    sum: str = "0"

    def __add__(self, other: "Digest") -> "Digest":
        """The digest of these rows and those."""
        return Digest(self.rows + other.rows, str(int(self.sum) + int(other.sum)))


@dataclass(frozen=True)
class Writer:
    """An open transaction that has written to tables of the dataset. `since` is None where the
    server does not show its start; `who` is for the operator."""

    id: str
    since: datetime | None
    who: str


@dataclass(frozen=True)
class Snapshot:
    """An exported source snapshot.

    `id` is what other sessions import; `taken_at` the source's clock; `horizon` the start of the
    oldest transaction then open (rows that commit later may carry versions from then on);
    `session` identifies the holder's server session. Where the dataset was named, `writers` were
    open right before, and `exact_as_of` is the instant up to which the snapshot is whole: what
    was written to the tables before it is in the snapshot, or was rolled back.
    """

    id: str
    taken_at: datetime
    horizon: datetime
    session: str
    writers: tuple[Writer, ...] = ()
    exact_as_of: datetime | None = None


@dataclass(frozen=True)
class SliceCount:
    """Rows of a slice in the source: `kept` after exclusions, `excluded` by credited name,
    `hazards` `{column: rows with a value that the target cannot hold}`, `max_version` as text."""

    kept: int
    excluded: Mapping[str, int] = field(default_factory=dict)
    hazards: Mapping[str, int] = field(default_factory=dict)
    max_version: str | None = None


@dataclass(frozen=True)
class TableLoad:
    """One table of a loaded window: rows staged, and the seconds it took, in all and by stage."""

    table: str
    rows: int
    seconds: float = 0.0
    stages: Mapping[str, float] = field(default_factory=dict)


class Evidence(StrEnum):
    """Where figures of a plan come from."""

    COUNTED = "counted"
    SAMPLED = "sampled"
    STATISTICS = "statistics"


@dataclass(frozen=True)
class Tally:
    """What one pass over a slice found: `count` of all of it, `steps` `{start: kept rows}`,
    `marks` the count of each range that was asked for, `null_time` rows of the tenant without a
    time. Unless it was `counted`, all are estimates, `marks` is empty, and `note` says how they
    were made."""

    count: SliceCount
    steps: Mapping[datetime, int]
    marks: tuple[SliceCount, ...] = ()
    null_time: int = 0
    evidence: Evidence = Evidence.COUNTED
    note: str = ""


@dataclass(frozen=True)
class Bucket:
    """One step of a histogram: its range and `{table: rows}` after exclusions."""

    interval: Interval
    rows: Mapping[str, int]

    @property
    def volume(self) -> int:
        """Rows summed over all tables."""
        return sum(self.rows.values())


@dataclass(frozen=True)
class Removed:
    """Live rows of a slice that staging does not have, before publish.

    `before` counts logical live rows, `raw` physical ones; `gone` live keys that staging lacks;
    `attributed` those of them that an exclusion explains, by name; `deleted` those that the
    source no longer has; `duplicates` live rows beyond one per key; `unexplained` the rest.
    """

    before: int
    raw: int
    gone: int
    attributed: Mapping[str, int] = field(default_factory=dict)
    deleted: int = 0
    duplicates: int = 0
    unexplained: int = 0


@dataclass(frozen=True)
class TableCounts:
    """One table's figures of one publish group; `before - removed + loaded = after`.

    `in_flight` keys changed while they were compared, last seen different: the source's newest
    word on them was still on its way. `exact_as_of` is the source's instant up to which `verdict`
    speaks (docs/publish.md); `reason` says why it is not `verified`, and what to type.
    """

    table: str
    before: int
    removed: int
    loaded: int
    after: int
    attributed: Mapping[str, int] = field(default_factory=dict)
    deleted: int = 0
    duplicates: int = 0
    unexplained: int = 0
    raw: int | None = None
    verdict: Verdict = Verdict.UNVERIFIED
    path: str = ""
    in_flight: int = 0
    exact_as_of: datetime | None = None
    reason: str = ""

    @property
    def delta(self) -> int:
        """Rows after minus rows before."""
        return self.after - self.before


@dataclass(frozen=True)
class KeyDifference:
    """A row that differs. `kind` is missing, extra or different; `columns` differ; `reason` is
    the exclusion that explains an extra row, or what the source says of it ('' nothing);
    `in_flight` says that the row is on its way rather than wrong. `values` are
    `{column: (source, target)}` where they were asked for."""

    kind: str
    key: Mapping[str, str]
    columns: tuple[str, ...] = ()
    reason: str = ""
    in_flight: bool = False
    values: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class TableVerification:
    """The outcome of verifying one table of one tenant; `keys` at most as many as asked for.

    `in_flight` rows differ, but the source changed them since, or too lately to tell: they make
    no mismatch and are in none of the other counts. `finding` says why the table could not be
    compared ('' it was). `snapshots` are the source's instants at which its parts were read: more
    than one where the verification was taken up again. `sampled` steps of time out of `steps`
    were looked at (0 of 0: all).
    """

    cluster: str
    database: str
    table: str
    source_rows: int
    target_rows: int
    missing: int = 0
    extra: int = 0
    different: int = 0
    attributed: Mapping[str, int] = field(default_factory=dict)
    verdict: Verdict = Verdict.VERIFIED
    keys: tuple[KeyDifference, ...] = ()
    in_flight: int = 0
    finding: str = ""
    snapshots: tuple[datetime, ...] = ()
    sampled: int = 0
    steps: int = 0
