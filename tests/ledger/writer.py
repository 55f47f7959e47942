"""One of several processes that write to one ledger at once: `writer.py URL NUMBER TIMES`."""

import json
import sys

from tests.ledger.world import acme, draft
from windlass.domain.errors import OverlapError, RefusedError
from windlass.domain.states import State
from windlass.ledger import open_ledger


def main(url: str, number: str, times: int) -> None:
    """Create or find the campaign, then write; tell what was got."""
    ledger = open_ledger(url)
    try:
        created = bool(ledger.create_campaign(draft("acme"), acme()))
    except (OverlapError, RefusedError):
        created = False
    window = ledger.campaign_plan("acme").tenants[0].windows[0].id
    numbers = []
    for turn in range(times):
        numbers.append(ledger.begin_attempt("acme", window))
        ledger.window_started(window, numbers[-1])
        ledger.progress(window, numbers[-1], turn)
        ledger.event("acme", "voice-prod", "acme_voice", window, "turn", f"{number}/{turn}")
        ledger.status("acme")
        ledger.tenant_state("acme", "voice-prod", "acme_voice", State.RUNNING)
    told = {"created": created, "attempts": numbers, "ledger": ledger.ledger_id()}
    print(json.dumps(told))  # noqa: T201 - read by the test
    ledger.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
