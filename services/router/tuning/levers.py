"""The settings that may change while the router runs: read and written as texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError

from services.router.cache import Cache
from shared.errors import InvalidInput, NotFound
from shared.settings import RouterSettings

PLAIN = ("cache_entries", "cache_ttl_s", "keep_alive", "num_ctx", "max_tokens")
ALIAS = "aliases."


@dataclass(frozen=True, slots=True)
class Lever:
    """`check` raises `InvalidInput` for a text that `write` could not take."""

    read: Callable[[], str]
    check: Callable[[str], None]
    write: Callable[[str], None]


Family = Callable[[str], Lever]
"""Finds the lever of one name among settings of a kind."""


class Levers:
    """Finds the lever of a setting; `more` adds families of settings by their prefix."""

    def __init__(
        self,
        settings: RouterSettings,
        cache: Cache,
        more: dict[str, Family] | None = None,
    ) -> None:
        self._settings = settings
        self._cache = cache
        self._families = {ALIAS: self._alias} | (more or {})

    def find(self, setting: str) -> Lever:
        """Return the lever, or raise `NotFound`."""
        if setting in PLAIN:
            return self._plain(setting)
        for prefix, family in self._families.items():
            if setting.startswith(prefix):
                return family(setting.removeprefix(prefix))
        raise NotFound(f"{setting} cannot be changed while the router runs", field="id")

    def _plain(self, name: str) -> Lever:
        def write(text: str) -> None:
            setattr(self._settings, name, _parsed(name, text))
            self._cache.resize(self._settings.cache_entries, self._settings.cache_ttl_s)

        def check(text: str) -> None:
            _parsed(name, text)

        return Lever(lambda: plain(getattr(self._settings, name)), check, write)

    def _alias(self, name: str) -> Lever:
        """Return the lever of an alias; the empty text is no alias."""

        def write(text: str) -> None:
            kept = {key: model for key, model in self._settings.aliases.items() if key != name}
            self._settings.aliases = kept | ({name: text} if text else {})

        return Lever(lambda: self._settings.aliases.get(name, ""), lambda _: None, write)


def plain(value: object) -> str:
    """Return a value as people write it: 3600, not 3600.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _parsed(name: str, text: str) -> object:
    """Return the value as the setting takes it; its own bounds hold."""
    try:
        return getattr(RouterSettings.model_validate({name: text}), name)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]["msg"]
        raise InvalidInput(f"{name}: {detail} (got {text!r})"[:300], field="value") from None
