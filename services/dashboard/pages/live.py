"""An element whose HTML changes in place: the browser keeps focus, selection and scroll."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup
from nicegui.elements.mixins.content_element import ContentElement


class Live(ContentElement, component="live.js"):
    """Shows what `render` returns; `refresh` sends it only when it differs."""

    def __init__(self, render: Callable[[], Markup], tag: str = "div") -> None:
        self._render_html = render
        super().__init__(content=str(render()))
        self._props["tag"] = tag

    def refresh(self) -> None:
        """Render again."""
        self.content = str(self._render_html())

    def _displayed_contents(self, *, only_visible: bool) -> list[str]:
        """Return the text without its markup, which is what a test's user sees."""
        return [Markup(self.content).striptags()]  # noqa: S704 - the tags are taken away
