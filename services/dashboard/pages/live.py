"""An element whose HTML changes in place: the browser keeps focus, selection and scroll."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from markupsafe import Markup
from nicegui import events
from nicegui.elements.mixins.content_element import ContentElement


class Live(ContentElement, component="live.js"):
    """Shows what `render` returns; `refresh` sends it only when it differs."""

    def __init__(self, render: Callable[[], Markup], tag: str = "div") -> None:
        self._render_html = render
        super().__init__(content=str(render()))
        self._props["tag"] = tag

    def acts(self, doing: Mapping[str, Callable[[str], Awaitable[None]]]) -> Live:
        """Call `doing[act](key)` when a button with `data-act` and `data-key` is pressed.

        What comes from the browser chooses among these and nothing else; each checks its key.
        """

        async def press(given: events.GenericEventArguments) -> None:
            told = given.args if isinstance(given.args, dict) else {}
            act = doing.get(str(told.get("act")))
            if act is not None:
                await act(str(told.get("key"))[:300])

        self.on("act", press)
        return self

    def refresh(self) -> None:
        """Render again."""
        self.content = str(self._render_html())

    def _displayed_contents(self, *, only_visible: bool) -> list[str]:
        """Return the text without its markup, which is what a test's user sees."""
        return [Markup(self.content).striptags()]  # noqa: S704 - the tags are taken away
