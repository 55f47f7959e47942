"""Where a cluster's servers are, as a hash: a plan that was made for others is not run."""

from urllib.parse import parse_qsl, urlsplit

from windlass.domain.dataset import digest_of
from windlass.settings.models import Cluster

SAID = ("host", "port", "dbname")
"""What a URL's query may say in place of its head."""


def servers(cluster: Cluster) -> str:
    """16 hex digits that change with the address of source or target, the source's database, the
    staging database, the Temporal namespace. Users and passwords may change."""
    target = cluster.target
    shards = {name: _place(url.get_secret_value()) for name, url in target.shards.items()}
    return digest_of(
        [
            _place(cluster.source.url.get_secret_value()),
            _place(target.url.get_secret_value()),
            target.staging_database,
            shards,
            cluster.temporal.namespace,
        ]
    )


def _place(url: str) -> list[object]:
    told = urlsplit(url)
    query = sorted((name, value) for name, value in parse_qsl(told.query) if name in SAID)
    return [told.netloc.rpartition("@")[2].lower(), told.path.rstrip("/"), query]
