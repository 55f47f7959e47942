"""What a result was measured on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("clickhouse-connect", "adbc-driver-postgresql", "pyarrow", "psycopg", "temporalio")


def facts(servers: dict[str, str]) -> dict[str, str]:
    """Cores, memory, versions. `servers` are the versions that the servers told."""
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "processor": _field(Path("/proc/cpuinfo"), "model name"),
        "memory": f"{_memory_kib() / (1 << 20):.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        **servers,
        **{name: version(name) for name in _PACKAGES},
    }


def _memory_kib() -> int:
    return int(_field(Path("/proc/meminfo"), "MemTotal").split()[0])


def _field(path: Path, name: str) -> str:
    """The value of `name: value`; KeyError where the file has none."""
    for row in path.read_text(encoding="utf-8").splitlines():
        key, _, value = row.partition(":")
        if key.strip() == name:
            return value.strip()
    raise KeyError(name)


def high_water_mib(pid: int) -> float:
    """The most memory that the process ever had resident, in MiB."""
    return int(_field(Path(f"/proc/{pid}/status"), "VmHWM").split()[0]) / 1024
