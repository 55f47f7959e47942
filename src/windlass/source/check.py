"""What `doctor` says about the source, and the grants that would make it content."""

from collections.abc import Iterator

import psycopg

from windlass.domain.dataset import Dataset, TableSpec
from windlass.domain.errors import WindlassError
from windlass.source.discover import check_columns, no_such_table, relation_columns
from windlass.source.judge import is_query, table_name
from windlass.source.quote import ident, literal
from windlass.source.relation import predicate_sql, relation_sql, tables_of
from windlass.source.session import BEGIN, Connection, Server, control, failure_of, rows, run

Finding = tuple[str, str, str]
"""(level ok|warn|fail, what, next step)."""

OLDEST = 140000
"""server_version_num of the oldest PostgreSQL with everything that is used here (date_bin)."""

_FACTS = """\
SELECT current_setting('server_version_num')::int, current_setting('server_version'),
       pg_backend_pid(), pg_is_in_recovery(),
       pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'),
       current_user, current_setting('server_encoding'), current_setting('max_connections')::int,
       (SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL)"""

_STANDBY = """\
SELECT current_setting('hot_standby_feedback'), s.setting::bigint
FROM pg_settings s WHERE s.name = 'max_standby_streaming_delay'"""


def check_server(server: Server) -> list[Finding]:
    """Findings on reachability, version, rights and settings."""
    try:
        with control(server, "checking the source") as connection:
            return list(_server_findings(server, connection))
    except WindlassError as error:
        return [("fail", f"{server.place}: {error.what}: {error.why}", error.next_step)]


def _server_findings(server: Server, connection: Connection) -> Iterator[Finding]:
    number, version, pid, standby, sees, user, encoding, slots, used = rows(connection, _FACTS)[0]
    yield _version(server, number, version)
    yield _pooler(connection, pid)
    yield _snapshot(connection)
    yield _sees_all(sees, user)
    yield _room(slots, used)
    if encoding == "SQL_ASCII":
        what = "the database has no encoding (SQL_ASCII): text may not be UTF-8"
        yield "warn", what, "see that all text in it is UTF-8"
    yield from _limits(connection)
    if standby:
        yield from _standby(connection)


def _version(server: Server, number: int, version: str) -> Finding:
    if number < OLDEST:
        return "fail", f"PostgreSQL {version} is too old", "use PostgreSQL 14 or later"
    return "ok", f"{server.place} answers: PostgreSQL {version}", ""


def _pooler(connection: Connection, pid: int) -> Finding:
    # The pid of the protocol is the pooler's invention when there is one.
    if connection.info.backend_pid == pid:
        return "ok", "no connection pooler stands in between", ""
    fix = "point source.url at PostgreSQL itself: snapshots and cancels need a session of their own"
    return "warn", "a connection pooler stands in between", fix


def _snapshot(connection: Connection) -> Finding:
    try:
        run(connection, BEGIN)
        run(connection, "SELECT pg_export_snapshot()")
    except psycopg.Error as error:
        why = failure_of(error).text
        return "fail", f"cannot export a snapshot: {why}", "read from a server that can"
    finally:
        run(connection, "ROLLBACK")
    return "ok", "repeatable-read snapshots can be exported", ""


def _sees_all(sees: bool, user: str) -> Finding:
    if sees:
        return "ok", "other sessions' transactions can be seen", ""
    what = (
        "other roles' transactions are hidden: catch-up re-reads the last hour, and misses what a "
        "transaction open for longer commits"
    )
    return "warn", what, f"GRANT pg_read_all_stats TO {ident(user)};"


def _room(slots: int, used: int) -> Finding:
    free = slots - used
    what = f"{free} of {slots} connections are free"
    return ("ok", what, "") if free > 10 else ("warn", what, "lower limits.windows of the cluster")


def _limits(connection: Connection) -> Iterator[Finding]:
    """Limits that a session of ours could not lift would show as still in force."""
    found = rows(
        connection,
        "SELECT name, setting FROM pg_settings WHERE setting <> '0' AND name IN "
        "('idle_in_transaction_session_timeout', 'transaction_timeout')",
    )
    for name, setting in found:
        yield "warn", f"{name} is {setting} ms and stays so", f"ALTER ROLE … SET {name} = 0;"
    if not found:
        yield "ok", "no time limit of the role ends a long read", ""


