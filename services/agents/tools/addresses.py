"""Which addresses a fetch may go to: an allow-list, and never a private network by a trick."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from yarl import URL

from services.agents.tools.tool import ToolRefused
from shared.listen import is_address

PORTS = {"http": 80, "https": 443}
LONGEST = 2000


@dataclass(frozen=True)
class Entry:
    """One entry: `host`, `*.host` or an address, each with or without `:port`."""

    host: str
    port: int | None

    def covers(self, host: str, port: int) -> bool:
        """Tell whether this entry allows `host` at `port`; without a port, the usual ones."""
        if port != self.port and (self.port is not None or port not in PORTS.values()):
            return False
        if self.host.startswith("*."):
            return host.endswith(self.host[1:]) and not is_address(host)
        return host == self.host


def entry(text: str) -> Entry:
    """Return one entry of the setting `agents.fetch_allow`; raise `ValueError` for nonsense."""
    bare = text.strip().lower()
    if not bare or "/" in bare or "@" in bare:
        raise ValueError(f"{text!r} is no host, *.host or host:port")
    if bare.startswith("["):
        host, _, rest = bare[1:].partition("]")
        return Entry(host, int(rest[1:]) if rest else None)
    host, colon, port = bare.partition(":")
    return Entry(host, int(port) if colon else None)


def allowed(url: URL, entries: Iterable[Entry]) -> bool:
    """Return whether the address itself is named, so that a private one is meant; or refuse.

    Raises `ToolRefused` for a URL that no entry covers, or that is not plain http or https.
    """
    host = (url.raw_host or "").lower().rstrip(".")
    if url.scheme not in PORTS or not host or url.user is not None or url.password is not None:
        raise ToolRefused("url: must be http or https, without a user name", field="url")
    port = url.port or PORTS[url.scheme]
    if not any(each.covers(host, port) for each in entries):
        line = f"url: {host}:{port} is not in the setting agents.fetch_allow"
        raise ToolRefused(line, field="url")
    return is_address(host)


def parse(text: str) -> URL:
    """Return the URL as the client will use it, so that both read the same host in it."""
    if len(text) > LONGEST or any(c.isspace() or ord(c) < 32 or c == "\\" for c in text):
        raise ToolRefused("url: too long, or with characters that a URL has not", field="url")
    try:
        return URL(text).with_fragment(None)
    except ValueError as error:
        raise ToolRefused(f"url: {error}"[:300], field="url") from None


def public(address: str) -> bool:
    """Tell whether an address is one of the open net; addresses inside others are looked into."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if inner is not None:
            return inner.is_global and not inner.is_multicast
        if found in ipaddress.ip_network("64:ff9b::/96"):
            return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF).is_global
    return found.is_global and not found.is_multicast
