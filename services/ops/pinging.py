"""The third view: does the service itself still answer, though its beats are not heard?"""

from __future__ import annotations

import asyncio
import time

import orjson

from services.ops.instances import Key
from shared.bus import Bus
from shared.subscriptions import let_go

WAIT_S = 0.5


async def answers(bus: Bus, key: Key) -> bool:
    """Ask all instances of the service (`$SRV.PING`, ADR-32); tell whether this one answers."""
    host, service, instance = key
    inbox = bus.nc.new_inbox()
    replies = await bus.nc.subscribe(inbox)
    try:
        await bus.nc.publish(f"$SRV.PING.{service}", reply=inbox)
        end = time.monotonic() + WAIT_S
        while (left := end - time.monotonic()) > 0:
            about = _metadata((await replies.next_msg(timeout=left)).data)
            if (about.get("host"), about.get("instance")) == (host, instance):
                return True
    except (TimeoutError, asyncio.TimeoutError):  # noqa: UP041 - nats has its own
        return False
    finally:
        await let_go(replies)
    return False


def _metadata(data: bytes) -> dict[str, str]:
    try:
        found = orjson.loads(data).get("metadata")
    except (orjson.JSONDecodeError, AttributeError):
        return {}
    return found if isinstance(found, dict) else {}
