"""`${env:NAME}` and `${file:PATH}` inside strings; `$${` stands for a literal `${`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import quote

from windlass.domain.errors import ConfigError
from windlass.settings.document import Document, Step, Value, dotted

PLACE = re.compile(r"\$(?P<escaped>\$(?=\{))|\$\{(?P<inside>[^}]*)\}?")
USERINFO = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/@]*$")


@dataclass(frozen=True)
class Filler:
    """Fills placeholders of one document. Values never appear in errors: they are secrets."""

    document: Document
    environ: Mapping[str, str]

    def fill(self, value: Value, steps: tuple[Step, ...] = ()) -> Value:
        """The value with every placeholder in it replaced."""
        if isinstance(value, dict):
            return {key: self.fill(inner, (*steps, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.fill(inner, (*steps, index)) for index, inner in enumerate(value)]
        return self._text(value, steps) if value is not None else None

    def _text(self, text: str, steps: tuple[Step, ...]) -> str:
        return PLACE.sub(lambda match: self._one(match, text, steps), text)

    def _one(self, match: re.Match[str], text: str, steps: tuple[Step, ...]) -> str:
        if match["escaped"]:
            return "$"
        if not match[0].endswith("}"):
            raise self._error(steps, "`${` without its `}`", "write ${env:NAME} or ${file:PATH}")
        kind, _, name = match["inside"].partition(":")
        found = self._value(kind, name.strip(), steps)
        return quote(found, safe="") if _in_userinfo(match, text) else found

    def _value(self, kind: str, name: str, steps: tuple[Step, ...]) -> str:
        if kind == "env" and name:
            return self._env(name, steps)
        if kind == "file" and name:
            return self._file(name, steps)
        shown = f"${{{kind}:{name}}}" if name else f"${{{kind}}}"
        hint = f"did you mean ${{env:{kind}}}?" if kind and not name else "write ${env:NAME}"
        raise self._error(steps, f"expected ${{env:NAME}} or ${{file:PATH}}, not {shown}", hint)

    def _env(self, name: str, steps: tuple[Step, ...]) -> str:
        if name in self.environ:
            return self.environ[name]
        near = get_close_matches(name, list(self.environ), 1, 0.8)
        also = f" ({near[0]} is set)" if near else ""
        what = f"the environment variable {name} is not set{also}"
        raise self._error(steps, what, f"export {name}=…")

    def _file(self, name: str, steps: tuple[Step, ...]) -> str:
        path = self.document.path.parent / Path(name).expanduser()
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            what = f"cannot read {path}: {reason}"
            raise self._error(steps, what, "paths are relative to the config file") from None

    def _error(self, steps: tuple[Step, ...], what: str, next_step: str) -> ConfigError:
        where = self.document.at(steps)
        return ConfigError(f"{dotted(steps)}: {what}", where=where, next_step=next_step)


def _in_userinfo(match: re.Match[str], text: str) -> bool:
    """Whether the placeholder stands in `user:password@` of a URL, where '@' or '/' in a
    password would end it early."""
    rest = text[match.end() :]
    return bool(USERINFO.match(PLACE.sub("", text[: match.start()]))) and "@" in rest.split("/")[0]
