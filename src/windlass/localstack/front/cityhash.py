"""CityHash128 in the version (1.0.2) that ClickHouse's compressed blocks carry as a checksum.

In plain Python: some megabytes a second, which is enough for what a SQL tool looks at. The
algorithm is Google's CityHash, Copyright (c) 2011 Google, Inc., MIT licence.
"""

import struct

_MASK = (1 << 64) - 1
_K0 = 0xC3A5C85C97CB3127
_K1 = 0xB492B66FBE98F273
_K2 = 0x9AE16A3B2F90404F
_K3 = 0xC949D7C7509E6557
_KMUL = 0x9DDFEA08EB382D69
_WORDS = struct.Struct("<16Q")
_FOUR = struct.Struct("<4Q")
_WORD = struct.Struct("<Q")


def cityhash128(data: bytes) -> bytes:
    """The 16 bytes of the checksum, low word first."""
    size = len(data)
    if size >= 16:
        low, high = _with_seed(data[16:], _fetch(data, 0) ^ _K3, _fetch(data, 8))
    elif size >= 8:
        low, high = _with_seed(
            b"", _fetch(data, 0) ^ (size * _K0 & _MASK), _fetch(data, size - 8) ^ _K1
        )
    else:
        low, high = _with_seed(data, _K0, _K1)
    return _WORD.pack(low) + _WORD.pack(high)


def _fetch(data: bytes, at: int) -> int:
    return int(_WORD.unpack_from(data, at)[0])


def _rotate(value: int, shift: int) -> int:
    value &= _MASK
    return (value >> shift | value << (64 - shift)) & _MASK


def _shift_mix(value: int) -> int:
    return value ^ value >> 47


def _hash16(u: int, v: int) -> int:
    a = _shift_mix((u ^ v) * _KMUL & _MASK)
    b = _shift_mix((v ^ a) * _KMUL & _MASK)
    return b * _KMUL & _MASK


def _weak(words: tuple[int, ...], a: int, b: int) -> tuple[int, int]:
    """Mix 32 bytes, as four words, into two seeds."""
    w, x, y, z = words
    a = (a + w) & _MASK
    b = _rotate(b + a + z, 21)
    c = a
    a = (a + x + y) & _MASK
    b = (b + _rotate(a, 44)) & _MASK
    return (a + z) & _MASK, (b + c) & _MASK


def _half(w: tuple[int, ...], s: list[int]) -> list[int]:
    """One round over 64 bytes. State: x, y, z, v0, v1, w0, w1."""
    x, y, z, v0, v1, w0, w1 = s
    x = _rotate(x + y + v0 + w[2], 37) * _K1 & _MASK
    y = _rotate(y + v1 + w[6], 42) * _K1 & _MASK
    x ^= w1
    y ^= v0
    z = _rotate(z ^ w0, 33)
    v0, v1 = _weak(w[0:4], v1 * _K1 & _MASK, (x + w0) & _MASK)
    w0, w1 = _weak(w[4:8], (z + w1) & _MASK, y)
    return [z, y, x, v0, v1, w0, w1]


def _with_seed(data: bytes, low: int, high: int) -> tuple[int, int]:
    size = len(data)
    if size < 128:
        return _murmur(data, low, high)
    x, y, z = low, high, size * _K1 & _MASK
    v0 = (_rotate(y ^ _K1, 49) * _K1 + _fetch(data, 0)) & _MASK
    v1 = (_rotate(v0, 42) * _K1 + _fetch(data, 8)) & _MASK
    w0 = (_rotate(y + z, 35) * _K1 + x) & _MASK
    w1 = _rotate(x + _fetch(data, 88), 53) * _K1 & _MASK
    state, at = [x, y, z, v0, v1, w0, w1], 0
    while size - at >= 128:
        words = _WORDS.unpack_from(data, at)
        state = _half(words[8:], _half(words[:8], state))
        at += 128
    return _tail(data, size - at, state)


def _tail(data: bytes, left: int, state: list[int]) -> tuple[int, int]:
    x, y, z, v0, v1, w0, w1 = state
    y = (y + _rotate(w0, 37) * _K0 + z) & _MASK
    x = (x + _rotate(v0 + z, 49) * _K0) & _MASK
    done = 0
    while done < left:
        done += 32
        words = _FOUR.unpack_from(data, len(data) - done)
        y = (_rotate(y - x, 42) * _K0 + v1) & _MASK
        w0 = (w0 + words[2]) & _MASK
        x = (_rotate(x, 49) * _K0 + w0) & _MASK
        w0 = (w0 + v0) & _MASK
        v0, v1 = _weak(words, v0, v1)
    x, y = _hash16(x, v0), _hash16(y, w0)
    low = (_hash16((x + v1) & _MASK, w1) + y) & _MASK
    return low, _hash16((x + w1) & _MASK, (y + v1) & _MASK)


def _murmur(data: bytes, a: int, b: int) -> tuple[int, int]:
    size = len(data)
    if size <= 16:
        a = _shift_mix(a * _K1 & _MASK) * _K1 & _MASK
        c = (b * _K1 + _hash_short(data)) & _MASK
        d = _shift_mix((a + (_fetch(data, 0) if size >= 8 else c)) & _MASK)
    else:
        c = _hash16((_fetch(data, size - 8) + _K1) & _MASK, a)
        d = _hash16((b + size) & _MASK, (c + _fetch(data, size - 16)) & _MASK)
        a = (a + d) & _MASK
        for at in range(0, size - 16, 16):
            a = (a ^ _shift_mix(_fetch(data, at) * _K1 & _MASK) * _K1 & _MASK) * _K1 & _MASK
            b ^= a
            mixed = _shift_mix(_fetch(data, at + 8) * _K1 & _MASK) * _K1 & _MASK
            c = (c ^ mixed) * _K1 & _MASK
            d ^= c
    a, b = _hash16(a, c), _hash16(d, b)
    return a ^ b, _hash16(b, a)


def _hash_short(data: bytes) -> int:
    """HashLen0to16."""
    size = len(data)
    if size > 8:
        a, b = _fetch(data, 0), _fetch(data, size - 8)
        return _hash16(a, _rotate(b + size, size)) ^ b
    if size >= 4:
        first, last = struct.unpack_from("<I", data)[0], struct.unpack_from("<I", data, size - 4)[0]
        return _hash16((size + (first << 3)) & _MASK, last)
    if size > 0:
        y = data[0] + (data[size >> 1] << 8)
        z = size + (data[size - 1] << 2)
        return _shift_mix((y * _K2 ^ z * _K3) & _MASK) * _K2 & _MASK
    return _K2