def _standby(connection: Connection) -> Iterator[Finding]:
    feedback, delay = rows(connection, _STANDBY)[0]
    if feedback == "on" or delay == -1:
        yield "ok", "a standby that keeps the rows a long read needs", ""
    else:
        what = f"a standby that cancels reads which replay waits for ({delay} ms at most)"
        yield "warn", what, "set hot_standby_feedback = on there, or read from the primary"
    what = "a standby does not show the primary's transactions: catch-up re-reads the last hour"
    yield "warn", what, "nothing, unless transactions stay open for longer than an hour"


def check_tables(server: Server, dataset: Dataset) -> list[Finding]:
    """Findings per table: there, readable, its columns there, its key unique."""
    try:
        with control(server, f"checking dataset {dataset.name}") as connection:
            return [one for table in dataset.tables for one in _table(server, connection, table)]
    except WindlassError as error:
        return [("fail", f"{server.place}: {error.what}: {error.why}", error.next_step)]


def _table(server: Server, connection: Connection, table: TableSpec) -> Iterator[Finding]:
    try:
        columns = relation_columns(connection, table.relation)
        check_columns(table, columns, server.place)
        kept = [f"{predicate_sql(one)} IS NOT TRUE" for one in table.exclusions]
        where = f"WHERE {' AND '.join(kept)}" if kept else ""
        run(connection, f"SELECT 1 FROM {relation_sql(table.relation)} AS t {where} LIMIT 0")
    except WindlassError as error:
        yield "fail", f"{table.name}: {error.what}", error.next_step
        return
    except psycopg.Error as error:
        problem = _explained(server, connection, table, error)
        yield "fail", f"{table.name}: {problem.what}: {problem.why}", problem.next_step
        return
    yield "ok", f"{table.name}: {table.relation} can be read", ""
    yield from _key(connection, table)


def _explained(
    server: Server, connection: Connection, table: TableSpec, error: psycopg.Error
) -> WindlassError:
    if isinstance(error, psycopg.errors.UndefinedTable) and not is_query(table.relation):
        return no_such_table(server, connection, table.relation)
    return server.error(failure_of(error), f"reading {table.relation}")


def _key(connection: Connection, table: TableSpec) -> Iterator[Finding]:
    """A key that no index holds unique may double rows, and finds single rows slowly."""
    if is_query(table.relation):
        return
    names = ", ".join(literal(name) for name in table.key)
    found = rows(
        connection,
        "SELECT count(*) FROM pg_index i WHERE i.indisunique AND i.indisvalid "
        "AND i.indpred IS NULL AND i.indexprs IS NULL "
        f"AND i.indrelid = to_regclass({literal(relation_sql(table.relation))}) "
        "AND NOT EXISTS (SELECT 1 FROM unnest(i.indkey[0:i.indnkeyatts - 1]) k "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k "
        f"WHERE a.attname NOT IN ({names}))",
    )
    if not found[0][0]:
        key = ", ".join(ident(name) for name in table.key)
        what = f"{table.name}: no unique index proves that {', '.join(table.key)} names one row"
        yield (
            "warn",
            what,
            f"CREATE UNIQUE INDEX CONCURRENTLY ON {relation_sql(table.relation)} ({key});",
        )


def grants(server: Server, dataset: Dataset) -> list[str]:
    """SQL for the owner to run, so that the role in source.url can rebuild the dataset. No
    server is asked."""
    have = server.parameters
    role = ident(have.get("user", "windlass_reader"))
    tables = tables_of(dataset)
    schemas = dict.fromkeys(_schema(table) for table in tables)
    database = ident(have.get("dbname", have.get("user", "app")))
    return [
        f"GRANT CONNECT ON DATABASE {database} TO {role};",
        *(f"GRANT USAGE ON SCHEMA {schema} TO {role};" for schema in schemas if schema),
        *(f"GRANT SELECT ON {table} TO {role};" for table in tables),
        f"GRANT pg_read_all_stats TO {role};",
    ]


def _schema(table: str) -> str:
    parts = table_name(table)
    return ident(parts[0]) if len(parts) > 1 else ""
