"""The demo's `windlass.yaml`: a file to read and to copy from."""

import json
from importlib import resources
from string import Template


def fleet_yaml(
    postgres_url: str, clickhouse_url: str, temporal_address: str, ledger_path: str
) -> str:
    """The fleet file over these servers. `ledger_path` is a SQLite file, or a whole ledger URL."""
    ledger = ledger_path if "://" in ledger_path else f"sqlite:///{ledger_path}"
    values = {
        "postgres": postgres_url,
        "clickhouse": clickhouse_url,
        "temporal": temporal_address,
        "ledger": ledger,
    }
    text = (resources.files("windlass.localstack.demo") / "windlass.yaml.template").read_text(
        "utf-8"
    )
    # A JSON string is a YAML string whatever characters a path or password holds.
    return Template(text).substitute({name: json.dumps(value) for name, value in values.items()})
