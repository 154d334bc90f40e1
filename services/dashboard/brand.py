"""The owner's name, mark and colours in place of ours; all from settings and from this host."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from services.dashboard.pages import icons
from shared.errors import InvalidSetting
from shared.settings import DashboardSettings

LOGO_URL = "/dashboard/static/logo"
LOGO = "SOVEREIGN_DASHBOARD__LOGO"
KINDS = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg"}
MOST_BYTES = 200_000


def mark(settings: DashboardSettings) -> Markup:
    """Return the logo, else our own mark."""
    if settings.logo is None:
        return icons.MARK
    return Markup('<img class="logo" src="{}" alt="">').format(LOGO_URL)


def style(settings: DashboardSettings) -> Markup:
    """Return the style element that sets the owner's colours; nothing without any."""
    rules = []
    if settings.accent:
        rules.append(_rule(":root", settings.accent))
    if settings.accent_dark or settings.accent:
        dark = settings.accent_dark or _lighter(str(settings.accent))
        rules.append(_rule('html[data-theme="dark"]', dark))
    return Markup("<style>{}</style>").format(Markup("").join(rules)) if rules else Markup("")


def logo(path: Path) -> tuple[bytes, str]:
    """Return the logo's bytes and media type; `InvalidSetting` names what is wrong with it."""
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise InvalidSetting(f"{LOGO}={path}: give an svg, png, webp or jpg file", field=LOGO)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidSetting(f"{LOGO}={path}: {error.strerror}", field=LOGO) from error
    if len(data) > MOST_BYTES:
        raise InvalidSetting(f"{LOGO}={path}: more than {MOST_BYTES} bytes", field=LOGO)
    return data, kind


def _rule(selector: str, colour: str) -> Markup:
    """Return one rule; the colour is six hex digits, so it may stand there as it is."""
    ink = "#ffffff" if _light(colour) < 0.5 else "#10201c"
    return Markup(
        "{}{{--accent:{};--on-accent:{};--accent-soft:color-mix(in srgb, {} 16%, var(--surface))}}"
    ).format(Markup(selector), colour, ink, colour)  # noqa: S704 - a selector of ours


def _light(colour: str) -> float:
    """Return the relative luminance of a colour, roughly (WCAG 2 weights, gamma 2.2)."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
    return float(linear**0.5)


def _lighter(colour: str) -> str:
    """Return the colour half-way to white: readable on a dark ground."""
    parts = [(int(colour[at : at + 2], 16) + 255) // 2 for at in (1, 3, 5)]
    return "#" + "".join(f"{part:02x}" for part in parts)
