"""The local stack: real PostgreSQL, ClickHouse and Temporal on one machine, from Python wheels."""
