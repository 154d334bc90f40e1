"""The proof that a restart worked: another boot of the same instance says that it is ready."""

from __future__ import annotations

import anyio

from services.ops.instances import Instances, Key


async def is_back(instances: Instances, key: Key, boot: str, within_s: float) -> bool:
    """Wait up to `within_s` seconds for a ready boot of `key` other than `boot`."""
    with anyio.move_on_after(within_s):
        while True:
            present = instances.get(key)
            if present is not None and present.beat.boot != boot and present.beat.state == "ready":
                return True
            if present is None or present.gone:
                await anyio.sleep(0.1)
            else:
                await present.changed.wait()
    return False
