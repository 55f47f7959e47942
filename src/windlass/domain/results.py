"""What was counted, hashed and found: the values that verdicts are made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from windlass.domain.states import Verdict
from windlass.domain.window import Interval


@dataclass(frozen=True)
class Digest:
    """A count and an order-free sum of row hashes (decimal text). Equal digests, equal rows."""

    rows: int
    sum: str = "0"


@dataclass(frozen=True)
class Snapshot:
    """An exported source snapshot.

    `id` is what other sessions import; `taken_at` the source's clock; `horizon` the start of the
    oldest transaction then open (rows that commit later may carry versions from then on);
    `session` identifies the holder's server session.
    """

    id: str
    taken_at: datetime
    horizon: datetime
    session: str


@dataclass(frozen=True)
class SliceCount:
    """Rows of a slice in the source: `kept` after exclusions, `excluded` by credited name,
    `hazards` `{column: rows with a value that the target cannot hold}`, `max_version` as text."""

    kept: int
    excluded: Mapping[str, int] = field(default_factory=dict)
    hazards: Mapping[str, int] = field(default_factory=dict)
    max_version: str | None = None


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
    """One table's figures of one publish group; `before - removed + loaded = after`."""

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

    @property
    def delta(self) -> int:
        """Rows after minus rows before."""
        return self.after - self.before


@dataclass(frozen=True)
class KeyDifference:
    """A row that differs. `kind` is missing, extra or different; `columns` differ; `reason` is
    the exclusion that explains an extra row, or '' ."""

    kind: str
    key: Mapping[str, str]
    columns: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class TableVerification:
    """The outcome of verifying one table of one tenant; `keys` at most as many as asked for."""

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
