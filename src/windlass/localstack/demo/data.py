"""The demo's data in one place: what callers of this package use."""

from windlass.localstack.demo.fleet import fleet_yaml
from windlass.localstack.demo.source import seed_source, seeded_scale
from windlass.localstack.demo.story import (
    CLUSTER,
    CUSTOMERS,
    RANGE,
    SEED,
    Expected,
    databases,
    expected,
)
from windlass.localstack.demo.target import fingerprints, seed_target

__all__ = [
    "CLUSTER",
    "CUSTOMERS",
    "RANGE",
    "SEED",
    "Expected",
    "databases",
    "expected",
    "fingerprints",
    "fleet_yaml",
    "seed_source",
    "seed_target",
    "seeded_scale",
]
