"""Errors as ClickHouse words them, and the HTTP status that each gets."""

import re

# As in ClickHouse's exceptionCodeToHTTPStatus; whatever is not listed is 500.
_STATUS_CODES: dict[int, tuple[int, ...]] = {
    400: (
        6,
        8,
        15,
        25,
        26,
        27,
        36,
        37,
        38,
        41,
        44,
        53,
        62,
        72,
        117,
        123,
        167,
        168,
        223,
        321,
        376,
        427,
        441,
        675,
        676,
    ),
    401: (194,),
    403: (
        192,
        193,
        497,
        512,
        516,
    ),
    404: (
        46,
        47,
        50,
        56,
        60,
        63,
        73,
        78,
        81,
        115,
        152,
        336,
        511,
    ),
    408: (159,),
    411: (381,),
    413: (229,),
    415: (779,),
    501: (48,),
    503: (
        76,
        209,
        439,
    ),
}
_STATUS = {code: status for status, codes in _STATUS_CODES.items() for code in codes}
_TEXT = re.compile(r"Code: (\d+)\.\s*DB::\w+:\s*(.*)", re.DOTALL)
_NAME = re.compile(r"\(([A-Z][A-Z0-9_]+)\)\.?\s*$")
_VERSION = re.compile(r"\s*\(version [^)]*\)")
_PIPE = re.compile(r": \(in file/uri [^)]*\)|: data for INSERT was parsed from file", re.DOTALL)


class FrontError(Exception):
    """An error with ClickHouse's number, name and text; `status` is the HTTP status."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(code, name, message)
        self.code, self.name, self.message = code, name, message

    @property
    def status(self) -> int:
        return _STATUS.get(self.code, 500)

    def text(self, version: str) -> str:
        """The body that a client gets: `Code: N. DB::Exception: … (NAME) (version …)`."""
        return (
            f"Code: {self.code}. DB::Exception: {self.message} ({self.name}) (version {version})\n"
        )


def parse_engine_error(text: str) -> FrontError:
    """Read the engine's own error text; what it does not number is a LOGICAL_ERROR (49)."""
    match = _TEXT.search(text)
    if match is None:
        return FrontError(49, "LOGICAL_ERROR", text.strip() or "the engine gave no reason")
    code, message = int(match[1]), _VERSION.sub("", match[2]).strip()
    name = _NAME.search(message)
    message = _clean(message, code)
    return FrontError(code, name[1] if name else "UNKNOWN_EXCEPTION", message)


def _clean(message: str, code: int) -> str:
    """Drop what only our pipe adds: the path of the pipe, and the number said twice."""
    inner = _TEXT.match(message)
    if inner is not None and int(inner[1]) == code:
        message = inner[2]
    while (name := _NAME.search(message)) is not None:
        message = message[: name.start()].rstrip()
    return _PIPE.sub("", message)


def cancelled() -> FrontError:
    return FrontError(394, "QUERY_WAS_CANCELLED", "Query was cancelled.")
