"""The way to a cluster's Temporal, and what it says when it cannot be gone.

Imports of the SDK stand inside the functions, so that commands which only look start fast.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from windlass import settings
from windlass.domain.errors import AccessError, ConfigError, UnreachableError, WindlassError

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.service import RPCError, TLSConfig

_INNERMOST = re.compile(r'(?:message|error): "([^"]+)"')


async def connect(cluster: settings.Cluster) -> "Client":
    """The cluster's Temporal. Raises UnreachableError with what to type."""
    from temporalio.client import Client

    from windlass.engine.packing import CONVERTER

    temporal = cluster.temporal
    try:
        return await Client.connect(
            temporal.address,
            namespace=temporal.namespace,
            api_key=temporal.api_key.get_secret_value() if temporal.api_key else None,
            tls=_tls(temporal),
            data_converter=CONVERTER,
        )
    except RuntimeError as error:
        raise _silent(cluster, _reason(str(error))) from error


def _silent(cluster: settings.Cluster, why: str) -> UnreachableError:
    return UnreachableError(
        "Temporal does not answer",
        where=f"cluster {cluster.name}, {cluster.temporal.address}",
        why=why,
        next_step="start it (locally: windlass dev up), or correct temporal.address",
    )


def _reason(text: str) -> str:
    """The words of the operating system out of the SDK's nested errors; else the first line."""
    found = _INNERMOST.findall(text)
    return str(found[-1]) if found else text.splitlines()[0][:300]


def _tls(temporal: settings.Temporal) -> "bool | TLSConfig":
    from temporalio.service import TLSConfig

    if isinstance(temporal.tls, bool):
        return temporal.tls or temporal.api_key is not None
    files = temporal.tls
    return TLSConfig(
        server_root_ca_cert=_bytes(files.server_root_ca),
        client_cert=_bytes(files.client_cert),
        client_private_key=_bytes(files.client_key),
        domain=files.server_name,
    )


def _bytes(path: Path | None) -> bytes | None:
    try:
        return path.read_bytes() if path else None
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}", why=error.strerror or "", next_step="correct temporal.tls"
        ) from error


@contextmanager
def answering(cluster: settings.Cluster) -> Iterator[None]:
    """Turn what Temporal answers to a call into our errors."""
    from temporalio.service import RPCError

    try:
        yield
    except RPCError as error:
        raise refused(cluster, error) from error


def refused(cluster: settings.Cluster, error: "RPCError") -> WindlassError:
    """The error to raise for Temporal's answer to a call."""
    from temporalio.service import RPCStatusCode

    temporal = cluster.temporal
    where = f"cluster {cluster.name}, {temporal.address}, namespace {temporal.namespace}"
    if error.status in {RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.PERMISSION_DENIED}:
        fix = "correct temporal.api_key, temporal.tls or temporal.namespace"
        return AccessError("Temporal refuses us", where=where, why=error.message, next_step=fix)
    if error.status is RPCStatusCode.NOT_FOUND and "amespace" in error.message:
        fix = (
            "correct temporal.namespace, or create it: temporal operator namespace create "
            f"--namespace {temporal.namespace}"
        )
        return UnreachableError(
            "Temporal has no such namespace", where=where, why=error.message, next_step=fix
        )
    return _silent(cluster, _reason(error.message))


async def served(client: "Client", cluster: str) -> bool:
    """Whether a worker polls the cluster's queue (Temporal remembers pollers for some minutes,
    so only those seen in the last seconds count)."""
    from temporalio.api.enums.v1 import TaskQueueType
    from temporalio.api.taskqueue.v1 import TaskQueue
    from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

    from windlass.engine.worker import task_queue

    found = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=task_queue(cluster)),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        )
    )
    now = datetime.now(UTC).timestamp()
    return any(now - p.last_access_time.ToSeconds() < 90 for p in found.pollers)


def no_worker(cluster: str) -> UnreachableError:
    """Nobody serves the queue."""
    return UnreachableError(
        "no worker serves this cluster",
        where=f"cluster {cluster}, task queue windlass-{cluster}",
        next_step=f"start one: windlass worker --cluster {cluster}",
    )


async def at_work(client: "Client", cluster: str) -> dict[str, str]:
    """`{campaign: id of its ledger}` of all campaigns that run on the cluster, whoever started
    them. The id is '' where the campaign does not say."""
    query = 'WorkflowType = "windlass-campaign" AND ExecutionStatus = "Running"'
    found: dict[str, str] = {}
    async for one in client.list_workflows(query):
        name = one.id.removeprefix("windlass/").removesuffix(f"/{cluster}")
        if one.id == f"windlass/{name}/{cluster}":
            found[name] = str((await one.memo()).get("ledger", ""))
    return found


async def holder(client: "Client", lock: str) -> str | None:
    """The campaign whose tenant's workflow has that id now; None: nobody holds the lock."""
    from temporalio.client import WorkflowExecutionStatus
    from temporalio.service import RPCError, RPCStatusCode

    try:
        found = await client.get_workflow_handle(lock).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    if found.status is not WorkflowExecutionStatus.RUNNING or not found.parent_id:
        return None
    return found.parent_id.removeprefix("windlass/").rpartition("/")[0]
