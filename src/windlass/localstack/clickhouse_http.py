"""`python -m windlass.localstack.clickhouse_http --data DIR --port N`: the chDB engine behind
ClickHouse's HTTP interface, in a process of its own, on the loopback."""

import argparse
import os
import re
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

PASSWORD_ENV = "WINDLASS_CLICKHOUSE_PASSWORD"
_LOOPBACK = "127.0.0.1"
_GRACE_SECONDS = 8.0
_LOOK = 0.5
# The engine reads `?` and `%` in a path as options, and `*`, `{` and quotes as patterns.
_PATH = re.compile(r"[\w./ +@,:=~-]+")


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Leaves the process itself: see `_leave`."""
    options = _parse(argv)
    from windlass.localstack.front.access import Access
    from windlass.localstack.front.engine import Engine, EngineOptions
    from windlass.localstack.front.handler import Handler
    from windlass.localstack.front.server import Server

    stop = threading.Event()
    _on_signals(stop)
    os.environ["TZ"] = "UTC"  # the engine takes its time zone from here
    extra = options.extra.read_text(encoding="utf-8") if options.extra else ""
    engine = Engine(EngineOptions(options.data, options.memory, options.query_memory, extra=extra))
    handler = Handler(engine, Access(options.user, os.environ.get(PASSWORD_ENV, "")))
    server = Server(engine, handler, _LOOPBACK, options.port)
    threading.Thread(target=server.run, name="accept", daemon=True).start()
    _say(f"ready on http://{_LOOPBACK}:{server.port} (chDB, ClickHouse {engine.version})")
    # A signal may reach a thread of the engine, which does not wake this one: so it looks up.
    while not stop.wait(_LOOK):
        pass
    _say("stopping")
    server.stop(_GRACE_SECONDS)
    handler.sessions.close()
    engine.close()
    _say("stopped")
    _leave(0)
    return 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="windlass.localstack.clickhouse_http")
    parser.add_argument("--data", type=Path, required=True, help="directory of the data")
    parser.add_argument("--port", type=int, default=8123, help="port on 127.0.0.1; 0 picks one")
    parser.add_argument(
        "--user", default="default", help=f"the one user; its password is read from {PASSWORD_ENV}"
    )
    parser.add_argument("--memory", type=int, default=4 << 30, help="bytes for the whole engine")
    parser.add_argument(
        "--extra", type=Path, help="file of XML elements for the engine's configuration"
    )
    parser.add_argument("--query-memory", type=int, default=2 << 30, help="bytes for a statement")
    options = parser.parse_args(argv)
    options.data = options.data.resolve()
    if not _PATH.fullmatch(str(options.data)):
        parser.error(f"--data {options.data}: the engine cannot take this path; use plain letters")
    return options


def _on_signals(stop: threading.Event) -> None:
    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


def _say(text: str) -> None:
    sys.stderr.write(f"clickhouse_http: {text}\n")
    sys.stderr.flush()


def _leave(status: int) -> None:
    """Leave without the interpreter's shutdown, which races the engine's own threads."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
