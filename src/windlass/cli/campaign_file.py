"""Campaign files: what `run -f` and `plan -f` read, and `affected --out` writes (docs/cli.md).

The same words as the command line's, one key each, and what no command line holds: canary tenants,
priorities, and the world that the file was reviewed against.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from windlass.cli import naming
from windlass.cli.request import Words
from windlass.domain.errors import ConfigError, UsageError
from windlass.domain.states import Mode
from windlass.planner import parse
from windlass.settings import validated
from windlass.settings.checks import fail
from windlass.settings.document import parse as read_yaml
from windlass.settings.models import Count, Text
from windlass.settings.strict import Strict

NEXT = "docs/cli.md (Campaign files) explains all keys; windlass affected … --out FILE writes one"


def _listed(value: Any) -> Any:  # noqa: ANN401 - anything that YAML may hold
    """A single text stands for a list of one."""
    return [value] if isinstance(value, str) else value


def _pattern(text: str) -> str:
    if "," in text:
        raise fail("expected one pattern an entry, without commas")
    _said(lambda: parse.patterns(text))
    return text


def _instant(text: str) -> str:
    _said(lambda: parse.instant(text, "expected a date or RFC 3339, not"))
    return text


def _window(text: str) -> str:
    if text not in {"auto", "none"}:
        _said(lambda: parse.span(text))
    return text


def _name(text: str) -> str:
    _said(lambda: naming.checked(text))
    return text


def _said(check: Any) -> None:  # noqa: ANN401 - a call that raises or not
    """An operator's error as pydantic's, which gets its place in the file."""
    try:
        check()
    except UsageError as error:
        raise fail(f"{error.what}; {error.next_step}" if error.next_step else error.what) from None


def _ranked(value: Any) -> Any:  # noqa: ANN401 - anything that YAML may hold
    """A list stands for falling priorities, its first entry the highest."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return value
    return {name: len(value) - place for place, name in enumerate(value)}


Pattern = Annotated[Text, AfterValidator(_pattern)]
Patterns = Annotated[list[Pattern], BeforeValidator(_listed)]
Priorities = Annotated[dict[Pattern, int], BeforeValidator(_ranked)]
Names = Annotated[list[Text], BeforeValidator(_listed), Field(min_length=1)]
Instant = Annotated[Text, AfterValidator(_instant)]


class CampaignFile(Strict):
    """One operator's intent, to be kept, reviewed and run."""

    name: Annotated[Text, AfterValidator(_name)] | None = Field(
        default=None, description="the campaign's name; one from tenants and range by default"
    )
    reason: Text = Field(description="why, for the record")
    dataset: Text | None = Field(default=None, description="may be left out when there is one")
    clusters: Names = Field(description="names, globs, or all")
    tenants: Annotated[Patterns, Field(min_length=1)] = Field(
        description="[cluster/]customer[/profile], globs, or all"
    )
    excepted: Patterns = Field(
        default_factory=list, alias="except", description="tenants to leave out"
    )
    start: Instant = Field(description="first instant")
    end: Instant = Field(description="the instant after the last")
    mode: Mode = Field(default=Mode.REPLACE, description="replace, append or delete")
    window: Annotated[Text, AfterValidator(_window)] = Field(
        default="auto", description="auto, none, or a length such as 10d, 1d, 6h"
    )
    parts: Count | None = Field(default=None, description="equal slices of the range")
    redo: bool = Field(default=False, description="do again what is verified and holds")
    expect_removed: dict[Text, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict, description="table: rows that may go"
    )
    accept_removal: bool = Field(default=False, description="let any number of rows go")
    canary: Patterns = Field(
        default_factory=list,
        description="tenants that begin first; the rest once these are verified",
    )
    priority: Priorities = Field(
        default_factory=dict,
        description="pattern: number, or a list of patterns: higher (earlier) ones begin first",
    )
    world: Text | None = Field(
        default=None, description="as `plan -f` prints it: a run in another world is refused"
    )

    @model_validator(mode="after")
    def _order(self) -> Self:
        start, end = parse.instant(self.start, "start"), parse.instant(self.end, "end")
        if end <= start:
            raise fail("expected an instant after start (end is exclusive)", "end")
        return self

    def words(self) -> Words:
        """As if typed."""
        return Words(
            ",".join(self.clusters),
            ",".join(self.tenants),
            self.start,
            self.end,
            self.dataset,
            self.mode,
            self.window,
            self.parts,
            tuple(self.excepted),
            self.redo,
            tuple(f"{table}={rows}" for table, rows in self.expect_removed.items()),
            self.accept_removal,
            tuple(self.canary),
            tuple(self.priority.items()),
        )


def read(file: Path) -> CampaignFile:
    """The campaign file. ConfigError with file, line, column and path of what is wrong."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError("not UTF-8 text", where=str(file)) from None
    except OSError as error:
        raise ConfigError(
            f"cannot read the campaign file: {error.strerror}", where=str(file), next_step=NEXT
        ) from None
    document, value = read_yaml(file, text)
    if not isinstance(value, dict) or not value:
        raise ConfigError(
            "expected a campaign: clusters, tenants, start, end, reason",
            where=document.at(()),
            next_step=NEXT,
        )
    return validated(CampaignFile, document, value, NEXT)


def refuse_more(file: Path, given: Words, base: Words) -> None:
    """A campaign file says all of it: UsageError for arguments and options beside it."""
    if given != base:
        raise UsageError(
            "--file says already what to do",
            why="a campaign file has its own clusters, tenants, range and options",
            next_step=f"change {file}, or leave --file out",
        )


def write(file: Path, keys: Mapping[str, Any], comments: Sequence[str]) -> None:
    """Write a campaign file that `read` takes; an existing file is left alone (UsageError)."""
    import yaml

    head = "".join(f"# {line}\n" for line in comments)
    text = head + yaml.safe_dump(dict(keys), sort_keys=False, allow_unicode=True, width=96)
    try:
        with file.open("x", encoding="utf-8") as made:
            made.write(text)
    except FileExistsError:
        raise UsageError(
            "there is such a file already", where=str(file), next_step="choose another --out"
        ) from None
    except OSError as error:
        raise UsageError(
            f"cannot write the campaign file: {error.strerror}",
            where=str(file),
            next_step="give --out a file in a folder that exists and is yours",
        ) from None
