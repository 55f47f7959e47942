"""What several clusters said, and what to do about those that did not answer."""

from collections.abc import Sequence
from typing import TypeVar

from windlass.cli.backend import Reply
from windlass.cli.failures import show
from windlass.domain.errors import UsageError

T = TypeVar("T")


def gathered(replies: Sequence[Reply[Sequence[T]]]) -> tuple[list[T], bool]:
    """All answers in one list, and whether some cluster could not answer (said on stderr).

    A tenant pattern that means nobody on one cluster is fine as long as another one knows it;
    where no cluster answers, the first error is raised.
    """
    errors = [reply.error for reply in replies if reply.error]
    if errors and len(errors) == len(replies):
        raise next((e for e in errors if not isinstance(e, UsageError)), errors[0])
    grave = [error for error in errors if not isinstance(error, UsageError)]
    for error in grave:
        show(error.what, where=error.where, why=error.why, next_step=error.next_step)
    return [one for reply in replies for one in reply.answer or ()], bool(grave)
