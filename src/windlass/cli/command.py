"""From a plain function to a command that also takes the shared options."""

import inspect
from collections.abc import Callable
from typing import Any

import typer

from windlass.cli.session import ConfigOption, DebugOption, Output, OutputOption

SHARED: tuple[tuple[str, Any, Any], ...] = (
    ("output", OutputOption, Output.TABLE),
    ("config", ConfigOption, None),
    ("debug", DebugOption, False),
)

Handler = Callable[..., int]
"""A command's function: takes the session first, returns the exit code."""


def command(*examples: str, prints: bool = True) -> Callable[[Handler], typer.Typer]:
    """Turn a function into a typer app of one command. `prints` False: it has no `-o`."""

    def register(function: Handler) -> typer.Typer:
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(help=inspect.getdoc(function), epilog=_epilog(examples))(
            _with_shared(function, prints)
        )
        return app

    return register


def _epilog(examples: tuple[str, ...]) -> str:
    head = "Example:" if len(examples) == 1 else "Examples:"
    return "\n".join(["\b", head, *(f"  {line}" for line in examples)])


def _with_shared(function: Handler, prints: bool) -> Handler:
    """The function with typer's context in place of the session, and the shared options."""

    def run(ctx: typer.Context, /, **values: Any) -> int:  # noqa: ANN401 - parsed by typer
        session = ctx.obj
        session.output = values.pop("output", session.output)
        session.configure(values.pop("config"), values.pop("debug"))
        return function(session, **values)

    def called(**values: Any) -> int:  # noqa: ANN401 - typer passes everything by name
        return run(values.pop("ctx"), **values)

    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    shared = [_parameter(*one) for one in SHARED if prints or one[0] != "output"]
    context = _parameter("ctx", typer.Context, inspect.Parameter.empty)
    called.__signature__ = inspect.Signature([context, *_by_name(own), *shared])  # type: ignore[attr-defined]
    called.__name__ = function.__name__
    called.__annotations__ = {}
    return called


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:  # noqa: ANN401
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
    )


def _by_name(parameters: list[inspect.Parameter]) -> list[inspect.Parameter]:
    return [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
