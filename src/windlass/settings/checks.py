"""What a value must be beyond its type. Raise pydantic's errors, which `load` gives a place."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from string import Formatter

from pydantic_core import PydanticCustomError

from windlass.domain.dataset import Dataset
from windlass.domain.errors import UsageError
from windlass.planner import parse

PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECONDS = re.compile(r"([1-9]\d{0,5})s")


def fail(said: str, *under: str | int) -> PydanticCustomError:
    """An error to raise; `under` leads from the model to the value that is wrong."""
    return PydanticCustomError("said", "{said}", {"said": said, "under": list(under)})


def plain_name(text: str) -> str:
    """Names that appear in ids, globs and comma lists: no space, comma, slash or star."""
    if not PLAIN.fullmatch(text) or text == "all":
        raise fail("expected a name of letters, digits, '.', '_' and '-' (and not 'all')")
    return text


def identifier(text: str) -> str:
    """A name for an exclusion: it becomes a column value and a JSON key."""
    if not IDENTIFIER.fullmatch(text):
        raise fail("expected a name of letters, digits and '_', such as appeal_requests")
    return text


def unknown(key: str, known: list[str]) -> str:
    """What to say about a key that no model has."""
    near = get_close_matches(key, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"expected one of: {', '.join(known)}"
    return f"unknown key {key!r}; {hint}"


def scheme(key: str, url: str, allowed: tuple[str, ...], *above: str) -> None:
    """A URL must say what it is; the URL itself is not shown, it may hold a password. `above`
    leads from the model to what holds the key."""
    found = url.partition(":")[0].partition("+")[0]
    if "://" not in url or found not in allowed:
        raise fail(f"expected a URL that starts with {allowed[0]}://", *above, key)


def one_of(first: str, one: object, second: str, other: object) -> None:
    """Exactly one of two keys."""
    if one is not None and other is not None:
        raise fail(f"{first} and {second} exclude each other: keep one", second)
    if one is None and other is None:
        raise fail(f"expected {first} or {second}")


def span(text: str, more: str = "") -> str:
    """A length of time such as `7d`."""
    try:
        parse.span(text)
    except UsageError:
        raise fail(f"{text!r} is no length of time: write 7d, 12h, 30m{more}") from None
    return text


def span_or_zero(text: str) -> str:
    """A length of time such as `7d`, or `0`."""
    return text if text == "0" else span(text, ", or 0")


def patience(text: str) -> str:
    """A length of time such as `2m`, or `90s`."""
    return text if _SECONDS.fullmatch(text) else span(text, ", 90s")


def patience_seconds(text: str) -> float:
    """What `patience` let pass, in seconds."""
    found = _SECONDS.fullmatch(text)
    return float(found[1]) if found else parse.span(text).total_seconds()


def distinct(key: str, names: list[str]) -> None:
    """No name twice."""
    for index, name in enumerate(names):
        if name in names[:index]:
            raise fail(f"{name!r} stands twice", key, index)


def tenant_pair(entry: object) -> tuple[str, str]:
    """(customer, profile) of a list entry; the profile may be left out."""
    parts = entry.split("/") if isinstance(entry, str) else entry
    texts = [part for part in parts if isinstance(part, str)] if isinstance(parts, list) else []
    if not isinstance(parts, list) or len(texts) != len(parts) or not 1 <= len(texts) <= 2:
        raise fail("expected customer, customer/profile or [customer, profile]", "list")
    if not texts[0]:
        raise fail("a tenant's customer must not be empty", "list")
    return texts[0], texts[1] if len(texts) == 2 else ""


def template(text: str) -> None:
    """`{customer}` and `{profile}`, nothing else in braces."""
    try:
        fields = [(name, spec, conv) for _, name, spec, conv in Formatter().parse(text)]
    except ValueError as error:
        raise fail(
            f"expected {{customer}} and {{profile}} in braces: {error}", "database"
        ) from None
    for name, spec, conversion in fields:
        if name is not None and (name not in {"customer", "profile"} or spec or conversion):
            raise fail(f"expected {{customer}} or {{profile}}, not {{{name}}}", "database")


def family(parents: Mapping[str, str | None]) -> list[str]:
    """Table names, parents before their children and else in the order given. Fails for a
    parent that does not exist and for a circle."""
    placed: list[str] = []
    for name in parents:
        _place(name, parents, placed, [])
    return placed


def _place(
    name: str, parents: Mapping[str, str | None], placed: list[str], below: list[str]
) -> None:
    if name in placed:
        return
    if name in below:
        circle = " -> ".join([*below[below.index(name) :], name])
        raise fail(f"parents go in a circle: {circle}", "tables", below[-1], "parent", "table")
    parent = parents[name]
    if parent is not None and parent not in parents:
        near = get_close_matches(parent, list(parents), 1)
        hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(parents)}"
        raise fail(f"no table {parent!r} in this dataset{hint}", "tables", name, "parent", "table")
    if parent is not None:
        _place(parent, parents, placed, [*below, name])
    placed.append(name)


def exclusion_names(dataset: Dataset) -> None:
    """Counts are reported by exclusion name: a table must not inherit one name twice."""
    for table in dataset.tables:
        _no_twice(table.name, (e.name for e in dataset.exclusions_of(table)))


def _no_twice(table: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            said = f"the exclusion {name!r} is already a parent's: counts go by name"
            raise fail(said, "tables", table, "exclude", name)
        seen.add(name)
