"""Finding the fleet file and reading it; every error gets its place here."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, SecretStr, ValidationError

from windlass.domain.errors import ConfigError
from windlass.settings.document import Document, Step, Value, dotted, parse
from windlass.settings.fill import Filler
from windlass.settings.models import Cluster, Fleet, TlsFiles

DEFAULTS = (Path("windlass.yaml"), Path(".windlass/windlass.yaml"))
SECRET_KEYS = {"url", "api_key", "ledger"}
M = TypeVar("M", bound=BaseModel)
_KEYS = "windlass schema prints all keys; docs/config.md explains them"


def find(
    path: Path | str | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    at: Path | None = None,
) -> Path:
    """The fleet file: `--config`, WINDLASS_CONFIG, ./windlass.yaml, ./.windlass/windlass.yaml.

    A file that is named must exist; the others are tried in order. ConfigError lists them all.
    """
    folder = at or Path.cwd()
    named = path or (os.environ if environ is None else environ).get("WINDLASS_CONFIG")
    looked = [folder / named] if named else [folder / default for default in DEFAULTS]
    for candidate in looked:
        if candidate.is_file():
            return candidate.resolve()
    listing = ", ".join(str(candidate) for candidate in looked)
    source = "--config" if path else "WINDLASS_CONFIG" if named else ""
    raise ConfigError(
        f"no config file (looked at {listing})",
        why=f"{source} names it" if source else "neither --config nor WINDLASS_CONFIG is given",
        next_step="windlass dev up writes .windlass/windlass.yaml; windlass schema prints all keys",
    )


def load(path: Path | str, *, environ: Mapping[str, str] | None = None, sql: bool = True) -> Fleet:
    """Read and check the fleet file. `sql=False` leaves the check of SQL texts out, for
    commands that only read the ledger (sqlglot takes 0.15 s to import)."""
    file = Path(path).resolve()
    document, value = parse(file, _read(file))
    if not isinstance(value, dict) or not value:
        raise ConfigError("expected clusters: and datasets:", where=document.at(()))
    filled = Filler(document, os.environ if environ is None else environ).fill(value)
    fleet = _validate(document, filled)
    if sql:
        _check_sql(document, fleet)
    return _anchored(fleet, file)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError("not UTF-8 text", where=str(file)) from None
    except OSError as error:
        raise ConfigError(f"cannot read it: {error.strerror}", where=str(file)) from None


def _validate(document: Document, value: Value) -> Fleet:
    return validated(Fleet, document, value, _KEYS)


def validated(model: type[M], document: Document, value: Value, next_step: str) -> M:
    """The value as that model. ConfigError with file, line, column and YAML path of everything
    that is wrong with it."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    raise _config_error([_said(document, detail) for detail in found], next_step)


def _said(document: Document, detail: Any) -> tuple[str, str]:  # noqa: ANN401 - pydantic's dict
    """(place, text) of one of pydantic's findings."""
    context = detail.get("ctx", {})
    steps = _steps(document, (*detail["loc"], *context.get("under", ())))
    if detail["type"] == "unknown_key":
        return document.at(
            steps, key=context["key"]
        ), f"{dotted(steps) or 'top level'}: {context['said']}"
    if detail["type"] == "missing":
        return document.at(steps[:-1]), f"{dotted(steps)}: expected, but it is not there"
    hidden = bool(SECRET_KEYS & set(steps)) or "[key]" in detail["loc"]
    typed = None if hidden else document.typed(steps)
    shown = "" if typed is None else f", not {typed!r}"
    return document.at(steps), f"{dotted(steps)}: {_expected(detail)}{shown}"


def _expected(detail: Any) -> str:  # noqa: ANN401 - pydantic's dict
    if detail["type"] == "said":
        return str(detail["ctx"]["said"])
    if detail["type"] == "too_short":
        return "expected at least one entry"
    text = str(detail["msg"])
    for wordy in ("Input should be ", "List should have ", "Dictionary should have "):
        text = text.replace(wordy, "expected ")
    return text.partition(", unable to")[0].replace("String should have", "expected text with")


def _steps(document: Document, loc: tuple[Step, ...]) -> tuple[Step, ...]:
    """pydantic's way without the marks that it adds for unions and for keys of mappings."""
    steps = tuple(step for step in loc if step not in {"bool", "TlsFiles"})
    return steps[:-1] if steps and steps[-1] == "[key]" else steps


def _config_error(found: list[tuple[str, str]], next_step: str = _KEYS) -> ConfigError:
    where, what = found[0]
    more = [f"{place}: {text}" for place, text in found[1:] if (place, text) != found[0]]
    return ConfigError(
        "\n".join([what, *dict.fromkeys(more)]),
        where=where,
        next_step=next_step,
    )


def _check_sql(document: Document, fleet: Fleet) -> None:
    from windlass.settings.sql import findings

    found = [
        (_sql_place(document, steps, at), f"{dotted(steps)}: {said}")
        for steps, said, at in findings(fleet)
    ]
    if found:
        raise _config_error(found)


def _sql_place(document: Document, steps: tuple[Step, ...], at: tuple[int, int] | None) -> str:
    """Where the SQL text stands; in a block (`|`) the very line that is wrong."""
    node = document.node(steps)
    if at and isinstance(node, yaml.ScalarNode) and node.style == "|":
        return f"{document.path}:{node.start_mark.line + 1 + at[0]}"
    return document.at(steps)


def _anchored(fleet: Fleet, file: Path) -> Fleet:
    """Relative paths mean: relative to the config file."""
    ledger = fleet.ledger.get_secret_value()
    head, _, name = ledger.partition(":///")
    if head.startswith("sqlite") and name not in {"", ":memory:"}:
        ledger = f"{head}:///{file.parent / Path(name).expanduser()}"
    clusters = {name: _with_tls(one, file.parent) for name, one in fleet.clusters.items()}
    anchored = fleet.model_copy(update={"ledger": SecretStr(ledger), "clusters": clusters})
    anchored._path = file
    return anchored


def _with_tls(cluster: Cluster, folder: Path) -> Cluster:
    tls = cluster.temporal.tls
    if not isinstance(tls, TlsFiles):
        return cluster
    paths = {key: folder / path.expanduser() for key, path in tls if isinstance(path, Path)}
    temporal = cluster.temporal.model_copy(update={"tls": tls.model_copy(update=paths)})
    return cluster.model_copy(update={"temporal": temporal})
