"""Tenants: one customer and profile, owning one ClickHouse database."""

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, order=True)
class Tenant:
    """One customer and profile of one cluster; `database` is its ClickHouse database."""

    cluster: str
    customer: str
    profile: str
    database: str

    def __str__(self) -> str:
        return f"{self.cluster}/{self.customer}/{self.profile}"


@dataclass(frozen=True)
class TenantPattern:
    """`[cluster/]customer[/profile]` with globs; what is left out matches anything."""

    cluster: str
    customer: str
    profile: str

    @classmethod
    def parse(cls, text: str) -> "TenantPattern":
        """Read one pattern; `all` is `*`. Raises ValueError on an empty part or over three."""
        parts = ["*" if part == "all" else part for part in text.strip().split("/")]
        if not all(parts) or len(parts) > 3:
            raise ValueError(f"not a tenant: {text!r}; write [cluster/]customer[/profile]")
        if len(parts) == 3:
            return cls(*parts)
        customer, profile = (parts[0], parts[1]) if len(parts) == 2 else (parts[0], "*")
        return cls("*", customer, profile)

    def matches(self, tenant: Tenant) -> bool:
        """Whether this tenant is meant."""
        return (
            fnmatchcase(tenant.cluster, self.cluster)
            and fnmatchcase(tenant.customer, self.customer)
            and fnmatchcase(tenant.profile, self.profile)
        )


def database_name(template: str, customer: str, profile: str) -> str:
    """The tenant's database out of `{customer}_{profile}`; '-' becomes '_'."""
    return template.format(customer=customer, profile=profile).replace("-", "_")
