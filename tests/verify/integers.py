"""Every whole number into every type that holds whole numbers, at the ends of both."""

from .case import Case

SIZES = {"smallint": 15, "integer": 31, "bigint": 63}
"""Bits of the largest value."""


def _integers() -> list[Case]:
    """Every integer into every integer type: both ends of both, and one beyond."""
    found = []
    limits = {kind: (-(2**bits), 2**bits - 1) for kind, bits in SIZES.items()}
    for kind, (low, high) in (limits | {"oid": (0, 2**32 - 1)}).items():
        for bits in (8, 16, 32, 64, 128, 256):
            for name, least in (("Int", -(2 ** (bits - 1))), ("UInt", 0)):
                most = least + 2**bits - 1
                ends = {low, high, 0, least, most, least - 1, most + 1}
                values = sorted(value for value in ends if low <= value <= high)
                good = [str(value) for value in values if least <= value <= most]
                bad = [str(value) for value in values if not least <= value <= most]
                found.append(Case(kind, f"{name}{bits}", tuple(good), (*bad, None)))
    return found


def _numerics() -> list[Case]:
    found = []
    for bits in (8, 16, 32, 64, 128, 256):
        for name, least in (("Int", -(2 ** (bits - 1))), ("UInt", 0)):
            most = least + 2**bits - 1
            good = (str(least), str(most), "0.000", "5.0")
            bad = (str(least - 1), str(most + 1), "0.5", "NaN", "Infinity", "-Infinity")
            found.append(Case("numeric", f"{name}{bits}", good, bad))
    return found


CASES = [*_integers(), *_numerics()]
CASES += [
    Case("boolean", f"{sign}Int{bits}", ("t", "f"), (None,))
    for sign in ("", "U")
    for bits in (8, 16, 32, 64, 128, 256)
]
CASES += [Case(kind, "String", ("0", "1", "32767"), (None,)) for kind in (*SIZES, "oid")]
CASES += [Case(kind, "Bool", ("0", "1"), ("2",)) for kind in (*SIZES, "oid")]
CASES += [Case(kind, "Decimal(4, 1)", ("0", "999"), beyond=("1000",)) for kind in (*SIZES, "oid")]
CASES += [Case(kind, "Float64", ("0", "1", "32767")) for kind in (*SIZES, "oid")]
CASES += [
    Case("smallint", "Float32", ("-32768", "0", "32767")),
    Case("oid", "Float32", ("5",), ("4294967295",)),
]
