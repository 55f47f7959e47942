"""ClickHouse's HTTP interface in front of the chDB engine."""
