"""Requests from a socket: bodies that end, and bodies that are cut short."""

import gzip
import io
import socket
import zlib
from collections.abc import Callable, Iterator

import lz4.frame
import pytest
import zstandard

from windlass.localstack.front.blocks import BlockEncoder, decode_blocks
from windlass.localstack.front.compress import ENCODINGS, decoded, encoder
from windlass.localstack.front.errors import FrontError, parse_engine_error
from windlass.localstack.front.wire import (
    BadRequestError,
    Body,
    BodyCutShortError,
    read_request,
)

HEAD = b"POST /?query=a%20b&x= HTTP/1.1\r\nHost: h\r\nX-One:  1 \r\n"


def _body(raw: bytes, *, timeout: float | None = None) -> Iterator[bytes]:
    """Send `raw` over a real socket and hang up, or stand still when there is a timeout."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(raw)
        if timeout is None:
            theirs.shutdown(socket.SHUT_WR)
        ours.settimeout(timeout)
        reader = ours.makefile("rb")
        request = read_request(reader)
        assert request is not None
        yield from Body(reader, request, lambda: ours.sendall(b"100")).pieces()


def test_head() -> None:
    request = read_request(io.BufferedReader(io.BytesIO(HEAD + b"\r\n")))
    assert request is not None
    assert (request.method, request.path) == ("POST", "/")
    assert request.params == {"query": "a b", "x": ""}
    assert request.header("x-one") == "1"
    assert request.keep_alive


def test_whole_bodies() -> None:
    assert b"".join(_body(HEAD + b"Content-Length: 5\r\n\r\nhello")) == b"hello"
    chunked = b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nT: 1\r\n\r\n"
    assert b"".join(_body(HEAD + chunked)) == b"hello"


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 5\r\n\r\nhell",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_cut_short(rest: bytes) -> None:
    with pytest.raises(BodyCutShortError):
        list(_body(HEAD + rest))


def test_standing_still() -> None:
    with pytest.raises(BodyCutShortError) as caught:
        list(_body(HEAD + b"Content-Length: 5\r\n\r\nhell", timeout=0.05))
    assert caught.value.timeout


@pytest.mark.parametrize(
    "raw", [b"hello\r\n\r\n", b"GET / HTTP/2.0\r\n\r\n", b"GET / HTTP/1.1\r\nx\r\n\r\n"]
)
def test_not_http(raw: bytes) -> None:
    with pytest.raises(BadRequestError):
        read_request(io.BufferedReader(io.BytesIO(raw)))


CODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "lz4": lz4.frame.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("name", CODERS)
def test_codings(name: str) -> None:
    """Both ways, in small pieces, several frames in a row; cut short it is an error."""
    plain = bytes(range(256)) * 999
    coded = CODERS[name](plain)
    pieces = [coded[at : at + 1000] for at in range(0, len(coded), 1000)]
    assert b"".join(decoded(pieces, name)) == plain
    assert b"".join(decoded([coded + coded], name)) == plain + plain
    with pytest.raises(FrontError):
        list(decoded([coded[:-3]], name))
    coder = encoder(name)
    ours = coder.compress(plain[:5000]) + coder.compress(plain[5000:]) + coder.flush()
    assert b"".join(decoded([ours], name)) == plain
    assert set(ENCODINGS) == set(CODERS)


def test_unknown_coding() -> None:
    with pytest.raises(FrontError) as caught:
        list(decoded([b"x"], "br"))
    assert caught.value.status == 501


def test_blocks() -> None:
    """ClickHouse's own coding: both ways, in pieces; cut short it is an error."""
    plain = bytes(range(256)) * 9999
    coder = BlockEncoder()
    coded = coder.compress(plain[:70]) + coder.compress(plain[70:]) + coder.flush()
    pieces = [coded[at : at + 777] for at in range(0, len(coded), 777)]
    assert b"".join(decode_blocks(pieces)) == plain
    with pytest.raises(FrontError) as caught:
        list(decode_blocks([coded[:-1]]))
    assert caught.value.code == 33
    with pytest.raises(FrontError):
        list(decode_blocks([b"x" * 100]))


def test_engine_errors() -> None:
    """What our pipe adds to the engine's text is taken out of it."""
    text = (
        "Code: 117. DB::Exception: Code: 117. DB::Exception: Expected end of line: (at row 2)\n: "
        "(in file/uri /x/windlass-job-1.in): While executing File: data for INSERT was parsed "
        "from file. (INCORRECT_DATA) (version 26.9.2.1). (INCORRECT_DATA)"
    )
    error = parse_engine_error(text)
    assert (error.code, error.name, error.status) == (117, "INCORRECT_DATA", 400)
    assert error.message == "Expected end of line: (at row 2)\n: While executing File."
    assert parse_engine_error("no number").code == 49
