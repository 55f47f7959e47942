"""Names of campaigns: what an operator may choose, and what they get without choosing."""

import re
from collections.abc import Container
from itertools import count

from windlass.domain.errors import UsageError
from windlass.domain.naming import campaign_name, safe
from windlass.domain.plan import Request

LONGEST = 63
ALLOWED = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def checked(name: str) -> str:
    """The name, when it is one. UsageError with a name that would do."""
    if ALLOWED.fullmatch(name):
        return name
    better = safe(name)[:LONGEST].strip("-")
    raise UsageError(
        f"--name {name!r} cannot name a campaign",
        why="names are lower-case letters, digits and '-', at most 63, and start with a letter "
        "or digit: they stand in ids and on command lines",
        next_step=f"--name {better}" if better else "choose another, such as acme-jan-2026",
    )


def default(request: Request, taken: Container[str] = ()) -> str:
    """From tenants and range: `acme-jan-feb-2026`; `-2` and so on where that is taken."""
    name = campaign_name(
        request.tenants,
        request.interval,
        request.mode,
        clusters=request.clusters,
        dataset=request.dataset.name,
    )
    if name not in taken:
        return name
    return next(one for n in count(2) if (one := f"{name}-{n}") not in taken)
