"""multipart/form-data: queries and parameters as form fields, and external tables as files."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from windlass.localstack.front.engine import Connection, identifier
from windlass.localstack.front.errors import FrontError

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_NAME = re.compile(rb';\s*name="([^"]*)"', re.IGNORECASE)
_FILE = re.compile(rb';\s*filename="', re.IGNORECASE)


@dataclass(frozen=True)
class Form:
    """A form's plain `fields`, and its `files` by field name."""

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def parse_form(content_type: str, body: bytes) -> Form:
    match = _BOUNDARY.search(content_type)
    if match is None:
        raise FrontError(36, "BAD_ARGUMENTS", "A multipart body without a boundary.")
    form = Form()
    for part in body.split(b"--" + match[1].encode("latin-1"))[1:]:
        head, blank, data = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not blank or name is None:
            continue
        data = data.removesuffix(b"\r\n")
        if _FILE.search(head):
            form.files[name[1].decode()] = data
        else:
            form.fields[name[1].decode()] = data.decode(errors="surrogateescape")
    return form


EXTERNAL_SUFFIXES = ("_format", "_types", "_structure")


def load_external(connection: Connection, form: Form, params: Mapping[str, str]) -> list[str]:
    """Make each file a temporary table of the connection; the names of these tables."""
    for name, data in form.files.items():
        structure = params.get(f"{name}_structure") or _columns(params.get(f"{name}_types", ""))
        if not structure:
            message = f"Neither structure nor types have been provided for external table {name}."
            raise FrontError(36, "BAD_ARGUMENTS", message)
        table = identifier(name)
        connection.query(f"CREATE TEMPORARY TABLE {table} ({structure})".encode())
        form_name = params.get(f"{name}_format", "TabSeparated")
        head = f"INSERT INTO {table} SETTINGS async_insert = 0 FORMAT {form_name}\n"
        if data:
            connection.query(head.encode() + data)
    return list(form.files)


def drop_external(connection: Connection, names: list[str]) -> None:
    for name in names:
        connection.query(f"DROP TEMPORARY TABLE IF EXISTS {identifier(name)}".encode())


def _columns(types: str) -> str:
    """`UInt8,Array(String)` -> `_1 UInt8, _2 Array(String)`."""
    found, depth, start = [], 0, 0
    for at, char in enumerate(types + ","):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and depth == 0 and types[start:at].strip():
            found.append(types[start:at].strip())
            start = at + 1
    return ", ".join(f"_{number} {kind}" for number, kind in enumerate(found, 1))
