import asyncio
from dataclasses import replace

from shared import bootstrap
from shared.streams import BUCKETS, CONSUMERS, STEPS, STREAMS


async def test_every_stream_stands_on_file_with_its_settings(bus):
    for stream in STREAMS:
        config = (await bus.js.stream_info(stream.name)).config
        assert (config.storage, config.subjects) == ("file", list(stream.subjects))
        assert config.duplicate_window == 600


async def test_many_may_run_it_at_the_same_time(bus):
    await asyncio.gather(*(bootstrap.ensure(bus) for _ in range(5)))
    assert len(await bus.js.streams_info()) >= len(STREAMS) + len(BUCKETS)


async def test_consumers_acknowledge_explicitly(bus):
    for consumer in CONSUMERS:
        config = (await bus.js.consumer_info(consumer.stream, consumer.name)).config
        assert (config.ack_policy, config.max_deliver) == ("explicit", consumer.max_deliver)


async def test_a_drifted_stream_is_brought_back(bus):
    found = (await bus.js.stream_info("STEPS")).config
    await bus.js.update_stream(replace(found, max_msgs=5))
    await bootstrap.ensure(bus)
    assert (await bus.js.stream_info("STEPS")).config.max_msgs == STEPS.max_msgs


async def test_a_newer_declaration_is_left_alone(bus):
    found = (await bus.js.stream_info("STEPS")).config
    newer = replace(found, max_msgs=5, metadata={"sovereign-contract": "99"})
    await bus.js.update_stream(newer)
    await bootstrap.ensure(bus)
    assert (await bus.js.stream_info("STEPS")).config.max_msgs == 5
