"""The fleet file: what is accepted, and that every error names its place and the way out."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from windlass.domain.errors import ConfigError, UsageError
from windlass.settings import Fleet, find, load, schema

GOOD = """\
ledger: sqlite:///windlass.db
clusters:
  voice-prod:
    temporal: {address: "localhost:7233", namespace: default}
    source: {url: "postgresql://reader:${env:PG_PASSWORD}@db:5432/app"}
    target: {url: "https://windlass:${env:CH_PASSWORD}@clickhouse:8443"}
    limits: {windows: 4}
  us-east-1:
    source: {url: "postgresql://db/app"}
    target: {url: "http://clickhouse:8123", staging_database: elsewhere}
datasets:
  scorecards:
    tenants: {query: "select distinct customer_id, profile_id from app.scorecards"}
    tables:
      score:
        from: app.scores
        parent: {table: scorecard, on: {scorecard_id: scorecard_id}}
        time: parent.created_at
        key: [score_id]
        version: updated_at
      scorecard:
        from: app.scorecards
        tenant: {customer: customer_id, profile: profile_id}
        time: created_at
        key: [scorecard_id]
        exclude: {appeal_requests: "t.scorecard_type = 'appeal_request'"}
"""
SECRETS = {"PG_PASSWORD": "p@ss/word", "CH_PASSWORD": "hush"}
Loader = Callable[[str], Fleet]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "windlass.yaml"


@pytest.fixture
def read(file: Path) -> Loader:
    def reader(text: str) -> Fleet:
        file.write_text(text)
        return load(file, environ=SECRETS)

    return reader


def refused(read: Loader, old: str, new: str) -> ConfigError:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        read(GOOD.replace(old, new))
    return caught.value


def test_everything_is_read(read: Loader, file: Path) -> None:
    fleet = read(GOOD)
    cluster = fleet.cluster("voice-prod")
    assert (cluster.name, cluster.task_queue) == ("voice-prod", "windlass-voice-prod")
    assert (cluster.limits.windows, cluster.limits.windows_per_tenant) == (4, 2)
    assert cluster.target.staging_database == "windlass_staging"
    assert fleet.cluster("us-east-1").temporal.address == "localhost:7233"
    assert fleet.ledger_url == f"sqlite:///{file.parent}/windlass.db"
    assert fleet.path == file


def test_parents_come_first_and_inherit(read: Loader) -> None:
    dataset = read(GOOD).dataset()
    assert [table.name for table in dataset.tables] == ["scorecard", "score"]
    score = dataset.table("score")
    assert score.parent is not None
    assert score.parent.on == (("scorecard_id", "scorecard_id"),), "`on` is a key, not true"
    assert [e.name for e in dataset.exclusions_of(score)] == ["appeal_requests"]


def test_a_secret_is_never_shown_and_survives_the_url(read: Loader) -> None:
    fleet = read(GOOD)
    for shown in (
        repr(fleet),
        str(fleet),
        repr(fleet.cluster("voice-prod")),
        str(fleet.model_dump()),
    ):
        assert "p@ss" not in shown
        assert "hush" not in shown
    url = fleet.cluster("voice-prod").source.url.get_secret_value()
    assert url == "postgresql://reader:p%40ss%2Fword@db:5432/app"


def test_a_whole_url_from_the_environment_is_taken_as_it_is(file: Path) -> None:
    file.write_text(GOOD.replace('"postgresql://db/app"', '"${env:URL}"'))
    fleet = load(file, environ={**SECRETS, "URL": "postgresql://a:b@c/d"})
    assert fleet.cluster("us-east-1").source.url.get_secret_value() == "postgresql://a:b@c/d"


def test_a_secret_from_a_file_beside_the_config(read: Loader, file: Path) -> None:
    (file.parent / "pg").write_text("from file\n")
    fleet = read(GOOD.replace("${env:PG_PASSWORD}", "${file:pg}"))
    assert ":from%20file@" in fleet.cluster("voice-prod").source.url.get_secret_value()


def test_a_wrong_secret_url_is_not_quoted_in_the_error(read: Loader) -> None:
    error = refused(read, "https://windlass:${env", "htps://windlass:${env")
    assert "clusters.voice-prod.target.url: expected a URL that starts with http://" in error.what
    assert "hush" not in str(error)
    assert "windlass:" not in error.what


@pytest.mark.parametrize(
    ("old", "new", "said", "line"),
    [
        ("namespace:", "namspace:", "unknown key 'namspace'; did you mean namespace?", 4),
        ("windows: 4", "windows: none", "limits.windows: expected a valid integer, not 'none'", 7),
        ("windows: 4", "windows: 0", "greater than or equal to 1, not '0'", 7),
        (
            "${env:PG_PASSWORD}",
            "${env:PG_PASSWRD}",
            "PG_PASSWRD is not set (PG_PASSWORD is set)",
            5,
        ),
        ("${env:PG_PASSWORD}", "${PG_PASSWORD}", "expected ${env:NAME} or ${file:PATH}", 5),
        ("${env:PG_PASSWORD}", "${file:nowhere}", "No such file", 5),
        ("time: created_at", "tim: created_at", "unknown key 'tim'", 24),
        ("        time: created_at\n", "", "tables.scorecard.time: expected, but it is not", 22),
        (
            "table: scorecard,",
            "table: scorcard,",
            "no table 'scorcard' in this dataset; did you",
            17,
        ),
        ("table: scorecard,", "table: score,", "circle: score -> score", 17),
        ("key: [score_id]", "key: []", "score.key: expected at least one entry", 19),
        ("key: [score_id]", "key: [a, a]", "'a' stands twice", 19),
        ("time: created_at", "time: parent.created_at", "the table has no parent", 22),
        ("appeal_requests:", "appeal-requests:", "expected a name of letters, digits and '_'", 26),
        ("    tables:\n", "    database: '{custom}'\n    tables:\n", "not {custom}", 14),
        ("{query: ", "{list: [acme], query: ", "query and list exclude each other", 13),
        ("app.scores\n", "'app.scores; drop table x'\n", "expected a table", 16),
        ("app.scores\n", "'select * from x for update'\n", "one SELECT: it holds LOCK", 16),
        ("app.scores\n", "'a.b.c'\n", "expected a table (schema.table", 16),
        (
            "app.scores\n",
            "'select 1; select 2'\n",
            "one SELECT: it holds 2 statements",
            16,
        ),
        (
            "app.scores\n",
            "'select a from (b'\n",
            "one SELECT: it is no SQL of",
            16,
        ),
        (
            "app.scores\n",
            "|\n          select a,\n          (b from c\n",
            "expected one SELECT",
            18,
        ),
        (
            "\"t.scorecard_type = 'appeal_request'\"",
            '"1) or (1=1"',
            "expected one SQL condition",
            26,
        ),
        (
            "\"t.scorecard_type = 'appeal_request'\"",
            '"drop table x"',
            "expected one SQL condition",
            26,
        ),
        (
            '"select distinct',
            '"update x set y = 1 -- ',
            "tenants.query: expected one SELECT: it is not a SELECT, but UPDATE",
            13,
        ),
        ("  us-east-1:", "  voice-prod:", "the key 'voice-prod' stands twice", 8),
        ("  us-east-1:", "  all:", "expected a name of letters", 9),
        ("  voice-prod:", "  voice-prod: [", "not YAML", 5),
    ],
)
def test_errors_name_the_place(
    read: Loader, file: Path, old: str, new: str, said: str, line: int
) -> None:
    error = refused(read, old, new)
    assert said in f"{error.what} {error.why}"
    assert error.where.startswith(f"{file}:{line}"), error.where
    assert error.exit_code == 2


def test_an_exclusion_name_may_not_be_inherited_twice(read: Loader) -> None:
    own = 'version: updated_at\n        exclude: {appeal_requests: "t.kind = 1"}'
    error = refused(read, "version: updated_at", own)
    assert "'appeal_requests' is already a parent's" in error.what


def test_all_errors_are_told_at_once(read: Loader) -> None:
    error = refused(read, "limits: {windows: 4}", "limits: {windows: x, windows_per_tenant: y}")
    assert "windows: expected a valid integer, not 'x'" in error.what
    assert "windows_per_tenant: expected a valid integer, not 'y'" in error.what


def test_listed_tenants_keep_their_text(read: Loader) -> None:
    query = '{query: "select distinct customer_id, profile_id from app.scorecards"}'
    fleet = read(GOOD.replace(query, "{list: [acme/voice, no, [007, on]]}"))
    assert fleet.dataset().tenants_list == (("acme", "voice"), ("no", ""), ("007", "on"))


def test_odd_names_are_allowed(read: Loader) -> None:
    dataset = read(GOOD.replace("app.scores\n", "'app.\"My Scores\"'\n")).dataset()
    assert dataset.table("score").relation == 'app."My Scores"'


def test_names_are_suggested(read: Loader) -> None:
    fleet = read(GOOD)
    with pytest.raises(UsageError, match="did you mean voice-prod"):
        fleet.cluster("voice-prd")
    with pytest.raises(UsageError, match="did you mean scorecards"):
        fleet.dataset("scorecard")
    assert fleet.select(["all"]) == ("voice-prod", "us-east-1")
    assert fleet.select(["us-*"]) == ("us-east-1",)
    with pytest.raises(UsageError, match="no cluster is called 'eu-"):
        fleet.select(["voice-prod", "eu-*"])


def test_the_dataset_must_be_named_when_there_are_two(read: Loader) -> None:
    tail = GOOD[GOOD.index("  scorecards:") :].replace("scorecards:", "others:", 1)
    fleet = read(GOOD + tail)
    with pytest.raises(UsageError, match="which dataset"):
        fleet.dataset()
    assert fleet.dataset("others").name == "others"


def test_the_guard_of_a_dataset_comes_first(read: Loader) -> None:
    assert read(GOOD).max_unexplained_removal("scorecards") == 0.01
    fleet = read(GOOD + "guard: {max_unexplained_removal: 0.2}\n")
    assert fleet.max_unexplained_removal("scorecards") == 0.2
    own = GOOD.replace("    tables:\n", "    max_unexplained_removal: 0\n    tables:\n")
    assert read(own).max_unexplained_removal("scorecards") == 0


def test_sql_can_be_left_unchecked(file: Path) -> None:
    file.write_text(GOOD.replace("app.scores\n", "'select ('\n"))
    assert load(file, environ=SECRETS, sql=False).cluster("voice-prod")


def test_tls_files_are_found_beside_the_config(read: Loader, file: Path) -> None:
    fleet = read(GOOD.replace("namespace: default", "tls: {client_cert: cert.pem}"))
    tls = fleet.cluster("voice-prod").temporal.tls
    assert not isinstance(tls, bool)
    assert tls.client_cert == file.parent / "cert.pem"
    assert fleet.cluster("voice-prod").name == "voice-prod"


def test_find_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find(environ={}, at=tmp_path)
    assert str(tmp_path / "windlass.yaml") in caught.value.what
    assert ".windlass/windlass.yaml" in caught.value.what
    hidden = tmp_path / ".windlass" / "windlass.yaml"
    hidden.parent.mkdir()
    hidden.touch()
    assert find(environ={}, at=tmp_path) == hidden
    with pytest.raises(ConfigError, match="WINDLASS_CONFIG names it"):
        find(environ={"WINDLASS_CONFIG": "other.yaml"}, at=tmp_path)
    (tmp_path / "mine.yaml").touch()
    given = find("mine.yaml", environ={"WINDLASS_CONFIG": "other.yaml"}, at=tmp_path)
    assert given == tmp_path / "mine.yaml"


def test_every_key_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "config.md").read_text()
    models = [schema(), *schema()["$defs"].values()]
    keys = {key for model in models for key in model.get("properties", {})}
    assert {"from", "list", "staging_database"} <= keys
    assert not sorted(key for key in keys if f"`{key}`" not in text)


def test_the_schema_is_json_and_strict() -> None:
    assert json.loads(json.dumps(schema()))["additionalProperties"] is False
