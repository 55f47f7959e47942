"""A fleet in which one cluster and two datasets are right, and every other is wrong in one way."""

import json
import socket
import sqlite3
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from tests.acceptance.world import RANGE, World

READER, READER_SECRET, WRONG = "reader", "Rd-s3cret-only-here", "Wr0ng-s3cret-only-here"
HERE = "good"

CARD: dict[str, Any] = {
    "tenant": {"customer": "customer", "profile": "profile"},
    "time": "created_at",
    "key": ["card_id"],
    "version": "updated_at",
}

ENGINES = {
    "totals": "create table {db}.totals (card_id Int64, created_at DateTime64(6, 'UTC'), "
    "n AggregateFunction(count)) engine = AggregatingMergeTree order by (card_id, created_at)",
    "logged": "create table {db}.logged (card_id Int64, created_at DateTime64(6, 'UTC')) "
    "engine = Log",
    "seen": "create view {db}.seen as select card_id, created_at from {db}.card",
    "wider": "create table {db}.wider (card_id Int64, created_at DateTime64(6, 'UTC'), "
    "region String) engine = MergeTree order by card_id",
}

ODD_SCHEMA = 'sche"ma; %s {a:String} {} ü'
ODD = {
    "table": "ta'ble; drop table x -- %d `{name}`",
    "child": 'chi"ld 子 $name \\',
    "customer": 'cus"tomer; ',
    "profile": "pro'file %(x)s",
    "key": "ke`y {id:Int64} № %",
    "link": "link to 'it'",
    "time": 'erstellt "am" ; 100%',
    "version": "{version} \\ ünïcode",
    "value": "wert; delete from x; --",
}
ODD_TENANTS = [
    ("o'brien; drop table x", 'say "hi"'),
    ("50% {off} `$x` Zoë 北京", "back\\slash ?*[e]"),
]


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def with_port(url: str, port: int) -> str:
    """The URL with another port."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{port}"))


def with_login(url: str, user: str, password: str) -> str:
    """The URL with another login."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(user)}:{quote(password)}@{address}"))


def sq(text: str) -> str:
    """A text for PostgreSQL."""
    return "'" + text.replace("'", "''") + "'"


def dq(name: str) -> str:
    """A name for PostgreSQL, and for the `from` of a config."""
    return '"' + name.replace('"', '""') + '"'


