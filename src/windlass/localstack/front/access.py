"""Who may ask: one user with a password, named in any of the ways that ClickHouse allows."""

import base64
import binascii
import hmac
from dataclasses import dataclass, field

from windlass.localstack.front.errors import FrontError
from windlass.localstack.front.wire import Request


@dataclass(frozen=True)
class Access:
    """The one user. An empty password lets that user in without one."""

    user: str = "default"
    password: str = field(default="", repr=False)

    def check(self, request: Request) -> None:
        """Raises FrontError 516 unless the request names the user and the right password."""
        user, password = _credentials(request)
        right = hmac.compare_digest(password.encode(errors="replace"), self.password.encode())
        if user != self.user or not right:
            message = (
                f"{user}: Authentication failed: password is incorrect, or there is no user with"
                " such name."
            )
            raise FrontError(516, "AUTHENTICATION_FAILED", message)


def _credentials(request: Request) -> tuple[str, str]:
    """From X-ClickHouse-User and -Key, else basic auth, else the URL, else user `default`."""
    user, key = request.header("x-clickhouse-user"), request.header("x-clickhouse-key")
    if user or key:
        return user or "default", key
    kind, _, coded = request.header("authorization").partition(" ")
    if kind.lower() == "basic":
        try:
            text = base64.b64decode(coded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        name, _, password = text.partition(":")
        return name or "default", password
    return request.params.get("user", "default"), request.params.get("password", "")
