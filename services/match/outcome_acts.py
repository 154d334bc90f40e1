"""What was said elsewhere: past outcomes, counted like those of our own deals."""

from __future__ import annotations

import sqlite3

from services.match import facts
from services.match.acts import Draft, told, used
from shared.events import OutcomesAsk, OutcomesReply


class TellOutcomes:
    """Counts many outcomes under one key."""

    def __init__(self, ask: OutcomesAsk) -> None:
        self._ask = ask
        self._duplicate = False

    def decide(self, db: sqlite3.Connection) -> Draft | None:
        """Tell them unless the key was used."""
        meaning = f"outcomes {len(self._ask.outcomes)}"
        self._duplicate = used(db, self._ask.key, meaning)
        if self._duplicate:
            return None
        fact = facts.OutcomesTold(outcomes=self._ask.outcomes, key=self._ask.key, meaning=meaning)
        who = (self._ask.actor, self._ask.reason)
        return told(facts.event(facts.OUTCOMES_TOLD, self._ask.key, who, fact))

    def reply(self, db: sqlite3.Connection) -> OutcomesReply:
        """Return how many count."""
        return OutcomesReply(counted=len(self._ask.outcomes), duplicate=self._duplicate)
