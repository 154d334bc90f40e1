"""The models that the owner has named beside the engine: clouds, each with the price that its
budget needs, and models on servers of his own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from services.router import prices
from services.router.engine import Engine
from services.router.prices import Price
from shared.errors import InvalidSetting
from shared.settings import Settings

if TYPE_CHECKING:
    from services.router.compatible.cloud import CloudEngine
    from services.router.compatible.server import ServerEngine

SETTING = "SOVEREIGN_ROUTER__CLOUDS"


def engines(settings: Settings) -> dict[str, Engine]:
    """Return the engines by the owner's names; raise `InvalidSetting` for an unknown price, a
    server of others, or a name that stands for both."""
    clouds, servers = settings.router.clouds, settings.router.servers
    if both := sorted(clouds.keys() & servers.keys()):
        line = f"{SETTING}: {both[0]} is the name of a server as well"
        raise InvalidSetting(line, field=SETTING)
    return _clouds(settings) | {name: _server(settings, name) for name in servers}


def _clouds(settings: Settings) -> dict[str, Engine]:
    clouds = settings.router.clouds
    if not clouds:
        return {}
    models = tuple(cloud.model for cloud in clouds.values())
    known = prices.read(prices.table(), models + tuple(map(_bare, models)))
    return {name: _engine(settings, name, known) for name in clouds}


def known(engines: Mapping[str, Engine]) -> dict[str, Price]:
    """Return the price of each cloud."""
    return {name: price for name, one in engines.items() if (price := getattr(one, "cost", None))}


def _engine(settings: Settings, name: str, known: dict[str, Price]) -> CloudEngine:
    from services.router.compatible.cloud import CloudEngine

    cloud = settings.router.clouds[name]
    price = known.get(cloud.model) or known.get(_bare(cloud.model))
    if price is None:
        line = f"{SETTING}: the price of {cloud.model} ({name}) is unknown, so no budget can hold"
        raise InvalidSetting(line, field=SETTING)
    return CloudEngine(settings, name, cloud, price)


def _server(settings: Settings, name: str) -> ServerEngine:
    from services.router.compatible.server import ServerEngine

    return ServerEngine(settings, name, settings.router.servers[name])


def _bare(model: str) -> str:
    return model.partition("/")[2] or model
