"""The report as the CLI uses it: one place that knows its modules."""

import json
from typing import Any

from windlass.domain.record import CampaignFacts


def as_dict(facts: CampaignFacts) -> dict[str, Any]:
    """`report --format json` as a value."""
    from windlass.report import model

    return dict(json.loads(model.as_json(model.build(facts))))


def tables(facts: CampaignFacts) -> list[dict[str, Any]]:
    """The figures of every table."""
    return list(as_dict(facts)["tables"])
