"""The garbage collector of a process that lives long."""

from __future__ import annotations

import gc

YOUNG = 10_000
"""New objects before the young are looked through; Python's own 700 come with every request."""
OLDER = 20


def ease() -> None:
    """Never look again through what the imports have made, and seldom through what is new.

    Reference counts free almost everything; only cycles wait for a collection. For the router
    this is a tenth to a fifth of the processor time of a request, for 3 MB of memory.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, OLDER, OLDER)
