"""A YAML file as plain values that remember where they stood.

Scalars stay the text that was typed (only a bare `null`, `~` or nothing is None): YAML 1.1 would
read the key `on` as true and the customer `no` as false. The models convert.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from windlass.domain.errors import ConfigError

Value = str | None | list["Value"] | dict[str, "Value"]
Step = str | int
NULLS = {"", "~", "null", "Null", "NULL"}


@dataclass(frozen=True)
class Document:
    """One YAML file: its path and its root node (None for an empty file)."""

    path: Path
    root: yaml.Node | None

    def at(self, steps: tuple[Step, ...], *, key: str | None = None) -> str:
        """`file:line:column` of the value under those steps, as deep as they lead; with `key`,
        of that key inside it."""
        node = self.node(steps)
        if key is not None and isinstance(node, yaml.MappingNode):
            node = next((k for k, _ in node.value if k.value == key), node)
        return self.place(node.start_mark) if node else str(self.path)

    def node(self, steps: tuple[Step, ...]) -> yaml.Node | None:
        """The deepest node on the way along the steps."""
        node = self.root
        for step in steps:
            inner = _child(node, step)
            if inner is None:
                return node
            node = inner
        return node

    def typed(self, steps: tuple[Step, ...]) -> str | None:
        """The scalar under the steps as it was typed, before any `${…}` was filled in."""
        node = self.root
        for step in steps:
            node = _child(node, step)
        return str(node.value) if isinstance(node, yaml.ScalarNode) else None

    def place(self, mark: Any) -> str:  # noqa: ANN401 - yaml.Mark has no stubbed type
        """`file:line:column`, counted from 1 as editors do."""
        return f"{self.path}:{mark.line + 1}:{mark.column + 1}"


def parse(path: Path, text: str) -> tuple[Document, Value]:
    """Read YAML. ConfigError: not YAML, a key twice in one mapping, an anchor inside itself."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(path, error) from None
    except yaml.YAMLError as error:
        raise ConfigError("not YAML", where=str(path), why=str(error)) from None
    document = Document(path, root)
    return document, _plain(document, root, ()) if root is not None else {}


def walk(value: Value, steps: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], str]]:
    """Every string with the steps that lead to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from walk(inner, (*steps, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk(inner, (*steps, index))
    elif isinstance(value, str):
        yield steps, value


def dotted(steps: tuple[Step, ...]) -> str:
    """`datasets.scorecards.key[0]`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.lstrip(".")


def _child(node: yaml.Node | None, step: Step) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        found = [value for key, value in node.value if key.value == str(step)]
        return found[-1] if found else None
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        inner: yaml.Node = node.value[step]
        return inner
    return None


def _plain(document: Document, node: yaml.Node, above: tuple[yaml.Node, ...]) -> Value:
    if any(node is one for one in above):
        raise ConfigError("an anchor that contains itself", where=document.place(node.start_mark))
    inside = (*above, node)
    if isinstance(node, yaml.MappingNode):
        return _mapping(document, node, inside)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(document, item, inside) for item in node.value]
    text = str(node.value)
    return None if getattr(node, "style", None) is None and text in NULLS else text


def _mapping(document: Document, node: yaml.Node, inside: tuple[yaml.Node, ...]) -> Value:
    merged: dict[str, Value] = {}
    own: dict[str, Value] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError("a key must be text", where=document.place(key.start_mark))
        if key.value in own:
            raise _twice(document, node, key)
        plain = _plain(document, value, inside)
        if key.value == "<<" and key.style is None:
            merged.update(_merge(document, key, plain))
        else:
            own[key.value] = plain
    return {**merged, **own}


def _merge(document: Document, key: yaml.Node, value: Value) -> dict[str, Value]:
    sources = value if isinstance(value, list) else [value]
    merged: dict[str, Value] = {}
    for source in reversed(sources):
        if not isinstance(source, dict):
            raise ConfigError("`<<` takes a mapping", where=document.place(key.start_mark))
        merged.update(source)
    return merged


def _twice(document: Document, node: yaml.Node, key: yaml.Node) -> ConfigError:
    first = next(k for k, _ in node.value if k.value == key.value)
    return ConfigError(
        f"the key {key.value!r} stands twice in one mapping",
        where=document.place(key.start_mark),
        why=f"it already stands in line {first.start_mark.line + 1}; which one holds is a guess",
        next_step="remove or rename one of the two",
    )


def _not_yaml(path: Path, error: yaml.MarkedYAMLError) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
    why = ", ".join(part for part in (error.context, error.problem) if part)
    return ConfigError("not YAML", where=where, why=why)
