"""What is written down: tables, and the marked sections of the document."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import markdown, record
from benchmarks.markdown import MarkerError, begin, end, fill
from benchmarks.options import Options, parse_parts
from benchmarks.parts import ALL
from benchmarks.stats import Spread

ROOT = Path(__file__).parents[2]


def test_a_table_keeps_its_columns() -> None:
    text = markdown.table(("a", "b"), [["x|y", "1\n2"]])
    assert text.splitlines() == ["| a | b |", "|---|---|", "| x\\|y | 1 2 |"]


def test_a_spread_of_one_is_a_figure() -> None:
    assert markdown.spread(Spread.of([1234.5])) == "1,234"
    assert markdown.spread(Spread.of([1.0, 2.0, 4.0]), 0.5) == "1.00 (0.50 – 2.00)"


def test_sections_are_replaced_and_the_rest_stays() -> None:
    text = f"head\n{begin('a')}\nold\n{end('a')}\nby hand\n{begin('b')}\n{end('b')}\n"
    once = fill(text, {"a": "new"})
    assert once == f"head\n{begin('a')}\nnew\n{end('a')}\nby hand\n{begin('b')}\n{end('b')}\n"
    assert fill(once, {"a": "new"}) == once


@pytest.mark.parametrize(
    "text",
    ["", begin("a"), f"{end('a')}{begin('a')}", f"{begin('a')}{end('a')}{begin('a')}{end('a')}"],
)
def test_marks_must_be_there_once_and_in_order(text: str) -> None:
    with pytest.raises(MarkerError, match="once each"):
        fill(text, {"a": "new"})


def test_the_document_has_a_place_for_every_part() -> None:
    text = (ROOT / record.DOCUMENT).read_text(encoding="utf-8")
    assert fill(text, dict.fromkeys([*ALL, "targets", "machine"], "x"))


def test_the_document_is_what_the_record_makes_of_it(tmp_path: Path) -> None:
    """Nobody types a figure: rendering the record again changes nothing."""
    parts = record.load(ROOT / record.RECORD)
    copy = tmp_path / "performance.md"
    text = (ROOT / record.DOCUMENT).read_text(encoding="utf-8")
    copy.write_text(text, encoding="utf-8")
    record.write(parts, copy)
    assert copy.read_text(encoding="utf-8") == text


def test_plots_are_whole_and_small() -> None:
    for path in (ROOT / record.FOLDER).glob("*.svg"):
        ElementTree.parse(path)
        assert path.stat().st_size < 60_000, path


def test_parts_by_name() -> None:
    assert "demo" not in parse_parts("", big=False)
    assert "demo" in parse_parts("", big=True)
    assert parse_parts("cli, ratios", big=False) == ("ratios", "cli")
    with pytest.raises(ValueError, match="no part ratio;"):
        Options(parts=parse_parts("ratio", big=False))


def test_small_runs_are_small_in_every_part() -> None:
    assert Options(rows=176_000).scaled(5_000_000) == 500_000
    assert Options().scaled(5_000_000) == 5_000_000
