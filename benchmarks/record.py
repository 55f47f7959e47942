"""What was measured, on record: this run in build/bench.json, the last of each part in the docs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import markdown
from benchmarks.parts import ALL
from benchmarks.targets import HEAD, Check

DOCUMENT = Path("docs/performance.md")
FOLDER = Path("docs/performance")
RECORD = FOLDER / "results.json"
RUN = Path("build/bench.json")

Entry = Mapping[str, Any]
"""A part on record: `at`, `machine`, `command`, `seconds`, and `result` or `error`."""


def load(path: Path) -> dict[str, Entry]:
    """The parts on record; empty where there is no file."""
    if not path.exists():
        return {}
    found: dict[str, Entry] = json.loads(path.read_text(encoding="utf-8"))
    return found


def save(path: Path, parts: Mapping[str, Entry]) -> None:
    """Write the parts, in the suite's order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ordered = {name: parts[name] for name in ALL if name in parts}
    path.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def checks(parts: Mapping[str, Entry]) -> list[Check]:
    """All targets of the parts that were measured."""
    return [
        check
        for name, part in ALL.items()
        if (result := parts.get(name, {}).get("result")) is not None
        for check in part.checks(result)
    ]


def targets_table(parts: Mapping[str, Entry]) -> str:
    """Each target, met or missed."""
    return markdown.table(HEAD, [check.row() for check in checks(parts)])


def section(name: str, entry: Entry) -> str:
    """What a part found, and under which circumstances."""
    if "error" in entry:
        return f"Not measured: {entry['error']}"
    told = f"Measured {entry['at']} by `{entry['command']}`, in {entry['seconds']:.0f} s."
    return f"{ALL[name].render(entry['result'])}\n\n{told}"


def machine_text(entry: Entry) -> str:
    """A row for each fact of the machine."""
    return markdown.table(("machine", ""), [[k, v] for k, v in entry["machine"].items()])


def write(parts: Mapping[str, Entry], document: Path) -> None:
    """Write the document's marked sections. MarkerError: marks are missing."""
    if not parts:
        return
    sections = {name: section(name, entry) for name, entry in parts.items()}
    sections["targets"] = targets_table(parts)
    latest = max(parts.values(), key=lambda entry: str(entry["at"]))
    sections["machine"] = machine_text(latest)
    text = markdown.fill(document.read_text(encoding="utf-8"), sections)
    document.write_text(text, encoding="utf-8")


def draw(parts: Mapping[str, Entry], folder: Path) -> None:
    """Write the plots."""
    for name, entry in parts.items():
        if "result" in entry:
            ALL[name].draw(entry["result"], folder)
