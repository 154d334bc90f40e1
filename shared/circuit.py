"""A door that closes for a while: requests are refused at once instead of piling up."""

from __future__ import annotations

import time


class Circuit:
    """Open means that nothing flows, as in electricity; it closes by itself."""

    def __init__(self) -> None:
        self._until = 0.0

    def open(self, seconds: float) -> None:
        """Refuse requests from now on for `seconds`."""
        self._until = time.monotonic() + seconds

    @property
    def left_s(self) -> float:
        """Seconds until requests are taken again; 0 when they are taken now."""
        return max(0.0, self._until - time.monotonic())
