"""Who is told of what: places that messages go to. None by default."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from windlass.domain.notices import URGENT, Occasion
from windlass.planner import parse
from windlass.settings import checks
from windlass.settings.strict import Strict


def _default() -> list[Occasion]:
    return [one for one in Occasion if one is Occasion.DONE or one in URGENT]


class Notify(Strict):
    """A place that messages go to."""

    url: SecretStr = Field(
        description="where to, as apprise writes it: slack://…, mailto://…, json://host/path; "
        "https://appriseit.com/services/ lists them"
    )
    on: Annotated[list[Occasion], Field(min_length=1)] = Field(
        default_factory=_default,
        description="what to tell of; by default that it is over, and what needs a person",
    )
    throttled_after: Annotated[str, AfterValidator(checks.span)] = Field(
        default="10m",
        description="how long the servers may hold a campaign back before that is told: 10m, 1h",
    )

    @model_validator(mode="after")
    def _scheme(self) -> Self:
        scheme, mark, rest = self.url.get_secret_value().partition("://")
        if not (scheme and mark and rest):
            raise checks.fail("expected a URL such as slack://…, mailto://… or json://…", "url")
        return self

    @property
    def patience_seconds(self) -> float:
        """`throttled_after` in seconds."""
        return parse.span(self.throttled_after).total_seconds()
