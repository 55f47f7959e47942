"""The config keys, one model each. Unknown keys are errors; defaults stand here and only here."""

from collections.abc import Iterable
from datetime import timedelta
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    SecretStr,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from windlass.domain import dataset as domain
from windlass.domain.errors import UsageError
from windlass.planner import parse
from windlass.settings import checks
from windlass.settings.health import Health
from windlass.settings.notify import Notify
from windlass.settings.strict import Strict

Text = Annotated[str, StringConstraints(min_length=1)]
Name = Annotated[str, AfterValidator(checks.plain_name)]
Identifier = Annotated[str, AfterValidator(checks.identifier)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class TlsFiles(Strict):
    """TLS for Temporal with files of one's own; paths relative to the config file."""

    server_root_ca: Path | None = Field(
        default=None, description="CA certificate that signs the server's"
    )
    client_cert: Path | None = Field(default=None, description="client certificate (mTLS)")
    client_key: Path | None = Field(default=None, description="the client certificate's key")
    server_name: Text | None = Field(
        default=None, description="name expected in the server's certificate"
    )


class Temporal(Strict):
    """The Temporal that drives this cluster."""

    address: Text = Field(default="localhost:7233", description="host:port of the frontend")
    namespace: Text = Field(default="default", description="Temporal namespace")
    tls: bool | TlsFiles = Field(
        default=False, description="true, or a mapping of certificate files"
    )
    api_key: SecretStr | None = Field(default=None, description="for Temporal Cloud; turns TLS on")


class PostgreSQL(Strict):
    """The application database. Windlass only reads it."""

    url: SecretStr = Field(description="postgresql://user:password@host:port/database")

    @model_validator(mode="after")
    def _scheme(self) -> Self:
        checks.scheme("url", self.url.get_secret_value(), ("postgresql", "postgres"))
        return self


class ClickHouse(Strict):
    """The ClickHouse that serves the readers."""

    url: SecretStr = Field(description="http(s)://user:password@host:port (the HTTP interface)")
    staging_database: Text = Field(
        default="windlass_staging", description="where rows are loaded and verified before publish"
    )
    undo_retention: Annotated[str, AfterValidator(checks.span_or_zero)] = Field(
        default="7d",
        description="how long what a swap replaced is kept for undo: 7d, 12h, 30m; 0 keeps nothing",
    )
    shards: dict[Text, SecretStr] = Field(
        default_factory=dict,
        description="for Distributed tables: shard number or host, as in system.clusters: "
        "http(s)://user:password@host:port of that shard; others are reached at their host with "
        "the user, password and port of url",
    )

    @model_validator(mode="after")
    def _scheme(self) -> Self:
        checks.scheme("url", self.url.get_secret_value(), ("http", "https"))
        for name, url in self.shards.items():
            checks.scheme(name, url.get_secret_value(), ("http", "https"), "shards")
        return self

    @property
    def retention(self) -> timedelta:
        """`undo_retention` as a length of time."""
        return timedelta(0) if self.undo_retention == "0" else parse.span(self.undo_retention)


class Limits(Strict):
    """How much may be in flight on a cluster at once."""

    windows: Count = Field(default=8, description="windows in flight on the whole cluster")
    windows_per_tenant: Count = Field(default=2, description="windows in flight for one tenant")
    rows_per_second: Count | None = Field(
        default=None, description="ceiling for reading, of each worker; none by default"
    )
    patience: Annotated[str, AfterValidator(checks.patience)] = Field(
        default="2m",
        description="how long a window may struggle before it is cut into smaller ones: 90s, 2m",
    )
    health: Health = Field(
        default=Health(), description="figures of the servers that slow campaigns down or stop them"
    )

    @property
    def patience_seconds(self) -> float:
        """`patience` in seconds."""
        return checks.patience_seconds(self.patience)


class Cluster(Strict):
    """One Temporal, one source, one target."""

    temporal: Temporal = Temporal()
    source: PostgreSQL
    target: ClickHouse
    limits: Limits = Limits()
    _name: str = PrivateAttr("")

    @property
    def name(self) -> str:
        """The key that the cluster stands under."""
        return self._name

    @property
    def task_queue(self) -> str:
        """The Temporal task queue that the cluster's workers serve."""
        return f"windlass-{self._name}"


class Guard(Strict):
    """When a publish group parks instead of removing rows."""

    max_unexplained_removal: Share = Field(
        default=0.01,
        description="share of the rows before that may go without an exclusion as the reason",
    )


class Tenants(Strict):
    """Who there is: a query, or a list."""

    query: Text | None = Field(default=None, description="one SELECT; its first two columns count")
    listed: list[Any] | None = Field(
        default=None, alias="list", description="customer, customer/profile, or [customer, profile]"
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        checks.one_of("query", self.query, "list", self.listed)
        return self

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(customer, profile) of the list."""
        return tuple(checks.tenant_pair(entry) for entry in self.listed or ())

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        self.pairs()
        return self


class TenantColumns(Strict):
    """The source columns that say whose row it is."""

    customer: Text = Field(description="column with the customer")
    profile: Text | None = Field(
        default=None, description="column with the profile; none: one profile"
    )


class Parent(Strict):
    """The table that this one takes tenant and exclusions from."""

    table: Text = Field(description="the parent's name in this dataset")
    on: Annotated[dict[Text, Text], Field(min_length=1)] = Field(
        description="child column: parent column"
    )


class Table(Strict):
    """One table: where its rows come from and what names a row."""

    relation: Text = Field(alias="from", description="a table, or one SELECT; alias t")
    tenant: TenantColumns | None = Field(default=None, description="either this or parent")
    parent: Parent | None = Field(default=None, description="either this or tenant")
    time: Text = Field(description="the column that ranges are about, or parent.<column>")
    key: Annotated[list[Text], Field(min_length=1)] = Field(description="columns that name a row")
    version: Text | None = Field(
        default=None, description="column that grows with every change of a row"
    )
    exclude: dict[Identifier, Text] = Field(
        default_factory=dict, description="name: condition of rows to keep out; alias t"
    )

    @model_validator(mode="after")
    def _whose(self) -> Self:
        checks.one_of("tenant", self.tenant, "parent", self.parent)
        checks.distinct("key", self.key)
        if self.time.startswith("parent.") and self.parent is None:
            raise PydanticCustomError("time", "time is parent.…, but the table has no parent")
        return self

    def spec(self, name: str) -> domain.TableSpec:
        """The domain's word for this table."""
        tenant, parent = self.tenant, self.parent
        return domain.TableSpec(
            name=name,
            relation=self.relation,
            time=self.time,
            key=tuple(self.key),
            version=self.version,
            tenant=domain.TenantColumns(tenant.customer, tenant.profile) if tenant else None,
            parent=domain.ParentLink(parent.table, tuple(parent.on.items())) if parent else None,
            exclusions=tuple(domain.Exclusion(*item) for item in self.exclude.items()),
        )


class Dataset(Strict):
    """Tables that are rebuilt together, from one snapshot of the source."""

    tenants: Tenants
    database: Text = Field(
        default="{customer}_{profile}",
        description="a tenant's ClickHouse database; '-' becomes '_'",
    )
    max_unexplained_removal: Share | None = Field(
        default=None, description="overrides guard.max_unexplained_removal for this dataset"
    )
    tables: Annotated[dict[Text, Table], Field(min_length=1)]

    @model_validator(mode="after")
    def _family(self) -> Self:
        checks.template(self.database)
        checks.family(
            {name: t.parent.table if t.parent else None for name, t in self.tables.items()}
        )
        checks.exclusion_names(self.definition(""))
        return self

    def definition(self, name: str) -> domain.Dataset:
        """The domain's word for it, parents before their children, else in config order."""
        order = checks.family(
            {key: t.parent.table if t.parent else None for key, t in self.tables.items()}
        )
        return domain.Dataset(
            name=name,
            tables=tuple(self.tables[key].spec(key) for key in order),
            database=self.database,
            tenants_query=self.tenants.query,
            tenants_list=self.tenants.pairs(),
        )


class Fleet(Strict):
    """The whole config file: all clusters and datasets."""

    ledger: SecretStr = Field(
        default=SecretStr("sqlite:///windlass.db"),
        description="sqlite:///FILE for one host, postgresql://… for a team",
    )
    clusters: Annotated[dict[Name, Cluster], Field(min_length=1)]
    datasets: dict[Name, Dataset] = Field(default_factory=dict)
    guard: Guard = Guard()
    notify: list[Notify] = Field(
        default_factory=list, description="who is told of what happens; nobody by default"
    )
    _path: Path = PrivateAttr(Path("windlass.yaml"))

    @model_validator(mode="after")
    def _names(self) -> Self:
        checks.scheme(
            "ledger", self.ledger.get_secret_value(), ("sqlite", "postgresql", "postgres")
        )
        for name, cluster in self.clusters.items():
            cluster._name = name
        return self

    @property
    def path(self) -> Path:
        """The file that it was read from, absolute."""
        return self._path

    @property
    def ledger_url(self) -> str:
        """The ledger's URL in full: a secret, for opening it only."""
        return self.ledger.get_secret_value()

    def cluster(self, name: str) -> Cluster:
        """The cluster of that name; UsageError with the nearest one where there is none."""
        return self.clusters[_pick("cluster", name, self.clusters)]

    def select(self, patterns: Iterable[str]) -> tuple[str, ...]:
        """Names of the clusters that the patterns (names, globs, `all`) mean, in config order.
        UsageError for a pattern that means none."""
        globs = ["*" if pattern == "all" else pattern for pattern in patterns]
        for glob in globs:
            if not any(fnmatchcase(name, glob) for name in self.clusters):
                _pick("cluster", glob, self.clusters)
        return tuple(n for n in self.clusters if any(fnmatchcase(n, glob) for glob in globs))

    def dataset(self, name: str | None = None) -> domain.Dataset:
        """The dataset of that name; the name may be left out when there is exactly one."""
        if name is None and len(self.datasets) == 1:
            name = next(iter(self.datasets))
        if name is None:
            known = ", ".join(self.datasets)
            raise UsageError(
                f"which dataset? The fleet has {known}",
                where=str(self._path),
                next_step=f"add --dataset {next(iter(self.datasets))}",
            )
        return self.datasets[_pick("dataset", name, self.datasets)].definition(name)

    def max_unexplained_removal(self, dataset: str) -> float:
        """The share that holds for this dataset: its own, else the fleet's."""
        own = self.datasets[_pick("dataset", dataset, self.datasets)].max_unexplained_removal
        return self.guard.max_unexplained_removal if own is None else own


def _pick(kind: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    if name in names:
        return name
    near = get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]}?" if near else f"write one of: {', '.join(names)}"
    raise UsageError(f"no {kind} is called {name!r}", next_step=hint)


def schema() -> dict[str, Any]:
    """JSON schema of the fleet file, for editors and for `windlass schema`."""
    found = Fleet.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **found,
        "title": "Windlass fleet",
    }
