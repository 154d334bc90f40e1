"""The mark and the icons, drawn here; nothing is fetched."""

from __future__ import annotations

from math import cos, pi, sin

from markupsafe import Markup


def _mark() -> str:
    """Return the mark: five agents around the one who owns them."""
    points = [(12 + 8.4 * sin(2 * pi * k / 5), 12 - 8.4 * cos(2 * pi * k / 5)) for k in range(5)]
    spokes = "".join(f"M12 12L{x:.1f} {y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.3"/>' for x, y in points)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="currentColor"'
        ' color="#0c6a5b" aria-hidden="true">'
        f'<path d="{spokes}" stroke="currentColor" stroke-width="1.3" opacity=".45"/>'
        f'{dots}<circle cx="12" cy="12" r="3.4"/></svg>'
    )


MARK = Markup(_mark())  # noqa: S704 - drawn above, from constants
FAVICON = _mark()


def _icon(path: str) -> Markup:
    return Markup(
        '<svg viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.4"'
        ' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="{}"/></svg>'
    ).format(path)


OVERVIEW = _icon("M2 2h5v6H2zM9 2h5v3.5H9zM9 8h5v6H9zM2 10.5h5V14H2z")
TASKS = _icon("M2 4l1.2 1.2L5.5 3M2 10.5l1.2 1.2 2.3-2.2M8 4.5h6M8 11h6")
AGENTS = _icon(
    "M8 2.2a2.2 2.2 0 100 4.4 2.2 2.2 0 000-4.4zM3 14c.4-3 2.4-4.5 5-4.5s4.600 1.500 5 4.500"
)
ROUTER = _icon("M2 8h4M10 4h4M10 12h4M6 8c2.500 0 1.500-4 4-4M6 8c2.500 0 1.500 4 4 4")
OPS = _icon("M1.5 8.500h3l1.800-5 3 9 1.800-4h3.400")
SESSIONS = _icon("M3 2h7l3 3v9H3zM10 2v3h3M5.500 8h5M5.500 11h5")
MATCH = _icon("M5.500 5a3.500 3.500 0 100 7 3.500 3.500 0 000-7zM10.500 4a3.500 3.500 0 110 7")
THEME = _icon("M8 2a6 6 0 100 12A6 6 0 008 2zM8 2v12M8 5l3.500-1.500M8 8h6M8 11l3.500 1.500")
BUS = _icon("M2 4.500h12M2 8h12M2 11.500h12M5 3v3M11 6.500v3M7 10v3")
