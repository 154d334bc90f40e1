"""One line a record on standard error, with the service's name."""

from __future__ import annotations

import logging
import sys


def configure(service: str, level: str) -> None:
    """Send all logging of this process to standard error at `level`."""
    logging.basicConfig(
        level=level.upper(),
        stream=sys.stderr,
        force=True,
        format=f"%(asctime)s %(levelname)-7s {service} %(name)s: %(message)s",
        datefmt="%H:%M:%S",
    )
    for noisy in ("httpx", "httpcore", "asyncio", "nats", "faststream"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
