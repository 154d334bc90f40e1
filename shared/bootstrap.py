"""Create or update every stream, consumer and bucket; safe to run by many at the same time."""

from __future__ import annotations

import logging
from dataclasses import replace

from nats.js import JetStreamContext
from nats.js.api import KeyValueConfig, ObjectStoreConfig, StorageType, StreamConfig
from nats.js.errors import BadRequestError, NotFoundError

from shared.bus import Bus
from shared.streams import BUCKETS, CONSUMERS, CONTRACT, OBJECT_STORES, STREAMS, Bucket, Consumer

log = logging.getLogger(__name__)


async def ensure(bus: Bus, replicas: int = 1) -> None:
    """Bring the server to what `streams.py` declares; newer declarations are left alone."""
    for stream in STREAMS:
        await _stream(bus.js, stream.config(replicas))
    for consumer in CONSUMERS:
        await ensure_consumer(bus, consumer)
    for bucket in BUCKETS:
        await _bucket(bus.js, bucket, replicas)
    for name in OBJECT_STORES:
        await _object_store(bus.js, name, replicas)


async def ensure_consumer(bus: Bus, consumer: Consumer) -> None:
    """Create one durable, or bring it to its declaration."""
    await bus.js.add_consumer(consumer.stream, consumer.config())


async def _stream(js: JetStreamContext, config: StreamConfig) -> None:
    try:
        found = (await js.stream_info(str(config.name))).config
    except NotFoundError:
        await js.add_stream(config)
        return
    if _version(found) <= CONTRACT and _differs(found, config):
        log.info("updating stream %s", config.name)
        await js.update_stream(replace(config, storage=found.storage))


def _version(config: StreamConfig) -> int:
    return int((config.metadata or {}).get("sovereign-contract", "0"))


def _differs(found: StreamConfig, wanted: StreamConfig) -> bool:
    """Tell whether any declared value is not what the server has; unset values do not count."""
    names = (
        "subjects", "max_age", "max_msgs", "max_msg_size", "num_replicas", "duplicate_window",
        "allow_direct", "deny_delete", "deny_purge", "discard",
    )  # fmt: skip
    for name in names:
        value = getattr(wanted, name)
        if value is not None and (getattr(found, name) or 0) != (value or 0):
            return True
    return _version(found) != CONTRACT


async def _bucket(js: JetStreamContext, bucket: Bucket, replicas: int) -> None:
    config = KeyValueConfig(
        bucket=bucket.name,
        description=bucket.about,
        history=1,
        ttl=bucket.ttl_s or None,
        max_bytes=bucket.max_bytes,
        storage=StorageType.FILE,
        replicas=replicas,
        direct=True,
    )
    try:
        await js.create_key_value(config)
    except BadRequestError:
        await js.key_value(bucket.name)


async def _object_store(js: JetStreamContext, name: str, replicas: int) -> None:
    try:
        await js.object_store(name)
    except NotFoundError:
        config = ObjectStoreConfig(bucket=name, storage=StorageType.FILE, replicas=replicas)
        await js.create_object_store(name, config)
