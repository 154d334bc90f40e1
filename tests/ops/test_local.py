import os
import socket
import sys

import anyio
import anyio.lowlevel
import pytest

from services.ops.local import LocalEar
from shared.notify import ALIVE, Notifier

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="abstract sockets")


class Speaker:
    def __init__(self, pid: int | None) -> None:
        self.pid = pid
        self.local_at = 0.0


async def test_a_word_counts_for_the_process_that_sent_it():
    own, other = Speaker(os.getpid()), Speaker(os.getpid() + 1)
    ear = LocalEar({"match": own, "router": other})
    ear.open()
    notifier = Notifier(ear.address)
    notifier.tell("STATUS=x", ALIVE)
    with anyio.fail_after(10):
        while not own.local_at:  # noqa: ASYNC110 - nothing tells of it
            await anyio.sleep(0.01)
    assert other.local_at == 0.0
    ear.close()


async def test_nonsense_and_floods_do_no_harm():
    own = Speaker(os.getpid())
    ear = LocalEar({"match": own})
    ear.open()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for _ in range(500):
            try:
                sender.sendto(b"\xff" * 9000, f"\0{ear.address[1:]}")
            except BlockingIOError:
                await anyio.lowlevel.checkpoint()
    with anyio.fail_after(10):
        while not own.local_at:
            Notifier(ear.address).tell(ALIVE)
            await anyio.sleep(0.01)
    ear.close()
