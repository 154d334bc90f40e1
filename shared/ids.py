"""Identifiers: ULIDs, sortable by time, made of letters and digits only."""

from __future__ import annotations

import secrets
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid() -> str:
    """Return a new ULID: 48 bits of Unix milliseconds, 80 random bits, 26 characters.

    Format: https://github.com/ulid/spec (Crockford's base 32).
    """
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
