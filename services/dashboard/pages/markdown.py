"""Markdown of people and models as HTML: no raw HTML, no images, no foreign schemes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

from services.dashboard.pages import words

SHOWN = 60_000
"""Characters that a page shows; the whole is one click away at the door."""

_parser = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")


def _image(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Return a link where an image was asked for: showing it would fetch it."""
    image = tokens[index]
    return Markup('<a href="{}">image: {}</a>').format(image.attrs["src"], image.content)


_parser.add_render_rule("image", _image)


@lru_cache(maxsize=64)
def prose(text: str) -> Markup:
    """Return text as HTML. An image becomes its link, so that nothing is fetched."""
    rendered = _parser.render(words.clean(text[:SHOWN]))
    return Markup('<div class="prose">{}</div>').format(Markup(rendered))  # noqa: S704 - html=False
