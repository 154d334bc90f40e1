"""A FastStream broker with this house's connection rules, for handlers of events.

Work queues and request-reply have their own rooms (`work.py`, `rpc.py`); see docs/decisions.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from faststream import AckPolicy
from faststream.nats import NatsBroker
from faststream.security import BaseSecurity
from nats.errors import Error as NatsError

from shared.bus import connect_options
from shared.settings import Settings


class _Broker(NatsBroker):
    """Stops in peace when the server left before it: there is nothing to drain then."""

    async def start(self) -> None:
        """Start, and return when the server knows the subscriptions: FastStream does not wait."""
        await super().start()
        with suppress(NatsError):
            await self.connection.flush()

    async def stop(self, *exc: Any) -> None:
        """Drain and close."""
        connection = self._connection
        try:
            await super().stop(*exc)
        except (NatsError, TimeoutError, OSError):
            self._connection = None
            self.config.disconnect()
            if connection is not None:
                with suppress(NatsError, TimeoutError, OSError):
                    await connection.close()


def make_broker(settings: Settings, name: str) -> NatsBroker:
    """Return a broker, not yet started; an exception in a handler never drops a message.

    Its subscribers never reply: on a subject that a stream stores, the publisher waits for the
    stream's ack, and FastStream would answer first, with nothing.
    """
    options = connect_options(settings, name)
    security = _security(options.pop("nkeys_seed", None))
    broker = _Broker(
        **options,
        security=security,
        ack_policy=AckPolicy.NACK_ON_ERROR,
        graceful_timeout=5.0,
        logger=None,
        apply_types=True,
    )
    broker.subscriber = partial(broker.subscriber, no_reply=True)  # type: ignore[method-assign, assignment]
    return broker


def _security(seed_file: str | None) -> BaseSecurity | None:
    """Return FastStream's word for an nkey, if one is configured."""
    if seed_file is None:
        return None
    from faststream.nats.security import NatsNKey

    return NatsNKey(seed_file)
