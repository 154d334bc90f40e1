"""The weights of hosts as settings that may change while the router runs."""

from __future__ import annotations

from services.router.pool.engine import PoolEngine
from services.router.tuning.levers import Lever, plain
from shared.errors import InvalidInput, NotFound

WEIGHT = "weights."
MOST = 1000.0


def weight(pool: PoolEngine, name: str) -> Lever:
    """Return the lever of a host's weight; raise `NotFound` for a host that is not there."""
    host = next((one for one in pool.hosts if one.name == name), None)
    if host is None:
        raise NotFound(f"no host {name} in the pool", field="id")

    def write(text: str) -> None:
        host.weight = _weight(text)

    def check(text: str) -> None:
        _weight(text)

    return Lever(lambda: plain(host.weight), check, write)


def _weight(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= MOST:
        raise InvalidInput(f"a weight is above 0 and at most {MOST:g}, not {text!r}", field="value")
    return value
