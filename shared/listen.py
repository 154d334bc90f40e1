"""Addresses to listen on: one rule for every door of what reaches this host alone."""

from __future__ import annotations

import ipaddress
import socket


def is_address(host: str) -> bool:
    """Tell whether the host is an address and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Tell whether nobody but this host comes in here; any other name may be reached by others."""
    return host == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def bound(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address, not listening yet; raises `OSError` when it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # else no TCP_NODELAY
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made
