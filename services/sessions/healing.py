"""Answers that survive a damaged index: set aside, built anew from the stream, asked again."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import BaseModel

from services.sessions.follower import Follower
from services.sessions.index import is_damage
from shared.errors import Busy

Ask = TypeVar("Ask", bound=BaseModel)
Reply = TypeVar("Reply", bound=BaseModel)
Handler = Callable[[Ask], Awaitable[Reply]]


def healing(follower: Follower, handler: Handler[Ask, Reply]) -> Handler[Ask, Reply]:
    """Return the handler, which is asked once more after the index was built anew."""

    async def answer(ask: Ask) -> Reply:
        seen = follower.builds
        try:
            return await handler(ask)
        except Busy:
            if not await follower.built():
                raise
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            await follower.heal(str(error), seen)
        return await handler(ask)

    return answer
