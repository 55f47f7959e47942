"""What doctor is told, addresses, and errors that keep secrets."""

import pytest

from tests.target.bench import Bench, at
from windlass.domain.errors import (
    AccessError,
    ConfigError,
    PlanError,
    StagingGoneError,
    TransientError,
    UnreachableError,
)
from windlass.domain.window import Interval
from windlass.target import times
from windlass.target.check import release
from windlass.target.clickhouse import ClickHouseTarget
from windlass.target.client import Address
from windlass.target.errors import translate
from windlass.target.names import literal, quote


def test_a_server_in_good_order(bench: Bench) -> None:
    findings = bench.target.check()
    assert {level for level, _, _ in findings} <= {"ok", "warn"}
    assert any("ClickHouse 26.9 answers" in what for _, what, _ in findings)
    assert any("windlass_staging can be written to" in what for _, what, _ in findings)


def test_an_unreachable_server_is_one_finding() -> None:
    target = ClickHouseTarget("http://user:s3cret@127.0.0.1:1", "s")
    ((level, what, step),) = target.check()
    assert level == "fail"
    assert "127.0.0.1:1" in what
    assert "Connection refused" in what
    assert "query_id" not in what, "an operator does not want the statement's settings"
    assert step
    assert "s3cret" not in what + step
    with pytest.raises(UnreachableError):
        target.databases()


@pytest.mark.parametrize(
    ("version", "warnings"), [((25, 5), 3), ((25, 8), 2), ((26, 3), 1), ((26, 6), 0)]
)
def test_known_hazards_by_release(version: tuple[int, int], warnings: int) -> None:
    assert len(release(version)) == warnings


def test_addresses() -> None:
    address = Address.parse("https://me:p%40ss@db.example?verify=false")
    assert (address.host, address.port, address.secure) == ("db.example", 8443, True)
    assert (address.user, address.password) == ("me", "p@ss")
    assert "p@ss" not in f"{address!r} {address}"
    with pytest.raises(ConfigError):
        Address.parse("clickhouse://db:9000")


def test_errors_say_what_to_type() -> None:
    denied = Exception(
        "Received ClickHouse exception, code: 497, server response: Code: 497. DB::Exception: me: "
        "Not enough privileges. To execute this query, it's necessary to have the grant "
        "ALTER DELETE ON acme.items. (ACCESS_DENIED) (for url https://me:p@ss@db:8443)"
    )
    error = translate(denied, "clickhouse db:8443")
    assert isinstance(error, AccessError)
    assert "GRANT ALTER DELETE ON acme.items TO" in error.next_step
    assert "p@ss" not in str(error)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (60, StagingGoneError),
        (62, PlanError),
        (516, AccessError),
        (241, TransientError),
        (252, TransientError),
    ],
)
def test_codes(code: int, kind: type[Exception]) -> None:
    assert isinstance(translate(Exception(f"Code: {code}. DB::Exception: x"), "here"), kind)


def test_grants_name_every_database(bench: Bench) -> None:
    lines = bench.target.grants(["acme_voice", "glo`bex"])
    assert any("`acme_voice`.*" in line for line in lines)
    assert any("`glo\\`bex`.*" in line for line in lines)
    assert any("`windlass_staging`.*" in line for line in lines)


def test_quoting() -> None:
    assert quote("a`b\\") == "`a\\`b\\\\`"
    assert literal("a'b\\") == "'a\\'b\\\\'"


@pytest.mark.parametrize(
    ("kind", "instant", "constant"),
    [
        (
            "DateTime64(6, 'UTC')",
            "2026-01-01T00:00:00.000001",
            "toDateTime64('2026-01-01 00:00:00.000001', 6, 'UTC')",
        ),
        (
            "Nullable(DateTime64(3))",
            "2026-01-01T00:00:00.000001",
            "toDateTime64('2026-01-01 00:00:00.001', 3, 'UTC')",
        ),
        ("DateTime64(9)", "2026-01-01", "toDateTime64('2026-01-01 00:00:00.000000000', 9, 'UTC')"),
        ("DateTime", "2026-01-01T00:00:00.5", "toDateTime('2026-01-01 00:00:01', 'UTC')"),
        ("DateTime('Asia/Tokyo')", "1960-01-01", "toDateTime('1970-01-01 00:00:00', 'UTC')"),
        ("Date", "2026-01-01T00:00:01", "toDate('2026-01-02')"),
    ],
)
def test_bounds_are_the_first_value_at_or_after(kind: str, instant: str, constant: str) -> None:
    found = times.parse(kind)
    assert found is not None
    assert found.constant(at(instant)) == constant


@pytest.mark.parametrize("kind", ["DateTime64(6, 'UTC')", "DateTime64(3)", "DateTime", "Date"])
def test_the_server_and_we_agree_on_bounds(bench: Bench, kind: str) -> None:
    found = times.parse(kind)
    assert found is not None
    interval = Interval(at("2026-01-01T00:00:00.5"), at("2026-01-03"))
    ((micros, rest),) = bench.rows(
        f"SELECT {found.micros('c')}, c >= {found.constant(interval.start)} "
        f"FROM (SELECT CAST({found.constant(interval.end)} AS {kind}) AS c)"
    )
    assert int(micros) == int(interval.end.timestamp()) * 1_000_000
    assert rest == 1
