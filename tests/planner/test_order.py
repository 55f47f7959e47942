"""Who begins first."""

from dataclasses import replace

from tests.ledger.world import plan, tenant
from windlass.planner.order import in_order, priority_of

REQUEST = plan().request
NAMES = ("acme", "globex", "initech", "umbrella")


def ordered(**wanted: object) -> list[str]:
    request = replace(REQUEST, **wanted)  # type: ignore[arg-type]
    return [one.tenant.customer for one in in_order(request, [tenant(n) for n in NAMES])]


def test_without_a_word_they_stay_as_they_were_found() -> None:
    assert ordered() == [*NAMES]


def test_canaries_come_before_any_priority() -> None:
    found = ordered(canary=("initech/voice",), priority=(("umbrella", 9), ("acme", -1)))
    assert found == ["initech", "umbrella", "globex", "acme"]


def test_the_first_pattern_that_means_a_tenant_counts() -> None:
    request = replace(REQUEST, priority=(("acme/voice", 1), ("*", 7), ("globex", 9)))
    who = {name: tenant(name).tenant for name in NAMES}
    assert [priority_of(request, who[n]) for n in ("acme", "globex")] == [1, 7]
