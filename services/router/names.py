"""Names and addresses: what an alias stands for, and what would leave the owner's hosts."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit

from shared.errors import Refused
from shared.settings import RouterSettings

CLOUD = re.compile(r"(:\s*|-)cloud\s*$", re.IGNORECASE)
"""Ollama proxies names that end so to ollama.com (`x:cloud`, `x:8b-Cloud`, `x: CLOUD `)."""

OWN_SUFFIXES = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


def resolve(name: str, settings: RouterSettings) -> str:
    """Return the model's name for an alias, a name, or nothing (the default)."""
    return chain(name or settings.model, settings)[0]


def chain(name: str, settings: RouterSettings) -> tuple[str, ...]:
    """Return what a name stands for: the models to try one after the other, each once.

    An alias or a fallback may name several, with commas; fallbacks follow the model they are for.
    """
    first = split(settings.aliases.get(name, "")) or (name,)
    found = [model for one in first for model in (one, *split(settings.fallbacks.get(one, "")))]
    return tuple(dict.fromkeys(found))


def split(text: str) -> tuple[str, ...]:
    """Return the names in a list with commas."""
    return tuple(part for word in text.split(",") if (part := word.strip()))


def refuse_cloud(name: str, settings: RouterSettings) -> None:
    """Raise `Refused` for a name that Ollama would answer from elsewhere."""
    if CLOUD.search(name) and not settings.allow_remote:
        raise leaves(name, "ollama.com")


def leaves(name: str, host: str) -> Refused:
    """Return the refusal of a model that is not on the owner's hosts."""
    return Refused(
        f"model {name} would send the prompt to {host};"
        " SOVEREIGN_ROUTER__ALLOW_REMOTE=true allows that",
        field="model",
    )


@lru_cache(maxsize=1024)  # every request at the door names its host
def is_own(url: str) -> bool:
    """Tell whether the URL's host is this machine or in a private network.

    Names without a dot (compose services) and the suffixes of private zones count as own;
    every other name is foreign, since only its owner knows where it leads.
    """
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return bool(host) and ("." not in host or host.endswith(OWN_SUFFIXES))
    return address.is_private or address.is_loopback or address.is_link_local


def canonical(name: str) -> str:
    """Return the name with its tag; Ollama's default tag is `latest`."""
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"


def host_of(url: str, here: str) -> str:
    """Return the host that answers at `url`; loopback is this host, called `here`."""
    name = urlsplit(url).hostname or ""
    return here if name in ("localhost", "::1") or name.startswith("127.") else name
