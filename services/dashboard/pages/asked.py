"""A part of a page that comes from asking another service again and again while it is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import anyio
from markupsafe import Markup
from nicegui import ui
from pydantic import BaseModel

from services.dashboard.pages import parts
from services.dashboard.pages.shell import Page
from shared.errors import SovereignError

EVERY_S = 5.0
FIRST_S = 1.0
Reply = TypeVar("Reply", bound=BaseModel)


class Asked(Generic[Reply]):
    """The last answer to one question, and why there is no newer one."""

    def __init__(self, page: Page, subject: str, ask: BaseModel, reply: type[Reply]) -> None:
        self._page = page
        self._question = (subject, ask, reply)
        self.value: Reply | None = None
        self.error: SovereignError | None = None

    async def look(self) -> None:
        """Ask once."""
        subject, ask, reply = self._question
        try:
            self.value = await self._page.house.reach.ask(subject, ask, reply)
            self.error = None
        except SovereignError as error:
            self.error = error

    async def follow(self) -> None:
        """Ask now, briefly, so that the first picture has it, and then every few seconds."""
        with anyio.move_on_after(FIRST_S):
            await self.look()
        ui.timer(EVERY_S, self.look, immediate=False)

    def shown(self, title: str, render: Callable[[Reply], Markup]) -> Markup:
        """Return what `render` makes of the answer, or an honest word on why there is none."""
        if self.value is not None:
            old = Markup("")
            if self.error is not None:
                old = parts.note(f"This is the last known answer: {self.error.message}")
            return old + render(self.value)
        why = self.error.message if self.error else "asking…"
        return parts.card(title, parts.empty("Not known now", why), flush=True)
