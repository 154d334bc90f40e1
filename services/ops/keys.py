"""The keys of this host: one for each user of the embedded bus, made on first use."""

from __future__ import annotations

from pathlib import Path

from shared.rights import USERS
from shared.settings import Settings
from shared.signing import public_key

GUEST = "guest"


def folder(settings: Settings) -> Path:
    """Return where the seeds lie, readable by the owner alone."""
    return (settings.data_dir / "keys").absolute()


def user_keys(settings: Settings) -> dict[str, str]:
    """Return user name to public nkey for everyone whom the embedded server knows."""
    return {name: public_key(folder(settings) / f"{name}.nk") for name in (*USERS, GUEST)}


def has_users(settings: Settings) -> bool:
    """Tell whether this host's own server knows users; a named server has its own rules."""
    return settings.nats.url is None and settings.nats.auth


def own(settings: Settings, user: str) -> Settings:
    """Return the settings with which `user` connects."""
    if not has_users(settings):
        return settings
    nats = settings.nats.model_copy(update={"nkey_file": folder(settings) / f"{user}.nk"})
    return settings.model_copy(update={"nats": nats})


def environment(settings: Settings, user: str) -> dict[str, str]:
    """Return the variables that make a service connect as its own user."""
    if not has_users(settings):
        return {}
    return {
        "SOVEREIGN_NATS__NKEY_FILE": str(folder(settings) / f"{user}.nk"),
        "SOVEREIGN_NATS__BOOTSTRAP": "false",
    }
