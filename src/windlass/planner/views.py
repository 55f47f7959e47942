"""What a rebuild does to the materialized views that read a table."""

from windlass.domain.schema import TargetTable
from windlass.domain.states import Path

_STAYS = "fires nothing: what the view wrote of the old rows stays, and it never sees the new ones"
_FIRES = (
    "fires it for each row that is inserted: a view that adds up counts those again; what it "
    "wrote of rows that go stays"
)
_REFILL = "; fill its target again for the range afterwards"


def view_effects(live: TargetTable, edge: Path, *, swaps: bool, edges: bool) -> dict[str, str]:
    """`{view: what will happen to it}`. `swaps`: some partitions are swapped; `edges`: some rows
    take the edge path."""
    effect = _effect(edge, swaps=swaps, edges=edges)
    found = dict.fromkeys(live.dependents, effect)
    if live.shards:
        unfired = "rows go to the local tables, so nothing that reads the Distributed table fires"
        found |= dict.fromkeys(live.shards.dependents, unfired + _REFILL)
    return found


def _effect(edge: Path, *, swaps: bool, edges: bool) -> str:
    if edge is Path.APPEND:
        return f"append moves partitions: it {_STAYS}{_REFILL}"
    if edge is Path.DELETE:
        return "a delete fires nothing: what the view wrote of these rows stays"
    said = [f"swap {_STAYS}"] if swaps else []
    said += [f"{edge} {_FIRES}"] if edges or not swaps else []
    return "; ".join(said) + _REFILL


def view_notes(live: TargetTable, effects: dict[str, str]) -> list[str]:
    """The same, as lines of a plan."""
    return [
        f"materialized view {view} reads {live.name}: {effect}" for view, effect in effects.items()
    ]
