"""One session's COPY, whichever build of the driver decodes it."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import UUID

import pyarrow as pa
import pytest

from windlass.domain.errors import TransientError, UnreachableError
from windlass.source.kill import wait_until
from windlass.source.session import Server
from windlass.source.stream import Driver, Session, plain, plain_schema

from .world import Db

ONE, TWO = UUID(int=1), UUID(int=2**128 - 1)
SLEEPING = "SELECT pid FROM pg_stat_activity WHERE pid = {} AND wait_event = 'PgSleep'"
NAMED = {b"ADBC:postgresql:typname": b"uuid"}
UUIDS = [
    pytest.param(pa.field("u", pa.uuid()), id="arrow.uuid"),
    pytest.param(
        pa.field("u", pa.opaque(pa.binary(), "uuid", "PostgreSQL"), metadata=NAMED), id="opaque"
    ),
    pytest.param(pa.field("u", pa.binary(), metadata=NAMED), id="bytes"),
]


@contextmanager
def _session(db: Db) -> Iterator[Session]:
    driver = Driver(Server(db.url))
    with closing(Session(driver, "windlass/test", None)) as session:
        yield session


@pytest.mark.parametrize("field", UUIDS)
@pytest.mark.parametrize("values", [[ONE, TWO], [ONE, None, TWO], [None], []], ids=len)
def test_a_uuid_is_sixteen_bytes_however_it_comes(
    field: pa.Field, values: list[UUID | None]
) -> None:
    kind = field.type.storage_type if isinstance(field.type, pa.BaseExtensionType) else field.type
    stored = pa.array([one and one.bytes for one in values], kind)
    came = stored if kind == field.type else pa.ExtensionArray.from_storage(field.type, stored)
    batch = plain(pa.RecordBatch.from_arrays([came], schema=pa.schema([field])))
    assert batch.schema == plain_schema(pa.schema([field])) == pa.schema({"u": pa.binary(16)})
    assert batch["u"].to_pylist() == [one and one.bytes for one in values]
    sliced = plain(pa.RecordBatch.from_arrays([came], schema=pa.schema([field])).slice(1))
    assert sliced["u"].to_pylist() == [one and one.bytes for one in values[1:]]


def test_uuids_of_the_driver_in_use(db: Db) -> None:
    query = f"SELECT '{TWO}'::uuid AS u, NULL::uuid AS n, '{TWO}'::uuid AS v"
    with _session(db) as session:
        table = session.table(query)
        session.finish()
    assert table.schema.types == [pa.binary(16)] * 3
    assert table.to_pylist() == [{"u": TWO.bytes, "n": None, "v": TWO.bytes}]


def test_a_server_that_ends_a_copy_before_its_first_row_is_gone(db: Db) -> None:
    with _session(db) as session:
        kill = f"SELECT pg_terminate_backend(pid) FROM ({SLEEPING.format(session.pid)}) AS s"

        def end() -> None:
            assert wait_until(lambda: bool(db.execute(kill)), 20)

        ending = threading.Thread(target=end)
        ending.start()
        with pytest.raises(UnreachableError):
            session.table("SELECT pg_sleep(30)")
        ending.join()


def test_a_copy_that_fails_at_its_first_row_is_worth_another_try(db: Db) -> None:
    with _session(db) as session, pytest.raises(TransientError, match=r"zero|aborted"):
        session.table("SELECT 1 / (g - 1) FROM generate_series(1, 10) g")
