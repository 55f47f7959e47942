"""What every model of the config has in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from windlass.settings import checks


class Strict(BaseModel):
    """Refuses unknown keys, naming the nearest known one; never shows values in errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=False
    )

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:  # noqa: ANN401 - anything that YAML may hold
        known = [field.alias or name for name, field in cls.model_fields.items()]
        unknown = [key for key in value if key not in known] if isinstance(value, dict) else []
        if unknown:
            raise PydanticCustomError(
                "unknown_key",
                "{said}",
                {"said": checks.unknown(unknown[0], known), "key": unknown[0]},
            )
        return value
