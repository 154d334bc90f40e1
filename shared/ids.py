"""Identifiers: ULIDs, sortable by time, made of letters and digits only."""

from __future__ import annotations

import os
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PAIRS = tuple(first + second for first in ALPHABET for second in ALPHABET)
"""Ten bits in two characters, since every message has an id and takes it from here."""
SHIFTS = tuple(range(120, -1, -10))


def ulid() -> str:
    """Return a new ULID: 48 bits of Unix milliseconds, 80 random bits, 26 characters.

    Format: https://github.com/ulid/spec (Crockford's base 32).
    """
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    return "".join([PAIRS[(number >> shift) & 1023] for shift in SHIFTS])
