"""A real `clickhouse server`, for machines that have the binary; and asking either kind whether
it is ready."""

import http.client
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from xml.sax.saxutils import escape

_CONFIG = """<clickhouse>
  <logger><level>warning</level><console>1</console></logger>
  <listen_host>127.0.0.1</listen_host>
  <http_port>{port}</http_port>
  <path>{data}/</path>
  <tmp_path>{data}/tmp/</tmp_path>
  <user_files_path>{data}/user_files/</user_files_path>
  <format_schema_path>{data}/format_schemas/</format_schema_path>
  <timezone>UTC</timezone>
  <mark_cache_size>268435456</mark_cache_size>
  <query_log><database>system</database><table>query_log</table></query_log>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <{user}>
      <password_sha256_hex>{password}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <access_management>1</access_management>
    </{user}>
  </users>
</clickhouse>
"""


def argv(binary: str, data: Path) -> list[str]:
    return [binary, "server", f"--config-file={data / 'config.xml'}"]


def preparation(data: Path, port: int, user: str, password: str) -> Callable[[], None]:
    """Writes the server's configuration."""

    def write() -> None:
        data.mkdir(parents=True, exist_ok=True)
        coded = sha256(password.encode()).hexdigest()
        text = _CONFIG.format(port=port, data=escape(str(data)), user=user, password=coded)
        (data / "config.xml").write_text(text, "utf-8")

    return write


def nothing() -> None:
    """The chDB front prepares itself."""


def ready(host: str, port: int, user: str, password: str) -> bool:
    """Answers a query of its user, which also shows that no stranger holds the port."""
    login = b64encode(f"{user}:{password}".encode()).decode()
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/?query=SELECT+1", headers={"Authorization": f"Basic {login}"})
        answer = connection.getresponse()
        return answer.status == http.client.OK and answer.read() == b"1\n"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
