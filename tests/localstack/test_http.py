"""The front, asked through the official client."""

import clickhouse_connect


def test_ping(clickhouse_url: str) -> None:
    client = clickhouse_connect.get_client(dsn=clickhouse_url)
    assert client.ping()
    assert client.command("SELECT 1") == 1
    client.command("CREATE DATABASE IF NOT EXISTS d")
    client.command("CREATE OR REPLACE TABLE d.t (a UInt8, b String) ENGINE = MergeTree ORDER BY a")
    client.insert("d.t", [[1, "x"], [2, "y"]], column_names=["a", "b"])
    assert client.query("SELECT a, b FROM d.t ORDER BY a").result_rows == [(1, "x"), (2, "y")]
