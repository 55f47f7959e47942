"""Who is in the fleet demo, at which volume, and which campaigns rebuild them. Pure.

Clusters, named customers and the volumes of those that struggled are the work log's; what it does
not say (the other customers' names and volumes) is drawn from the seed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

SEED = 20260222
RANGE = ("2026-01-01", "2026-02-21")
DAYS = 51

CLUSTERS = {
    "voice-prod": 17,
    "us-east-1-prod": 44,
    "us-west-2-prod": 30,
    "chat-prod": 3,
    "schwab-prod": 1,
    "eu-west-2-prod": 0,
    "ap-southeast-2-prod": 0,
    "ca-central-1-prod": 0,
}
"""Each cluster of the log with its number of customers; three have no data in the range."""

CREWS = {
    "voice": ("voice-prod",),
    "us-east": ("us-east-1-prod",),
    "us-west": ("us-west-2-prod",),
    "small": tuple(name for name, customers in CLUSTERS.items() if customers < 17),
}
"""Worker processes, and the clusters that each serves."""

STRUGGLED = ("hilton", "united-east", "marriott", "spirit")
STEADY = "vivint"
DAILY = "oportun"
BASELINES = {"oportun": 307_000, "cvs": 95_000}
"""Scorecards a day of what the log compared against; cvs is of another fleet, and not here."""

_KNOWN: Mapping[str, Mapping[str, tuple[int, int] | None]] = {
    "voice-prod": {
        "hilton": (4_200_000, 57_300_000),
        "vivint": (4_000_000, 54_000_000),
        "holidayinn-transfers": (900_000, 11_000_000),
        "brinks-care": None,
        "cox-tech-support": None,
        "cox-retention": None,
    },
    "us-east-1-prod": {
        "united-east": (10_700_000, 61_000_000),
        "marriott": (1_400_000, 18_200_000),
        "spirit": (1_500_000, 4_700_000),
        "alaska-air": (250_000, 2_400_000),
        "sunbit": None,
        "rentokil": None,
        "rcg": None,
        "propel": None,
        "nrg": None,
    },
    "us-west-2-prod": {"oportun": (307_000 * DAYS, 2 * 307_000 * DAYS)},
    "chat-prod": {"verizon-wireless": (900_000, 9_000_000)},
    "schwab-prod": {"schwab": (420_000, 3_600_000)},
}
"""Scorecards and scores that the log tells, or that its hours suggest; None is drawn."""

_FIRST = (
    "acme", "globex", "initech", "umbrella", "hooli", "stark", "wayne", "wonka", "tyrell",
    "cyberdyne", "soylent", "vandelay", "gringotts", "duff", "oscorp",
)  # fmt: skip
_LAST = ("care", "sales", "retention", "billing", "east", "west")
_FEWEST, _MOST = 3_000, 150_000


@dataclass(frozen=True)
class Customer:
    """One tenant: rows of the range in the source, those that an exclusion keeps out included.
    `first` is the first of its ids, which no other customer's reach."""

    cluster: str
    name: str
    profile: str
    scorecards: int
    scores: int
    first: int

    @property
    def database(self) -> str:
        """Its ClickHouse database."""
        return f"{self.name}_{self.profile}".replace("-", "_")

    @property
    def rows(self) -> int:
        """Rows of both tables."""
        return self.scorecards + self.scores


@dataclass(frozen=True)
class Intent:
    """One campaign: which tenants, and by which windows."""

    name: str
    clusters: str
    tenants: tuple[str, ...]
    window: str
    reason: str
    excepted: tuple[str, ...] = ()


def customers(scale: float, seed: int = SEED) -> tuple[Customer, ...]:
    """All customers at this scale, cluster by cluster; the same ones for the same seed."""
    dice = Random(seed)
    names = [f"{one}-{two}" for one in _FIRST for two in _LAST]
    dice.shuffle(names)
    found: list[Customer] = []
    first = 1
    for cluster, count in CLUSTERS.items():
        known = dict(_KNOWN.get(cluster, {}))
        known |= dict.fromkeys([names.pop() for _ in range(count - len(known))])
        for name, volume in known.items():
            cards, scores = volume or _drawn(dice)
            one = _customer(cluster, name, _scaled(cards, scale), _scaled(scores, scale), first)
            first += one.scorecards * 2 + one.scores
            found.append(one)
    return tuple(found)


def _drawn(dice: Random) -> tuple[int, int]:
    """Many small ones, few large ones."""
    cards = round(_FEWEST * (_MOST / _FEWEST) ** dice.random())
    return cards, round(cards * dice.uniform(4, 14))


def _customer(cluster: str, name: str, cards: int, scores: int, first: int) -> Customer:
    profile = "chat" if cluster == "chat-prod" else "voice"
    return Customer(cluster, name, profile, cards, scores, first)


def _scaled(rows: int, scale: float) -> int:
    return max(1, round(rows * scale))


def total_rows(everybody: tuple[Customer, ...]) -> int:
    """Rows of the range in all sources."""
    return sum(one.rows for one in everybody)


def intents() -> Iterator[Intent]:
    """The campaigns, in the order in which they are submitted."""
    again = "scorecards were recalculated; appeal requests must go"
    whole = ("hilton", "vivint", "holidayinn-transfers")
    east = ("united-east", "marriott", "spirit")
    yield Intent("voice-whole-range", "voice-prod", whole, "none", again)
    yield Intent("us-east-whole-range", "us-east-1-prod", east, "none", again)
    yield Intent("oportun-daily", "us-west-2-prod", (DAILY,), "1d", again)
    yield Intent("fleet-jan-feb-2026", "all", ("all",), "none", again, (*whole, *east, DAILY))
