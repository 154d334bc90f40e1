"""A request's body as it comes in pieces."""

import pytest

from services.router.door.call import Call
from services.router.door.errors import TooLarge


class Piece(bytes):
    """A piece of a body that must not be joined to all before it: 32 MB would take seconds."""

    def __radd__(self, before: object) -> bytes:
        raise AssertionError("the whole body is copied for each of its pieces")


def call(*pieces: bytes) -> Call:
    left = list(pieces)

    async def receive():
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(_):
        raise AssertionError("nothing is answered yet")

    return Call({"method": "POST", "path": "/", "headers": []}, receive, send)


async def test_the_pieces_of_a_body_are_copied_once():
    assert await call(*[Piece(b"abc")] * 5).body(100) == b"abc" * 5


async def test_a_body_that_grows_beyond_the_limit_is_refused():
    with pytest.raises(TooLarge):
        await call(b"abc", b"def").body(5)


@pytest.mark.parametrize(
    ("headers", "size"),
    [
        ([(b"content-length", b"70")], 70),
        ([(b"content-length", b"900")], 100),
        ([(b"transfer-encoding", b"chunked")], 100),
        ([], 0),
    ],
)
def test_the_size_of_a_body_is_known_before_it_is_read(headers, size):
    scope = {"method": "POST", "path": "/", "headers": headers}
    assert Call(scope, None, None).size(100) == size
