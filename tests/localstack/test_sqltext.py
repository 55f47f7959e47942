"""Taking statements apart."""

import time

import pytest

from windlass.localstack.front.errors import FrontError
from windlass.localstack.front.sqltext import Statement, leaves_session, parse

CASES = {
    b"SELECT 1": Statement("output", b"SELECT 1"),
    b"SELECT 1;  -- done": Statement("output", b"SELECT 1"),
    b"select 1 format JSON": Statement("output", b"select 1 ", b"", "JSON"),
    b"select 1 format TSV settings max_threads = 1;": Statement(
        "output", b"select 1 ", b" settings max_threads = 1", "TSV"
    ),
    b"select format from t": Statement("output", b"select format from t"),
    b"select ';format x' as format": Statement("output", b"select ';format x' as format"),
    b"select 1 /* format CSV */": Statement("output", b"select 1"),
    b"(select 1) union all (select 2) format CSV": Statement(
        "output", b"(select 1) union all (select 2) ", b"", "CSV"
    ),
    b"describe t settings max_threads = 1": Statement(
        "output", b"describe t ", b"settings max_threads = 1"
    ),
    b"select a from t settings max_threads = 1": Statement(
        "output", b"select a from t settings max_threads = 1"
    ),
    b"create table t (a Int8) engine = Memory": Statement(
        "other", b"create table t (a Int8) engine = Memory"
    ),
    b"KILL QUERY WHERE 1 SYNC FORMAT TSV": Statement(
        "kill", b"KILL QUERY WHERE 1 SYNC ", b"", "TSV"
    ),
    b"SET a = 1": Statement("set", b"SET a = 1"),
    b"insert into t select ';' from u;": Statement("other", b"insert into t select ';' from u"),
    b"insert into t (select 1)": Statement("other", b"insert into t (select 1)"),
    b"insert into t select a from input('a Int8') where a > 1 format CSV 1\n": Statement(
        "insert",
        b"insert into t select a from input('a Int8') where a > 1 ",
        b"",
        "CSV",
        len(b"insert into t select a from input('a Int8') where a > 1 format CSV "),
        (
            len(b"insert into t select a from input("),
            len(b"insert into t select a from input('a Int8'"),
        ),
    ),
    b"SELECT -1, 2.5e-3 - 4, [1,2] FORMAT CSV": Statement(
        "output", b"SELECT -1, 2.5e-3 - 4, [1,2] ", b"", "CSV"
    ),
}


@pytest.mark.parametrize("sql", CASES)
def test_statement(sql: bytes) -> None:
    assert parse(sql) == CASES[sql]


def test_long_lists_are_cheap() -> None:
    """Keys by the hundred thousand are put into statements; brackets in strings do not count."""
    keys = ",".join(f"('k){number}', {number})" for number in range(300_000))
    sql = f"SELECT 1 FROM t WHERE (a, b) IN ({keys}) FORMAT CSV".encode()
    start = time.process_time()
    assert parse(sql).format == "CSV"
    assert parse(b"INSERT INTO u " + sql.removesuffix(b" FORMAT CSV")).kind == "other"
    assert time.process_time() - start < 4


INSERTS = {
    b"INSERT INTO t FORMAT CSV\n1;2\n": (b"INSERT INTO t ", b"", "CSV", b"1;2\n"),
    b"INSERT INTO t (a, `f)ormat`) FORMAT Native\r\n\x00\xff'": (
        b"INSERT INTO t (a, `f)ormat`) ",
        b"",
        "Native",
        b"\x00\xff'",
    ),
    b"insert into format format TSV x": (b"insert into format ", b"", "TSV", b"x"),
    b"insert into values values (1);": (b"insert into values ", b"", "Values", b" (1);"),
    b"INSERT INTO d.format VALUES(1)": (b"INSERT INTO d.format ", b"", "Values", b"(1)"),
    b"INSERT INTO t (a) SETTINGS x=1, y='format CSV' FORMAT TSV\n1": (
        b"INSERT INTO t (a) ",
        b"SETTINGS x=1, y='format CSV' ",
        "TSV",
        b"1",
    ),
    b"INSERT INTO FUNCTION file('a', 'CSV', 'x Int8') FORMAT CSV\n1": (
        b"INSERT INTO FUNCTION file('a', 'CSV', 'x Int8') ",
        b"",
        "CSV",
        b"1",
    ),
    b"INSERT INTO {d:Identifier}.{t:Identifier} (a) FORMAT CSV\n1": (
        b"INSERT INTO {d:Identifier}.{t:Identifier} (a) ",
        b"",
        "CSV",
        b"1",
    ),
    b"WITH 1 AS y INSERT INTO t (s) FORMAT TSV\nv;\n": (
        b"WITH 1 AS y INSERT INTO t (s) ",
        b"",
        "TSV",
        b"v;\n",
    ),
    b"/* insert */ INSERT -- FORMAT x\n INTO t FORMAT CSV\n": (
        b"/* insert */ INSERT -- FORMAT x\n INTO t ",
        b"",
        "CSV",
        b"",
    ),
}


@pytest.mark.parametrize("sql", INSERTS)
def test_insert(sql: bytes) -> None:
    found = parse(sql)
    assert found.kind == "insert"
    assert (found.body, found.tail, found.format, sql[found.data_at :]) == INSERTS[sql]


@pytest.mark.parametrize(
    "sql", [b"", b" -- nothing\n", b"select 1; select 2", b"set a=1; drop table t"]
)
def test_refused(sql: bytes) -> None:
    with pytest.raises(FrontError) as caught:
        parse(sql)
    assert caught.value.code == 62


def test_a_cut_insert_is_not_yet_one() -> None:
    """The head of a body arrives in pieces: nothing may be taken for data too early."""
    whole = b"INSERT INTO t (a) FORMAT CSV\n"
    assert [n for n in range(len(whole)) if parse(whole[:n] or b"I").kind == "insert"] == [
        *range(len(b"INSERT INTO t (a) FORMAT C"), len(whole))
    ]


@pytest.mark.parametrize(
    ("sql", "leaves"),
    [
        (b"drop table if exists t", True),
        (b"/* set */ ALTER TABLE t DELETE WHERE a = 1", True),
        (b"insert into t select 1", True),
        (b"create temporary table t (a Int8)", False),
        (b"drop TEMPORARY table t", False),
        (b"set max_threads = 1", False),
        (b"use other", False),
        (b"begin transaction", False),
        (b"set role all", False),
    ],
)
def test_what_leaves_a_session_as_it_was(sql: bytes, leaves: bool) -> None:
    assert leaves_session(parse(sql)) is leaves
