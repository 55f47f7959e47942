"""Just enough of ClickHouse's grammar to find where a statement's data, FORMAT and SETTINGS are.

The engine is driven through INFILE and OUTFILE clauses, which have a fixed place in a statement;
everything else is left to the engine's own parser. Works on bytes: an INSERT's body is binary.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from windlass.localstack.front.errors import FrontError

_TOKEN = re.compile(
    rb"""
    (?P<space>[\s\x00]+ | --[^\n]* | \#[\ !][^\n]* | /\*.*?(?:\*/|\Z))
  | (?P<heredoc>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
  | (?P<string>'(?:[^'\\]|\\.|'')*(?:'|\Z))
  | (?P<quoted>"(?:[^"\\]|\\.|"")*(?:"|\Z) | `(?:[^`\\]|\\.|``)*(?:`|\Z))
  | (?P<word>[A-Za-z_][\w$]*)
  | (?P<other>(?:[0-9][\w.]* | [^\w\s\x00'"`$()\[\]{};.=/\-\#])
      (?:[\s,]+ | [0-9][\w.]* | '(?:[^'\\]|\\.|'')*')*)
  | (?P<punct>.)
    """,
    re.DOTALL | re.VERBOSE,
)
_BRACKET = re.compile(
    rb"""
    --[^\n]* | \#[\ !][^\n]* | /\*.*?(?:\*/|\Z) | \$(\w*)\$.*?\$\1\$
  | '(?:[^'\\]|\\.|'')*(?:'|\Z) | "(?:[^"\\]|\\.|"")*(?:"|\Z) | `(?:[^`\\]|\\.|``)*(?:`|\Z)
  | [()\[\]{}]
    """,
    re.DOTALL | re.VERBOSE,
)
_OUTPUT_WORDS = frozenset(
    {b"SELECT", b"WITH", b"FROM", b"SHOW", b"DESC", b"DESCRIBE", b"EXISTS", b"EXPLAIN", b"("}
    | {b"CHECK"}
)
_SELECT_WORDS = frozenset({b"SELECT", b"WITH", b"FROM", b"("})
_SESSION_KEPT = frozenset(
    {b"ALTER", b"ATTACH", b"CREATE", b"DELETE", b"DETACH", b"DROP", b"EXCHANGE", b"INSERT"}
    | {b"KILL", b"OPTIMIZE", b"RENAME", b"SYSTEM", b"TRUNCATE", b"UPDATE"}
)
_AFTER_FORMAT = re.compile(rb"[ \t\f]*\r?\n?")


@dataclass(frozen=True)
class Token:
    """A token: `kind` is word, string, quoted, heredoc, punct (one character) or other (a run of
    numbers, commas, operators and strings between them). `upper` is its text."""

    kind: str
    upper: bytes
    start: int
    end: int
    depth: int


@dataclass(frozen=True)
class Statement:
    """One statement, taken apart.

    `kind`: `output` (gives rows, can be streamed), `insert` (data follows the FORMAT clause),
    `kill`, `set`, `use`, `other`. `body` is the text up to `tail`; `tail` the SETTINGS clause that
    must come behind an INFILE or OUTFILE clause; `format` the FORMAT that the statement names, or
    ''; `data_at` the offset of an INSERT's data, or -1; `input_at` where in `body` an INSERT …
    SELECT calls `input(…)`, as the start and end of its arguments.
    """

    kind: str
    body: bytes
    tail: bytes = b""
    format: str = ""
    data_at: int = -1
    input_at: tuple[int, int] | None = None


def leaves_session(statement: Statement) -> bool:
    """Whether it surely leaves the settings, database and temporary tables of its session as they
    are: told by its first word, and the absence of another."""
    first = next(tokens(statement.body), None)
    plain = first is not None and first.upper in _SESSION_KEPT
    return plain and b"TEMPORARY" not in statement.body.upper()


def tokens(sql: bytes, *, deep: bool = True) -> Iterator[Token]:
    """The tokens of `sql` without blanks and comments; brackets are counted in `depth`.

    Not `deep`: what stands in brackets is passed over, which is fast for lists of any length.
    """
    depth = at = 0
    while (match := _TOKEN.match(sql, at)) is not None:
        at, kind, text = match.end(), match.lastgroup or "punct", match.group()
        if kind == "space":
            continue
        if kind == "punct" and text in b")]}":
            depth = max(0, depth - 1)
        yield Token("heredoc" if kind == "tag" else kind, text.upper(), match.start(), at, depth)
        if kind == "punct" and text in b"([{":
            depth += 1
            at = at if deep else _closing(sql, at)


def _closing(sql: bytes, at: int) -> int:
    """Where the bracket closes that was opened just before `at`."""
    depth = 1
    for match in _BRACKET.finditer(sql, at):
        text = match.group()
        depth += (text in b"([{") - (text in b")]}")
        if depth == 0:
            return match.start()
    return len(sql)


def parse(sql: bytes) -> Statement:
    """Take a statement apart. Raises FrontError 62 on empty text and on several statements."""
    first = next(tokens(sql), None)
    if first is None:
        raise FrontError(62, "SYNTAX_ERROR", "Syntax error: Empty query")
    if first.upper == b"INSERT" or (first.upper == b"WITH" and _is_insert(sql)):
        return _parse_insert(sql)
    found = list(tokens(sql, deep=False))
    found = found[: _one_statement(found)]
    end = len(sql[: found[-1].end].rstrip()) if found else len(sql)
    kinds = {b"KILL": "kill", b"SET": "set", b"USE": "use"}
    kind = "output" if first.upper in _OUTPUT_WORDS else kinds.get(first.upper, "other")
    return _with_tail(sql, kind, found, end)


def _is_insert(sql: bytes) -> bool:
    """`WITH … INSERT INTO …`."""
    if b"INSERT" not in sql.upper():
        return False
    pairs = pairwise(tokens(sql, deep=False))
    return any(a.upper == b"INSERT" and b.upper == b"INTO" and a.depth == 0 for a, b in pairs)


def _one_statement(found: list[Token]) -> int:
    """How many tokens belong to the statement; anything behind a semicolon is refused."""
    for index, token in enumerate(found):
        if token.upper == b";":
            if any(later.upper != b";" for later in found[index:]):
                raise FrontError(
                    62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)."
                )
            return index
    return len(found)


def _with_tail(sql: bytes, kind: str, found: list[Token], end: int) -> Statement:
    """Split off a trailing `FORMAT name [SETTINGS …]`, or (not for SELECT) `SETTINGS …`."""
    for index in range(len(found) - 2, 0, -1):
        token, after = found[index], found[index + 1]
        if token.upper != b"FORMAT" or token.depth or token.kind != "word":
            continue
        rest = found[index + 2 :]
        if after.kind == "word" and (not rest or rest[0].upper == b"SETTINGS"):
            name = sql[after.start : after.end].decode()
            return Statement(kind, sql[: token.start], sql[after.end : end], name)
    cut = _settings_at(found) if found and found[0].upper not in _SELECT_WORDS else None
    return Statement(kind, sql[: cut or end], sql[cut:end] if cut else b"")


def _settings_at(found: list[Token]) -> int | None:
    for index, token in enumerate(found[2:], start=2):
        following = found[index + 1 : index + 3]
        if token.upper == b"SETTINGS" and not token.depth and len(following) == 2:
            return token.start if following[1].upper == b"=" else None
    return None


def _parse_insert(sql: bytes) -> Statement:
    """[WITH …] INSERT INTO [TABLE] [FUNCTION] name [(columns)] [SETTINGS …], and then one of
    FORMAT, VALUES and SELECT."""
    stream = tokens(sql)
    _skip_target(stream)
    settings: int | None = None
    previous: Token | None = None
    for token in stream:
        dotted = previous is not None and previous.upper == b"."
        previous = token
        if dotted or (token.depth and not _opens_select(token, sql)):
            continue
        if token.upper == b"SETTINGS" and settings is None:
            settings = token.start
        elif token.upper == b"VALUES":
            return _insert(sql, token, settings, "Values", token.end)
        elif token.upper == b"FORMAT" and (name := next(stream, None)) is not None:
            return _insert_format(sql, token, settings, name)
        elif token.upper in (b"SELECT", b"WITH", b"WATCH"):
            return _insert_select(sql)
    return Statement("other", sql.rstrip().rstrip(b";"))


def _skip_target(stream: Iterator[Token]) -> None:
    """Go past the first word of the target, so that a table may be called `format`."""
    for token in stream:
        if token.upper == b"INSERT" and token.depth == 0:
            break
    for token in stream:
        if token.upper not in (b"INTO", b"TABLE", b"FUNCTION"):
            return


def _opens_select(token: Token, sql: bytes) -> bool:
    """`INSERT INTO t (SELECT …)`: a SELECT straight behind a bracket."""
    return token.upper in (b"SELECT", b"WITH") and sql[: token.start].rstrip().endswith(b"(")


def _insert_format(sql: bytes, token: Token, settings: int | None, name: Token) -> Statement:
    blank = _AFTER_FORMAT.match(sql, name.end)
    data_at = blank.end() if blank else name.end
    return _insert(sql, token, settings, sql[name.start : name.end].decode(), data_at)


def _insert(sql: bytes, at: Token, settings: int | None, name: str, data_at: int) -> Statement:
    cut = at.start if settings is None else settings
    return Statement("insert", sql[:cut], sql[cut : at.start], name, data_at)


def _insert_select(sql: bytes) -> Statement:
    """With `input('structure')`, the data follows a FORMAT clause; without, there is none."""
    stream = tokens(sql) if b"INPUT" in sql.upper() else iter(())
    called = next((a for a, b in pairwise(stream) if a.upper == b"INPUT" and b.upper == b"("), None)
    if called is None:
        found = list(tokens(sql, deep=False))
        found = found[: _one_statement(found)]
        return Statement("other", sql[: found[-1].end])
    opened = sql.index(b"(", called.end) + 1
    closed = next((t for t in stream if t.upper == b")" and t.depth == called.depth), None)
    for token in stream:
        if token.upper == b"FORMAT" and not token.depth and (name := next(stream, None)):
            whole = _insert_format(sql, token, None, name)
            return replace(whole, input_at=(opened, closed.start if closed else opened))
    return Statement("other", sql)
