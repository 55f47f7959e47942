"""The hash of where a cluster's servers are: what it goes by, and what may change."""

from pathlib import Path

import pytest

from windlass.settings import load
from windlass.settings.whereabouts import servers

CONFIG = """\
ledger: sqlite:///windlass.db
clusters:
  voice-prod:
    temporal: {address: "localhost:7233", namespace: default}
    source: {url: "postgresql://reader:secret@db:5432/app?sslmode=require"}
    target: {url: "https://windlass:secret@ch:8443", staging_database: staging}
    limits: {windows: 4}
datasets:
  scorecards:
    tenants: {list: [[acme, voice]]}
    tables:
      scorecard:
        from: app.scorecards
        tenant: {customer: customer_id, profile: profile_id}
        time: created_at
        key: [scorecard_id]
"""


def hashed(directory: Path, old: str = "", new: str = "") -> str:
    file = directory / "windlass.yaml"
    assert old in CONFIG
    file.write_text(CONFIG.replace(old, new) if old else CONFIG, encoding="utf-8")
    return servers(load(file).cluster("voice-prod"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("reader:secret@", "other:rotated@"),
        ("windlass:secret@", "windlass:rotated@"),
        ("windows: 4", "windows: 8"),
        ("sslmode=require", "sslmode=prefer"),
        ("localhost:7233", "temporal:7233"),
        ("@db:", "@DB:"),
    ],
)
def test_who_logs_in_and_how_much_at_once_may_change(tmp_path: Path, old: str, new: str) -> None:
    assert hashed(tmp_path, old, new) == hashed(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@db:5432", "@replica:5432"),
        ("@db:5432", "@db:5433"),
        ("/app", "/staging"),
        ("?sslmode=require", "?host=elsewhere"),
        ("@ch:8443", "@ch2:8443"),
        ("staging_database: staging", "staging_database: other"),
        ("namespace: default", "namespace: prod"),
    ],
)
def test_another_place_is_another_hash(tmp_path: Path, old: str, new: str) -> None:
    assert hashed(tmp_path, old, new) != hashed(tmp_path)
