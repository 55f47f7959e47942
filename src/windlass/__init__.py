"""Windlass rebuilds date ranges of tenant data in ClickHouse from PostgreSQL, exactly."""
