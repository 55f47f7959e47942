"""The fleet demo's `windlass.yaml`: eight clusters, one dataset."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from windlass.localstack.fleet.scenario import CLUSTERS

PATIENCE = "10s"
"""In the log hours went by; here it is minutes."""
_LIMITS = {"windows": 6, "windows_per_tenant": 2, "patience": PATIENCE}
_DATASET = {
    "tenants": {"query": "select name, profile from app.customers"},
    "database": "{customer}_{profile}",
    "tables": {
        "scorecard": {
            "from": "app.scorecards",
            "tenant": {"customer": "customer_id", "profile": "profile_id"},
            "time": "created_at",
            "key": ["scorecard_id"],
            "version": "updated_at",
            "exclude": {"appeal_requests": "t.scorecard_type = 'appeal_request'"},
        },
        "score": {
            "from": "app.scores",
            "parent": {"table": "scorecard", "on": {"scorecard_id": "scorecard_id"}},
            "time": "created_at",
            "key": ["score_id"],
            "version": "updated_at",
        },
    },
}


@dataclass(frozen=True)
class Places:
    """Where a cluster's source and target answer (URLs)."""

    source: str
    target: str


def write(path: Path, temporal: str, ledger: str, places: Mapping[str, Places]) -> None:
    """Write the fleet file, readable by the owner alone."""
    import yaml

    fleet = {
        "ledger": ledger,
        "clusters": {name: _cluster(name, temporal, places[name]) for name in CLUSTERS},
        "datasets": {"scorecards": _DATASET},
    }
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(fleet, sort_keys=False), "utf-8")


def _cluster(name: str, temporal: str, places: Places) -> dict[str, Any]:
    staging = f"windlass_staging_{name.replace('-', '_')}"
    return {
        "temporal": {"address": temporal, "namespace": name},
        "source": {"url": places.source},
        "target": {"url": places.target, "staging_database": staging},
        "limits": dict(_LIMITS),
    }
