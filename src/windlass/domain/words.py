"""Amounts as people read them: the same in the terminal, in reports and in a worker's words."""


def duration(seconds: float) -> str:
    """`45 s`, `27 min`, `2 h 05 min`, `3 d 04 h`."""
    whole = round(seconds)
    if whole < 90:
        return f"{whole} s"
    if whole < 90 * 60:
        return f"{round(whole / 60)} min"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86400} d {whole % 86400 // 3600:02} h"


def volume(size: int) -> str:
    """Bytes in the largest unit that leaves a number of one or more."""
    amount, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:,.0f} {unit}" if unit == "B" else f"{amount:,.1f} {unit}"
