"""The table: (PostgreSQL family, ClickHouse type) -> rule."""

from windlass.verify.passage import Rules
from windlass.verify.rules import numbers, texts, times

RULES: Rules = texts.RULES | numbers.RULES | times.RULES
