"""`windlass doctor --clean`: remove what dead attempts left behind."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from windlass.cli.options import agreed
from windlass.cli.session import Session
from windlass.cli.show.common import Column, console, count, plural, print_json, table

if TYPE_CHECKING:
    from windlass.engine.activities.tidy import Orphan


def clean(session: Session, clusters: Sequence[str], yes: bool) -> int:
    """List, ask, remove. Only what carries our mark is ever listed; the worker looks again
    before it removes anything."""
    found = {name: session.backend.orphans(name, session.say) for name in clusters}
    todo = {name: orphans for name, orphans in found.items() if orphans}
    if todo and not session.as_json:
        _print(todo)
    if todo:
        many = sum(map(len, todo.values()))
        agreed(session, f"Remove {plural(many, 'orphan')}?", yes)
    gone = {name: session.backend.clean(name, todo[name], session.say) for name in todo}
    if session.as_json:
        cleaned = [{"cluster": name} | asdict(one) for name in gone for one in gone[name]]
        print_json({"cleaned": cleaned})
    session.say(_words(todo, gone))
    return 0


def _words(todo: dict[str, "Sequence[Orphan]"], gone: dict[str, "Sequence[Orphan]"]) -> str:
    if not todo:
        return "nothing is left over from dead attempts"
    asked, done = sum(map(len, todo.values())), sum(map(len, gone.values()))
    kept = f"; {asked - done} are none any more" if done < asked else ""
    return f"removed {done} of {plural(asked, 'orphan')}{kept}"


def _print(todo: dict[str, "Sequence[Orphan]"]) -> None:
    columns = [Column("cluster"), Column(""), Column("bytes", number=True), Column("what")]
    rows = (
        (name, one.kind, count(one.bytes), f"{one.name}\n{one.why}")
        for name, orphans in todo.items()
        for one in orphans
    )
    console().print(table(columns, rows))
