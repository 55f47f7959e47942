"""From one HTTP request to one statement in the engine, and back."""

import traceback
from itertools import chain
from uuid import uuid4

from windlass.localstack.front import multipart, sqltext
from windlass.localstack.front.access import Access
from windlass.localstack.front.blocks import BlockEncoder
from windlass.localstack.front.compress import pick_encoding
from windlass.localstack.front.engine import Engine, Outcome
from windlass.localstack.front.errors import FrontError
from windlass.localstack.front.exchange import Exchange, collect, read_sql
from windlass.localstack.front.running import Running
from windlass.localstack.front.sessions import Held, Session, Sessions
from windlass.localstack.front.sqltext import Statement
from windlass.localstack.front.statements import Runner, check_method, used_database
from windlass.localstack.front.wire import BodyCutShortError

# Parameters of a URL that are not settings.
_RESERVED = frozenset(
    {
        "query",
        "query_id",
        "database",
        "user",
        "password",
        "quota_key",
        "role",
        "stacktrace",
        "session_id",
        "session_timeout",
        "session_check",
        "close_session",
        "default_format",
        "compress",
        "decompress",
        "wait_end_of_query",
        "buffer_size",
        "client_protocol_version",
    }
)
# Settings that only the HTTP interface looks at: the engine need not be told.
_HTTP_ONLY = frozenset(
    {
        "add_http_cors_header",
        "cancel_http_readonly_queries_on_client_close",
        "enable_http_compression",
        "http_headers_progress_interval_ms",
        "http_receive_timeout",
        "send_progress_in_http_headers",
    }
)
_RECEIVE_TIMEOUT = 30.0  # http_receive_timeout, as on a server


class Handler:
    """Serves requests. One for all connections; holds nothing that belongs to one request."""

    def __init__(self, engine: Engine, access: Access) -> None:
        self._engine, self._access = engine, access
        self.running = Running(engine)
        self.sessions = Sessions(engine)
        self._runner = Runner(engine, self.running)

    def serve(self, exchange: Exchange) -> None:
        """Answer one request. What the engine or the client did wrong becomes the answer;
        OSError means that the client is gone."""
        try:
            self._serve(exchange)
        except FrontError as error:
            exchange.responder.fail(error)
        except BodyCutShortError as error:
            exchange.responder.close_after = True
            exchange.responder.fail(_cut_short(error))
        except OSError:
            raise
        except Exception as error:  # the boundary: a client gets an answer, the log a traceback
            traceback.print_exc()
            exchange.responder.close_after = True
            exchange.responder.fail(
                FrontError(49, "LOGICAL_ERROR", f"The front failed: {error!r}.")
            )

    def _serve(self, exchange: Exchange) -> None:
        if _plain_page(exchange):
            return
        exchange.params = dict(exchange.request.params)
        self._access.check(exchange.request)
        self._set_headers(exchange)
        if exchange.request.method == "POST" and not exchange.body.announced:
            message = "The Transfer-Encoding is not chunked and there is no Content-Length header."
            raise FrontError(381, "HTTP_LENGTH_REQUIRED", message)
        form = _form(exchange)
        _set_up(exchange)
        with self.sessions.lease(exchange.params, _settings(exchange, form)) as (held, session):
            tables = multipart.load_external(held.connection, form, exchange.params)
            try:
                self._run(exchange, held, session)
            finally:
                multipart.drop_external(held.connection, tables)

    def _set_headers(self, exchange: Exchange) -> None:
        exchange.params["query_id"] = exchange.params.get("query_id") or str(uuid4())
        exchange.responder.headers |= {
            "X-ClickHouse-Server-Display-Name": "windlass",
            "X-ClickHouse-Query-Id": exchange.params["query_id"],
            "X-ClickHouse-Timezone": exchange.params.get("session_timezone")
            or self._engine.timezone,
            "Content-Type": "text/plain; charset=UTF-8",
        }

    def _run(self, exchange: Exchange, held: Held, session: Session | None) -> None:
        sql, rest = read_sql(exchange)
        statement = sqltext.parse(sql)
        check_method(exchange.request.method, statement)
        if statement.kind == "insert":
            first = sql[statement.data_at :]
            data = chain([first] if first else [], rest)
            self._runner.insert(exchange, held.connection, statement, data)
        elif statement.kind == "output":
            self._runner.output(exchange, held.connection, statement)
        else:
            held.spent |= session is None and not sqltext.leaves_session(statement)
            self._runner.other(exchange, held.connection, statement, rest)
            _remember(held, session, statement)


def _plain_page(exchange: Exchange) -> bool:
    """/ping and the like, which need neither user nor engine."""
    request, responder = exchange.request, exchange.responder
    health = request.path in ("/ping", "/replicas_status")
    idle = request.path == "/" and request.method in ("GET", "HEAD")
    if health or (idle and "query" not in request.params) or request.method == "OPTIONS":
        responder.write(b"" if request.method == "OPTIONS" else b"Ok.\n")
        responder.finish(Outcome(), 0)
        return True
    if request.path not in ("/", "/query"):
        message = f"There is no handle {request.path}. Use / or /ping for health checks."
        raise FrontError(60, "UNKNOWN_TABLE", message)
    return False


def _form(exchange: Exchange) -> multipart.Form:
    if not exchange.is_form:
        return multipart.Form()
    content_type = exchange.request.header("content-type")
    form = multipart.parse_form(content_type, collect(exchange.pieces(), b""))
    exchange.params.update(form.fields)
    return form


def _settings(exchange: Exchange, form: multipart.Form) -> dict[str, str]:
    """Whatever else the URL holds is a setting."""
    other = {name + end for name in form.files for end in multipart.EXTERNAL_SUFFIXES}
    other |= _RESERVED | _HTTP_ONLY
    return {
        name: value
        for name, value in exchange.params.items()
        if name not in other and not name.startswith("param_")
    }


def _set_up(exchange: Exchange) -> None:
    """How the answer goes out: held back or not, compressed or not; how long to wait for data."""
    params, responder = exchange.params, exchange.responder
    if params.get("wait_end_of_query") == "1":
        responder.hold = None
    elif params.get("buffer_size", "").isdigit():
        responder.hold = max(1, int(params["buffer_size"]))
    if params.get("compress") == "1":
        responder.coder = BlockEncoder()
    if params.get("enable_http_compression") in ("1", "true"):
        responder.encoding = pick_encoding(exchange.request.header("accept-encoding"))
    exchange.sock.settimeout(exchange.seconds("http_receive_timeout", _RECEIVE_TIMEOUT))


def _remember(held: Held, session: Session | None, statement: Statement) -> None:
    """What outlives the request in a session: SET and USE."""
    if session is None:
        return
    if statement.kind == "set":
        held.set_by_statement(statement.body)
    elif statement.kind == "use":
        session.database = held.database = used_database(statement)


def _cut_short(error: BodyCutShortError) -> FrontError:
    if error.timeout:
        message = f"Timeout exceeded while reading from socket: {error}."
        return FrontError(209, "SOCKET_TIMEOUT", message)
    return FrontError(210, "NETWORK_ERROR", f"The request's body is not whole: {error}.")
