import asyncio
import json

import pytest

from shared.events import CacheEvent


async def tail(cli, bus, *arguments):
    """Run `events` and speak on the bus until it has heard enough."""
    listening = asyncio.create_task(cli("events", *arguments))
    event = CacheEvent(kind="hit", key="k\x1b[2J")
    while not listening.done():
        await bus.emit("cache.event.hit", event)
        await asyncio.wait([listening], timeout=0.1)
    return listening.result()


async def test_each_message_is_one_clean_line(cli, bus):
    done = await tail(cli, bus, "--count", "2")
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert "cache.event.hit" in lines[0]
    assert "\x1b" not in done.stdout


async def test_json_is_one_document_a_line(cli, bus):
    done = await tail(cli, bus, "cache.>", "-n", "1", "--json")
    told = json.loads(done.stdout)
    assert (told["subject"], told["body"]["kind"]) == ("cache.event.hit", "hit")
    assert told["headers"]["ce-type"] == "sovereign.CacheEvent.v1"


@pytest.mark.parametrize("subject", ["a b", "a..b", ".a", "a.>.b", "a b.>"])
def test_what_is_no_subject_is_wrong_usage(run, subject):
    assert run("events", subject).exit_code == 2
