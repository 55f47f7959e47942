"""What the user of the target url must be allowed, as statements to type."""

from collections.abc import Sequence

from windlass.target.names import quote

LIVE = "SELECT, INSERT, ALTER DELETE, ALTER UPDATE, SHOW TABLES, SHOW COLUMNS"
STAGING = "SELECT, INSERT, CREATE TABLE, DROP TABLE, ALTER DELETE, ALTER UPDATE, SHOW TABLES"
SYSTEM_TABLES = (
    "tables",
    "columns",
    "databases",
    "parts",
    "processes",
    "mutations",
    "disks",
    "clusters",
    "macros",
    "settings",
    "merge_tree_settings",
    "merges",
    "metrics",
    "replicas",
    "server_settings",
)


def grants(user: str, staging_database: str, databases: Sequence[str]) -> list[str]:
    """One GRANT a line. CREATE DATABASE may be left away where the database exists."""
    name = quote(user)
    staging = quote(staging_database)
    live = [f"GRANT {LIVE} ON {quote(database)}.* TO {name};" for database in databases]
    system = [f"GRANT SELECT ON system.{table} TO {name};" for table in SYSTEM_TABLES]
    return [
        *live,
        f"GRANT CREATE DATABASE, {STAGING} ON {staging}.* TO {name};",
        f"GRANT KILL QUERY ON *.* TO {name};",
        *system,
    ]
