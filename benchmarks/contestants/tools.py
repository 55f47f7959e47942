"""Tools that people use for this, in an environment of their own (benchmarks/tools.txt)."""

import json
import os
import platform
from pathlib import Path

from benchmarks.contestants.arena import Arena, CannotRun, Lap
from benchmarks.data import COLUMNS
from benchmarks.world import timed

TOOLS = Path(os.environ.get("BENCH_TOOLS", "build/bench-tools"))
_PATIENCE = 300.0
_SLING = "lib/python*/site-packages/sling_linux_amd64/bin/sling-linux-amd64"


def sling(arena: Arena) -> Lap:
    """`sling run`, whole command; it makes its target table by itself."""
    binary = next(TOOLS.resolve().glob(_SLING), None)
    if binary is None:
        raise CannotRun(f"not installed: {_why()}")
    database, url = arena.table.database, arena.world.endpoints.clickhouse
    env = {
        "SLING_HOME_DIR": str(arena.world.directory / "sling"),
        "SLING_DISABLE_TELEMETRY": "true",
        "BENCH_PG": f"{arena.world.endpoints.postgres}?sslmode=disable",
        "BENCH_CH": json.dumps(
            {"type": "clickhouse", "http_url": f"{url}/{database}", "database": database}
        ),
    }
    ends = ["--src-conn", "BENCH_PG", "--tgt-conn", "BENCH_CH"]
    stream = ["--src-stream", arena.table.select(arena.share), "--tgt-object", f"{database}.slung"]
    try:
        argv = [str(binary), "run", *ends, *stream, "--mode", "full-refresh"]
        _, seconds = timed(argv, env=env, patience=_PATIENCE)
        rows = arena.check(arena.world.value(f"select count() from {database}.slung"))
    finally:
        arena.world.command(f"drop table if exists {database}.slung sync")
    return Lap(rows, seconds)


def dlt(arena: Arena) -> Lap:
    """A dlt pipeline; the seconds of `pipeline.run`, without the start of Python."""
    python = TOOLS.resolve() / "bin" / "python"
    if not python.exists():
        raise CannotRun(f"not installed: {_why()}")
    home = arena.world.directory / "dlt"
    home.mkdir(exist_ok=True)
    with arena.landing("piped") as table:
        env = {
            "HOME": str(home),
            "DLT_DATA_DIR": str(home),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "RUNTIME__LOG_LEVEL": "ERROR",
            "BENCH_PG": arena.world.endpoints.postgres,
            "BENCH_CH": arena.world.endpoints.clickhouse,
            "BENCH_SOURCE": arena.table.relation,
            "BENCH_WHERE": arena.table.condition(arena.share),
            "BENCH_TABLE": table,
            "BENCH_COLUMNS": COLUMNS,
        }
        script = Path(__file__).with_name("dlt_pipeline.py")
        told, _ = timed([str(python), str(script)], env=env, patience=_PATIENCE)
        rows = arena.check(arena.world.value(f"select count() from {table}"))
    return Lap(rows, float(told.splitlines()[-1]))


def _why() -> str:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return "its wheel with the program inside is for Linux on x86_64 only"
    return "`make bench` puts it into build/bench-tools"
