"""Self-doubt: a watcher that is late itself, or deaf, must not judge others.

The idea of Lifeguard (Dadgar et al., arXiv 1707.00788): local health before suspicion.
"""

from __future__ import annotations

LATE_S = 0.5
"""A tick later than this means that this process was paused or starved."""

SETTLE_S = 2.0
"""How long the watcher must have been well before it judges again."""


class Doubt:
    """Knows whether this watcher may be trusted now; times are monotonic seconds."""

    def __init__(self, deaf_after_s: float, at: float) -> None:
        self._deaf_after_s = deaf_after_s
        self._doubted_at = at
        self._was_well = False

    def look(self, at: float, late_s: float, own_silence_s: float) -> bool:
        """Take one look at oneself; return True at the moment when trust comes back.

        `late_s` is how late the own timer ran, `own_silence_s` the time since an own beat was
        heard back through the bus.
        """
        if late_s > LATE_S or own_silence_s > self._deaf_after_s:
            self._doubted_at = at
        well = self.trusted(at)
        returned = well and not self._was_well
        self._was_well = well
        return returned

    def trusted(self, at: float) -> bool:
        """Tell whether the watcher has been well long enough."""
        return at - self._doubted_at >= SETTLE_S
