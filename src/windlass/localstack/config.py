"""The fleet file of a new stack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from windlass.localstack.endpoints import Endpoints


def write_config(directory: Path, endpoints: Endpoints) -> None:
    """Write windlass.yaml when there is none; an existing one belongs to the user."""
    import yaml

    path = directory / "windlass.yaml"
    if path.exists():
        return
    temporal = {"address": endpoints.temporal, "namespace": "default"}
    local = {
        "temporal": temporal,
        "source": {"url": endpoints.postgres},
        "target": {"url": endpoints.clickhouse, "staging_database": "windlass_staging"},
    }
    fleet = {
        "ledger": f"sqlite:///{directory / 'windlass.db'}",
        "clusters": {"local": local},
        "datasets": {},
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(fleet, sort_keys=False), "utf-8")
