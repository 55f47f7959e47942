"""Domain values as JSON text and back, exactly: what plans, requests and answers are kept as."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")


def dump(value: object) -> str:
    """Compact JSON of frozen dataclasses, enums, instants, mappings and sequences of them."""
    from pydantic_core import to_json

    return to_json(value, inf_nan_mode="constants").decode()


def load(kind: type[T], text: str) -> T:
    """The value of that type (`Plan`, `list[TableVerification]`) which `dump` wrote.

    Raises pydantic's ValidationError for JSON that is no such value.
    """
    found: T = _adapter(kind).validate_json(text)  # type: ignore[arg-type]
    return found


@lru_cache(maxsize=128)
def _adapter(kind: Any) -> "TypeAdapter[Any]":  # noqa: ANN401 - any type
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
