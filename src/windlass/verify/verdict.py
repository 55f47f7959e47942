"""From counts and digests to a verdict: what must not be published raises here."""

from windlass.domain.errors import MismatchError, RemovalGuardError, UnrepresentableError
from windlass.domain.plan import Guard
from windlass.domain.results import Digest, Removed, SliceCount

_KEEP = "staging was not published; live rows are as they were"


def judge_read(source: SliceCount, read: Digest, staged: int, *, where: str = "") -> None:
    """Hold what was read, and how much of it arrived in staging, against the snapshot's own
    count. MismatchError: rows were lost or doubled on the way."""
    if read.rows != source.kept:
        raise _mismatch(
            "rows were read that the snapshot does not count"
            if read.rows > source.kept
            else "rows of the snapshot were not read",
            where,
            f"the snapshot counts {source.kept:,} rows, {read.rows:,} were read",
        )
    if staged != read.rows:
        raise _mismatch(
            "staging does not hold the rows that were read",
            where,
            f"{read.rows:,} rows were read, staging holds {staged:,}",
        )


def judge_staged(read: Digest, staged: Digest, *, where: str = "") -> None:
    """Right before publish: staging must hold exactly what was read. MismatchError: it does
    not, whoever changed it."""
    if staged == read:
        return
    raise _mismatch(
        "staging holds other rows or values than were read",
        where,
        f"{read.rows:,} rows with fingerprint {read.sum} read, "
        f"{staged.rows:,} with {staged.sum} staged",
    )


def judge_hazards(source: SliceCount, *, where: str = "") -> None:
    """Before anything is read: UnrepresentableError where the snapshot counts values that a
    target column cannot hold."""
    found = {column: rows for column, rows in source.hazards.items() if rows}
    if not found:
        return
    listed = ", ".join(f"{column} ({rows:,} rows)" for column, rows in sorted(found.items()))
    column = min(found)
    raise UnrepresentableError(
        f"values that the target cannot hold: {listed}",
        where=where,
        why=f"they would arrive changed or not at all; {_KEEP}",
        next_step=f"change the target column's type, mend {column} in the source, or write a SELECT"
        " in `from:` that turns such values into what they should be (docs/types.md says which"
        " values each pair holds); then run it again",
    )


def _mismatch(what: str, where: str, figures: str) -> MismatchError:
    return MismatchError(
        what,
        where=where,
        why=f"{figures}; {_KEEP}",
        next_step="run it again: it is loaded afresh; when it fails alike again, "
        "windlass doctor, and report both servers' versions and the column types",
    )


def guard(
    table: str,
    removed: Removed,
    limits: Guard,
    *,
    source_rows: int | None = None,
    elsewhere: int | None = None,
) -> None:
    """Hold the rows that would go for no known reason against what the operator allows.

    `source_rows` are the rows that publishing brings, where known: none for rows that are live
    always needs the operator's word. Rows that an exclusion explains and superfluous duplicates
    are not held against it. A number that the operator expects holds for the whole campaign:
    `elsewhere` are the rows that go in its other groups (None: there are none, and the number
    must be exact). RemovalGuardError names the option that lets exactly this through.
    """
    going = removed.deleted + removed.unexplained
    emptied = source_rows == 0 and removed.before > 0 and going > 0
    too_many = going > limits.max_unexplained * removed.before
    if limits.accept or not (emptied or too_many):
        return
    expected = limits.expected.get(table)
    if _as_expected(expected, removed, going, elsewhere):
        return
    raise RemovalGuardError(
        _what(table, removed, going, emptied=emptied),
        where=f"table {table}",
        why=_why(removed, limits, going, expected, emptied=emptied),
        next_step=f"if that is right: windlass run … --expect-removed {table}={removed.gone}"
        " (this many and no other), or --accept-removal (any number); nothing was removed",
    )


def _as_expected(expected: int | None, removed: Removed, going: int, elsewhere: int | None) -> bool:
    """The plan shows rows that go with and without those that exclusions explain: both count."""
    if expected is None or elsewhere is None:
        return expected in {going, removed.gone}
    return elsewhere + going <= expected


def _what(table: str, removed: Removed, going: int, *, emptied: bool) -> str:
    if emptied:
        return f"the source is empty where {table} has {removed.before:,} rows"
    return f"{going:,} of {removed.before:,} rows of {table} would go, and no exclusion explains it"


def _why(
    removed: Removed, limits: Guard, going: int, expected: int | None, *, emptied: bool
) -> str:
    share = going / removed.before if removed.before else 1.0
    parts = [
        "an empty source always needs your word"
        if emptied
        else f"{share:.2%} is over max_unexplained_removal ({limits.max_unexplained:.2%})",
        f"deleted at the source {removed.deleted:,}",
        f"unexplained {removed.unexplained:,}",
    ]
    parts += [f"explained by {name} {rows:,}" for name, rows in removed.attributed.items()]
    if expected is not None:
        parts.append(f"--expect-removed said {expected:,}")
    return "; ".join(parts)
