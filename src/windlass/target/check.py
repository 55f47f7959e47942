"""What `doctor` asks of the target: reachable, known hazards of its release, rights, room."""

from windlass.domain.errors import WindlassError
from windlass.target.names import quote
from windlass.target.staging import StagingArea

Finding = tuple[str, str, str]

_PATCH_SINCE = (25, 8)
_SWAP_SAFE_SINCE = (26, 6)
_FINAL_SAFE_SINCE = (26, 3)
_DISKS = "SELECT name, free_space, total_space FROM system.disks WHERE total_space > 0"
_TAG = "windlass/check"
_LITTLE = 0.1


def check(area: StagingArea) -> list[Finding]:
    """Findings (level ok|warn|fail, what, next step); an unreachable server is one finding."""
    try:
        area.server.value("SELECT 1", _TAG)  # the version is known from before
        version = area.server.version
    except WindlassError as error:
        return [("fail", f"{error.where}: {error.what}: {error.why}", error.next_step)]
    return [
        ("ok", f"{area.server.address}: ClickHouse {version[0]}.{version[1]} answers", ""),
        *release(version),
        *_staging(area),
        *_disks(area),
    ]


def release(version: tuple[int, int]) -> list[Finding]:
    """Hazards of that release that an operator should know."""
    found: list[Finding] = []
    if version < _SWAP_SAFE_SINCE:
        found.append(
            (
                "warn",
                "before 26.6 a restart within 8 minutes of a swap can bring old parts back",
                "after a restart run windlass verify; upgrade to 26.6 when you can",
            )
        )
    if version < _FINAL_SAFE_SINCE:
        found.append(
            (
                "warn",
                "before 26.3 readers with FINAL and a time filter may see superseded rows whose "
                "successor lies in another partition",
                "upgrade to 26.3 or later; Windlass itself counts without partition pruning",
            )
        )
    if version < _PATCH_SINCE:
        found.append(
            ("warn", "before 25.8 stale rows cannot go by patch delete", "upgrade to 25.8 or later")
        )
    return found


def _staging(area: StagingArea) -> list[Finding]:
    probe = f"{quote(area.database)}.{quote('windlass_check')}"
    server = area.server
    try:
        area.ensure_database(_TAG)
        server.run(f"DROP TABLE IF EXISTS {probe} SYNC", _TAG)
        server.run(f"CREATE TABLE {probe} (a UInt8) ENGINE = MergeTree ORDER BY a", _TAG)
        server.run(f"DROP TABLE {probe} SYNC", _TAG)
    except WindlassError as error:
        return [("fail", f"staging database {area.database}: {error.why}", error.next_step)]
    return [("ok", f"staging database {area.database} can be written to", "")]


def _disks(area: StagingArea) -> list[Finding]:
    try:
        disks = area.server.rows(_DISKS, _TAG)
    except WindlassError as error:
        return [("warn", f"free space is unknown: {error.why}", error.next_step)]
    return [
        (
            "ok" if free > total * _LITTLE else "warn",
            f"disk {name}: {free / 2**30:,.0f} of {total / 2**30:,.0f} GiB free",
            "" if free > total * _LITTLE else "free disk space: staging needs room beside live",
        )
        for name, free, total in disks
    ]
