"""The demo's config file says what DESIGN's contract says, whatever the servers are called."""

from typing import Any

import yaml

from windlass.localstack.demo.data import fleet_yaml

ODD = "postgresql://me:p\"a'ss: #x@/postgres?host=/tmp/a b/pg"


def fleet() -> dict[str, Any]:
    text = fleet_yaml(ODD, "http://127.0.0.1:8123", "127.0.0.1:7233", "/tmp/it's here/w.db")
    loaded = yaml.safe_load(text)
    assert isinstance(loaded, dict)
    return loaded


def test_urls_and_paths_survive_any_character() -> None:
    loaded = fleet()
    assert loaded["ledger"] == "sqlite:////tmp/it's here/w.db"
    for cluster in loaded["clusters"].values():
        assert cluster["source"]["url"] == ODD
        assert cluster["target"]["url"] == "http://127.0.0.1:8123"
        assert cluster["temporal"] == {"address": "127.0.0.1:7233", "namespace": "default"}


def test_a_whole_ledger_url_is_taken_as_it_is() -> None:
    text = fleet_yaml("p", "c", "t", "postgresql://db/ledger")
    assert yaml.safe_load(text)["ledger"] == "postgresql://db/ledger"


def test_both_clusters_and_the_three_tables_are_there() -> None:
    loaded = fleet()
    assert list(loaded["clusters"]) == ["voice-prod", "local"]
    tables = loaded["datasets"]["scorecards"]["tables"]
    assert list(tables) == ["scorecard", "score", "scorecard_score"]
    assert tables["scorecard"]["exclude"] == {
        "appeal_requests": "t.scorecard_type = 'appeal_request'"
    }
    assert tables["scorecard_score"]["key"] == ["scorecard_id", "score_id"]
    assert tables["score"]["parent"]["table"] == "scorecard"


def test_comments_show_how_secrets_are_written() -> None:
    assert "${env:NAME}" in fleet_yaml("p", "c", "t", "l.db")
