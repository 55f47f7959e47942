"""One error tree. Each error says what, where, why, and what to type next.

Three kinds decide what the engine does: RETRY (transient, try again), PARK (one publish group
waits for the operator, the rest goes on), STOP (nothing that this campaign does can help).
The CLI turns `exit_code` into its exit status: 2 wrong usage or config, 4 refused.
"""

from enum import StrEnum


class Kind(StrEnum):
    """What the engine does with an error."""

    RETRY = "retry"
    PARK = "park"
    STOP = "stop"


class WindlassError(Exception):
    """Base of all errors that an operator may see.

    Fields: `what` happened, `where` (server, table, file and line), `why`, `next_step` (what to
    type or change). None of them may carry a secret.
    """

    kind: Kind = Kind.STOP
    exit_code: int = 1

    def __init__(self, what: str, *, where: str = "", why: str = "", next_step: str = "") -> None:
        super().__init__(what, where, why, next_step)
        self.what, self.where, self.why, self.next_step = what, where, why, next_step

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        lines = [head, f"  why:  {self.why}" if self.why else "", self._next_line()]
        return "\n".join(line for line in lines if line)

    def _next_line(self) -> str:
        return f"  next: {self.next_step}" if self.next_step else ""


class UsageError(WindlassError):
    """The command line or an operator's input makes no sense (exit 2)."""

    exit_code = 2


class ConfigError(WindlassError):
    """The fleet file is wrong (exit 2)."""

    exit_code = 2


class LedgersDifferError(ConfigError):
    """Work is written down in another ledger than the worker's (exit 2)."""


class PlanError(WindlassError):
    """The world does not allow the plan that was asked for: a missing column, an engine that
    cannot serve the mode, foreign rows, an unproven type (exit 2)."""

    exit_code = 2


class RefusedError(WindlassError):
    """Windlass could, but must not without the operator's word (exit 4)."""

    exit_code = 4


class OverlapError(RefusedError):
    """Another campaign holds this tenant and range."""


class PlanChangedError(RefusedError):
    """The world is no longer the one that the plan was made for."""


class UnreachableError(WindlassError):
    """A server does not answer, or refuses the connection for now."""

    kind = Kind.RETRY


class AccessError(WindlassError):
    """A server refuses user, password or permission. Retrying cannot help."""

    kind = Kind.PARK


class TransientError(WindlassError):
    """A server failed in a way that another try may well survive."""

    kind = Kind.RETRY


UNDISCOVERED = (UnreachableError, TransientError, AccessError)
"""What keeps a cluster from saying whom it has: it is unknown, and the others go on."""


class SnapshotLostError(WindlassError):
    """The exported snapshot is gone (holder died, session ended): the publish group starts over."""

    kind = Kind.RETRY


class MismatchError(WindlassError):
    """What was staged is not what the source holds. Never published."""

    kind = Kind.PARK


class UnrepresentableError(WindlassError):
    """The source holds values that the target column cannot hold exactly."""

    kind = Kind.PARK


class RemovalGuardError(WindlassError):
    """More rows would go than exclusions explain."""

    kind = Kind.PARK


class StagingGoneError(WindlassError):
    """The attempt's staging was dropped: this attempt is dead and must change nothing."""

    kind = Kind.RETRY


class GroupOverError(WindlassError):
    """The group is done, parked or cancelled already: there is nothing to do at it any more."""


class NotKeptError(WindlassError):
    """What a publish replaces cannot be kept exactly: the publish goes on, without undo."""


class NotSentError(WindlassError):
    """A message to a person did not arrive. No campaign depends on that."""

    kind = Kind.RETRY


class CancelledError(WindlassError):
    """The attempt was cancelled; its queries are proven dead on both servers."""
