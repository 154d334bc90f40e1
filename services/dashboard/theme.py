"""What every page's head carries: the style sheet, the theme switch, all from this host."""

from __future__ import annotations

import hashlib
from pathlib import Path

from markupsafe import Markup

STATIC = Path(__file__).parent / "static"
STATIC_URL = "/dashboard/static"

SERIES = {"first": "#2f8f7d", "second": "#d08a2e", "third": "#5b8fd6"}
"""Colours of chart lines: readable on paper and on slate."""


def head() -> Markup:
    """Return the head's HTML; the address changes with the content, so caches never lie."""
    return Markup(
        '<script src="{0}/theme.js?v={1}"></script>'
        '<link rel="stylesheet" href="{0}/theme.css?v={2}">'
        '<link rel="preload" href="{0}/fonts/plex-sans-latin.woff2" as="font" crossorigin>'
    ).format(STATIC_URL, _mark("theme.js"), _mark("theme.css"))


def _mark(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
