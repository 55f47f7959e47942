"""docs/types.md says what the code does, and every rule has been proven."""

from pathlib import Path

from windlass.verify import chtype, pgtype
from windlass.verify.rules import RULES
from windlass.verify.typesdoc import document

from .cases import CASES

PAGE = Path(__file__).parents[2] / "docs" / "types.md"


def test_the_page_is_current() -> None:
    hint = "python -m windlass.verify.typesdoc > docs/types.md"
    assert PAGE.read_text() == document(), hint


def test_every_rule_has_a_case() -> None:
    proven = {
        (pgtype.parse(case.source).family, chtype.parse(case.target).core.name) for case in CASES
    }
    assert set(RULES) - proven == set()
