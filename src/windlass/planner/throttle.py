"""How much may be in flight, out of how the servers fare: pure, one look after the other.

Additive increase, multiplicative decrease. One bad look is noise; then windows and pace are
halved, and halved again only after the servers have had time to answer to it. Each window more
takes a few calm looks, and more of them each time that it turned out to be too early.
"""

from collections.abc import Sequence
from dataclasses import replace

from windlass.domain.health import Course, Judged, Reading, Thresholds

NOISE = 2
"""Looks in a row over a threshold before anything is done."""
ANSWER = 3
"""Looks between two halvings."""
CALM = 2
"""Calm looks that another window takes at first; doubled with each relapse, up to MOST_CALM."""
MOST_CALM = 32
FLOOR = 1_000
"""Rows a second that reading is never slowed below: what is in flight must come to its end."""
STEPS = 8
"""Steps in which the pace comes back to what it was."""


def steer(
    course: Course,
    readings: Sequence[Reading],
    thresholds: Thresholds,
    most: int,
    rate: float = 0.0,
    *,
    blind: bool = False,
) -> Course:
    """The course after one look at the servers: `most` windows at once are wanted, `rate` rows a
    second are being loaded. `blind`: a server could not be read, so nothing gets faster."""
    course = replace(course, windows=min(course.windows, most))
    judged = worst(readings, thresholds)
    if judged is not None:
        return _pressed(course, judged, most, rate)
    return course if blind else _eased(course, readings, most)


def worst(readings: Sequence[Reading], thresholds: Thresholds) -> Judged | None:
    """The reading that is furthest over its threshold; None where none is over one."""
    found = [
        Judged(one, limit.stop if one.value >= limit.stop else limit.slow, one.value >= limit.stop)
        for one in readings
        if (limit := thresholds.get(one.name)) is not None and one.value >= limit.slow
    ]
    return max(found, key=lambda j: (j.stop, j.reading.value / (j.limit or 1)), default=None)


def _pressed(course: Course, judged: Judged, most: int, rate: float) -> Course:
    seen = replace(course, over=course.over + 1, calm=0)
    if course.limited:
        seen = replace(seen, cause=judged.words, name=judged.reading.name)
    if seen.over < NOISE:
        return seen
    if not course.limited:
        seen = replace(seen, peak=round(rate), least=most)
    elif seen.over == NOISE:
        seen = replace(seen, patience=min(MOST_CALM, course.patience * 2))
    slower = _slower(seen, judged.stop, rate)
    return replace(
        slower,
        cause=judged.words,
        name=judged.reading.name,
        least=min(seen.least, slower.windows),
    )


def _slower(course: Course, stop: bool, rate: float) -> Course:
    """Nothing begins any more; or half of it all, one window at least."""
    if stop:
        return replace(course, windows=0, rows_per_second=FLOOR)
    if course.windows == 0:
        return replace(course, windows=1)
    if (course.over - NOISE) % ANSWER:
        return course
    pace = course.rows_per_second or rate
    return replace(
        course,
        windows=max(1, course.windows // 2),
        rows_per_second=max(FLOOR, round(pace / 2)) if pace else None,
    )


def _eased(course: Course, readings: Sequence[Reading], most: int) -> Course:
    if not course.limited:
        return Course(most)
    calm = course.calm + 1
    now = next((one for one in readings if one.name == course.name), None)
    was = f"{now.words} again" if now else f"{course.name.replace('_', ' ')} is well again"
    seen = replace(course, over=0, calm=calm, cause=was)
    if calm % course.patience:
        return seen
    if course.windows + 1 >= most:
        return Course(most)
    pace = course.rows_per_second
    return replace(
        seen,
        windows=course.windows + 1,
        rows_per_second=pace + max(FLOOR, course.peak // STEPS) if pace else None,
    )