def bq(name: str) -> str:
    """A name for ClickHouse."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


@dataclass
class Fleet(World):
    """A world with clusters that cannot be reached, and datasets that cannot be served."""

    rows: int = 2000
    warden: int = 0

    def write_config(self, exclude: str = "appeals: \"t.kind = 'appeal'\"") -> None:
        """JSON is YAML."""
        self.config.write_text(json.dumps(self.document(), ensure_ascii=False), encoding="utf-8")

    def document(self) -> dict[str, Any]:
        """The fleet file."""
        return {
            "ledger": f"sqlite:///{self.directory / 'windlass.db'}",
            "clusters": self.clusters(),
            "datasets": self.datasets(),
        }

    def clusters(self) -> dict[str, Any]:
        """Each wrong in one way, but the first."""
        pg, ch, temporal = (
            self.endpoints.postgres,
            self.endpoints.clickhouse,
            self.endpoints.temporal,
        )
        nobody = closed_port()
        default = urlsplit(ch).username or "default"
        user = urlsplit(pg).username or ""
        return {
            f"{self.name}-{which}": {
                "temporal": {"address": address, "namespace": namespace},
                "source": {"url": source},
                "target": {"url": target, "staging_database": f"{self.name}_staging"},
            }
            for which, address, namespace, source, target in (
                (HERE, temporal, "default", pg, ch),
                ("pg-down", temporal, "default", with_port(pg, nobody), ch),
                ("ch-down", temporal, "default", pg, with_port(ch, nobody)),
                ("pg-login", temporal, "default", with_login(pg, user, WRONG), ch),
                ("ch-login", temporal, "default", pg, with_login(ch, default, WRONG)),
                ("pg-rights", temporal, "default", with_login(pg, self.reader, READER_SECRET), ch),
                ("ch-rights", temporal, "default", pg, with_port(ch, self.warden)),
                ("no-temporal", f"127.0.0.1:{nobody}", "default", pg, ch),
                ("no-namespace", temporal, "nowhere", pg, ch),
                ("no-worker", temporal, "default", pg, ch),
            )
        }

    @property
    def served(self) -> list[str]:
        """The clusters that a worker can serve."""
        return [name for name in self.clusters() if "-no-" not in name]

    @property
    def reader(self) -> str:
        return f"{self.name}_{READER}"

    def datasets(self) -> dict[str, Any]:
        """`cards` is right, and so is `odd`; the others are each wrong in one way."""
        right = f"{self.name}_{{customer}}_{{profile}}"
        acme = {"list": ["acme/voice"]}
        card = {"from": f"{self.name}.cards", **CARD}
        mark = {
            "from": f"{self.name}.marks",
            "parent": {"table": "card", "on": {"card_id": "card_id"}},
            "time": "created_at",
            "key": ["mark_id"],
            "version": "updated_at",
        }

        def one(table: str = "card", database: str = right, **changed: Any) -> dict[str, Any]:
            return {"tenants": acme, "database": database, "tables": {table: {**card, **changed}}}

        excluded = {**card, "exclude": {"appeals": "t.kind = 'appeal'"}}
        return {
            "cards": {
                "tenants": {"query": f"select distinct customer, profile from {self.name}.cards"},
                "database": right,
                "tables": {"card": excluded, "mark": mark},
            },
            "odd": self.odd(),
            "nobody": {
                **one(),
                "tenants": {"query": f"select customer, profile from {self.cards} where false"},
            },
            "no-table": one(**{"from": f"{self.name}.crads"}),
            "no-time": one(time="creatd_at"),
            "no-key": one(key=["card_id", "kart"]),
            "no-predicate-column": one(exclude={"appeals": "t.knid = 'appeal'"}),
            "one-database": {**one(), "tenants": {"list": ["acme/voice", "acme/video"]},
                             "database": f"{self.name}_{{customer}}_voice"},
            "no-database": one(database=f"{self.name}_nowhere_{{customer}}"),
            "no-target": one("crad"),
            **{table: one(table) for table in ENGINES},
        }  # fmt: skip

    def odd(self) -> dict[str, Any]:
        """Names that both servers allow, and nobody would choose."""
        schema = dq(ODD_SCHEMA + self.name)
        table = {
            "from": f"{schema}.{dq(ODD['table'])}",
            "tenant": {"customer": ODD["customer"], "profile": ODD["profile"]},
            "time": ODD["time"],
            "key": [ODD["key"]],
            "version": ODD["version"],
            "exclude": {"quoted": f"t.{dq(ODD['value'])} like '%''out''%'"},
        }
        child = {
            "from": f"{schema}.{dq(ODD['child'])}",
            "parent": {"table": ODD["table"], "on": {ODD["link"]: ODD["key"]}},
            "time": ODD["time"],
            "key": [ODD["key"]],
            "version": ODD["version"],
        }
        query = f"select distinct {dq(ODD['customer'])}, {dq(ODD['profile'])} from {table['from']}"
        return {
            "tenants": {"query": query},
            "database": f"{self.name} {{customer}} {{profile}}",
            "tables": {ODD["table"]: table, ODD["child"]: child},
        }

    def build(self, exclude: str = "appeals: \"t.kind = 'appeal'\"") -> World:
        """The world, with the tables that cannot be served, a role that may not read all, and
        a tenant whose source will be emptied."""
        super().build(exclude)
        for sql in ENGINES.values():
            self.ch.command(sql.format(db=self.db))
        self.pg(f"create role {self.reader} login password '{READER_SECRET}'")
        self.pg(f"grant usage on schema {self.name} to {self.reader}")
        self.pg(f"grant select on {self.name}.cards to {self.reader}")
        self.build_odd()
        return self

    def build_odd(self) -> None:
        """Two odd tables of every odd tenant; in the target only rows that must go."""
        schema, n = dq(ODD_SCHEMA + self.name), {name: dq(text) for name, text in ODD.items()}
        self.pg(f"create schema {schema}")
        self.pg(
            f"create table {schema}.{n['table']} ({n['key']} bigint primary key, {n['customer']} "
            f"text, {n['profile']} text, {n['time']} timestamptz, {n['version']} timestamptz, "
            f"{n['value']} text)"
        )
        self.pg(
            f"create table {schema}.{n['child']} ({n['key']} bigint primary key, {n['link']} "
            f"bigint, {n['time']} timestamptz, {n['version']} timestamptz, {n['value']} text)"
        )
        for number, (customer, profile) in enumerate(ODD_TENANTS):
            self.pg(
                f"insert into {schema}.{n['table']} select g, {sq(customer)}, {sq(profile)}, "
                "timestamptz '2025-12-20Z' + g % 1000 * interval '2 hours', '2026-03-15Z', "
                "case when g % 10 = 0 then 'it is ''out'' now' else 'in ' || g end "
                f"from generate_series({number * 1000}, {number * 1000 + 999}) g"
            )
            self.odd_target(f"{self.name} {customer} {profile}".replace("-", "_"))
        self.pg(
            f"insert into {schema}.{n['child']} select {n['key']} * 2, {n['key']}, {n['time']}, "
            f"{n['version']}, 'child' from {schema}.{n['table']}"
        )

    def odd_target(self, database: str) -> None:
        """Its two tables, with a row that must go and one outside the range that must stay."""
        n = {name: bq(text) for name, text in ODD.items()}
        self.ch.command(f"create database {bq(database)}")
        for table, link in ((n["table"], ""), (n["child"], f"{n['link']} Int64, ")):
            self.ch.command(
                f"create table {bq(database)}.{table} ({n['key']} Int64, {link}{n['time']} "
                f"DateTime64(6, 'UTC'), {n['version']} DateTime64(6, 'UTC'), {n['value']} String) "
                f"engine = ReplacingMergeTree({n['version']}) partition by toYYYYMM({n['time']}) "
                f"order by {n['key']}" + self.settings
            )
            self.ch.command(
                f"insert into {bq(database)}.{table} ({n['key']}, {n['time']}, {n['version']}, "
                f"{n['value']}) values (-1, '2026-01-15 00:00:00', '2026-01-15 00:00:00', 'gone'), "
                "(-2, '2025-01-15 00:00:00', '2025-01-15 00:00:00', 'stays')"
            )

    def split(self, words: str) -> list[str]:
        """A command line: `@x` is the cluster x, `R` the range."""
        return [
            one
            for word in words.split()
            for one in (RANGE if word == "R" else (word.replace("@", f"{self.name}-"),))
        ]

    def empty_source(self) -> None:
        """Nothing is left in the range; what lies outside keeps the tenant known."""
        inside = f"created_at >= '{RANGE[0]}Z' and created_at < '{RANGE[1]}Z'"
        self.pg(f"delete from {self.name}.cards where {inside}")
        self.pg(f"delete from {self.name}.marks where {inside}")

    def live_rows(self) -> int:
        """Cards and marks that are live in the range."""
        inside = f"created_at >= '{RANGE[0]}' and created_at < '{RANGE[1]}'"
        return sum(
            self.ch.query(f"select count() from {self.db}.{t} final where {inside}").result_rows[0][
                0
            ]
            for t in ("card", "mark")
        )

    @property
    def cards(self) -> str:
        """The source table behind `cards`."""
        return f"{self.name}.cards"

    def odd_live(self, value: str = "") -> dict[tuple[str, str, str], list[tuple[Any, ...]]]:
        """Live rows of the odd tables in the range; or those of that value, wherever."""
        found = {}
        n = {name: bq(text) for name, text in ODD.items()}
        inside = f"{n['time']} >= '{RANGE[0]}' and {n['time']} < '{RANGE[1]}'"
        where = f"{n['value']} = '{value}'" if value else inside
        for customer, profile in ODD_TENANTS:
            database = bq(f"{self.name} {customer} {profile}".replace("-", "_"))
            for table in ("table", "child"):
                sql = (
                    f"select {n['key']}, toUnixTimestamp64Micro({n['time']}), {n['value']} "
                    f"from {database}.{n[table]} final where {where} order by 1"
                )
                rows = self.ch.query(sql).result_rows
                found[customer, profile, table] = [tuple(row) for row in rows]
        return found

    def odd_expected(self) -> dict[tuple[str, str, str], list[tuple[Any, ...]]]:
        """What the source has of every odd tenant in the range, excluded rows left out."""
        schema, n = dq(ODD_SCHEMA + self.name), {name: dq(text) for name, text in ODD.items()}
        found = {}
        for customer, profile in ODD_TENANTS:
            for table, joined in (
                ("table", f"from {schema}.{n['table']} t join {schema}.{n['table']} x using "
                          f"({n['key']})"),
                ("child", f"from {schema}.{n['child']} t join {schema}.{n['table']} x on "
                          f"x.{n['key']} = t.{n['link']}"),
            ):  # fmt: skip
                found[customer, profile, table] = self.pg(
                    f"select t.{n['key']}, (extract(epoch from t.{n['time']}) * 1000000)::bigint, "
                    f"t.{n['value']} {joined} where x.{n['customer']} = {sq(customer)} "
                    f"and x.{n['profile']} = {sq(profile)} and x.{n['value']} like 'in%' and "
                    f"t.{n['time']} >= '{RANGE[0]}Z' and t.{n['time']} < '{RANGE[1]}Z' order by 1"
                )
        return found

    def fingerprint(self) -> tuple[Any, ...]:
        """Everything that must not change: live rows, tables, source rows, campaigns."""
        tables = self.ch.query(
            "select database, name, total_rows from system.tables where startsWith(database, "
            "{n:String}) order by all", parameters={"n": self.name}
        ).result_rows  # fmt: skip
        live = [
            self.ch.query(f"select count(), sum(cityHash64(*)) from {self.db}.{t}").result_rows
            for t in ("card", "mark")
        ]
        source = self.pg(
            f"select count(*), sum(hashtext(c::text)) from {self.name}.cards c union all "
            f"select count(*), sum(hashtext(m::text)) from {self.name}.marks m"
        )
        return tables, live, source, self.recorded()

    def recorded(self) -> list[Any]:
        """What the ledger knows of campaigns."""
        with sqlite3.connect(self.directory / "windlass.db") as ledger:
            return ledger.execute("select name, state from campaigns order by 1").fetchall()

    @property
    def secrets(self) -> list[str]:
        urls = (self.endpoints.postgres, self.endpoints.clickhouse)
        return [READER_SECRET, WRONG, *(p for u in urls if (p := urlsplit(u).password))]

    def close(self) -> None:
        super().close()
        self.pg(f"drop schema if exists {dq(ODD_SCHEMA + self.name)} cascade")
        self.pg(f"drop role if exists {self.reader}")
        for customer, profile in ODD_TENANTS:
            database = f"{self.name} {customer} {profile}".replace("-", "_")
            self.ch.command(f"drop database if exists {bq(database)}")
