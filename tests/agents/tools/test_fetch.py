import socket
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from services.agents.tools.fetch import HTTP_FETCH, MOST_BYTES, fetch
from services.agents.tools.tool import Bench, ToolFailed, ToolRefused
from shared.events.tasks import PlanStep, TaskRequest
from shared.settings import AgentsSettings, Settings

PAGE = "<html><head><title>x</title></head><h1>Hello</h1><script>bad()</script><p>wide  world</p>"


async def _page(request: web.Request) -> web.Response:
    return web.Response(text=PAGE, content_type="text/html")


async def _big(request: web.Request) -> web.Response:
    return web.Response(text="x" * (MOST_BYTES + 1))


async def _picture(request: web.Request) -> web.Response:
    return web.Response(body=b"\x89PNG", content_type="image/png")


async def _loop(request: web.Request) -> web.Response:
    raise web.HTTPFound("/loop")


async def _hop(request: web.Request) -> web.Response:
    raise web.HTTPFound(request.query["to"])


@asynccontextmanager
async def site():
    """Run a small site on this host; yield `host:port`."""
    app = web.Application()
    for answer in (_big, _picture, _hop, _loop):
        app.router.add_get(answer.__name__.replace("_", "/"), answer)
    app.router.add_get("/", _page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def bench(*hosts: str, title="Read http://x", private=False) -> Bench:
    agents = AgentsSettings(fetch_allow=hosts, fetch_private=private)
    step = PlanStep(id="answer", agent="builder", title="x", instruction="Do it.")
    return Bench(None, Settings(agents=agents), TaskRequest(title=title), step)


async def test_a_redirect_to_a_named_host_is_followed():
    async with site() as host:
        found = await fetch(bench(host), {"url": f"http://{host}/hop?to=http://{host}/"})
    assert found.content == "Hello\nwide world"


async def test_a_page_of_a_named_host_is_read_as_text():
    async with site() as host:
        found = await fetch(bench(host), {"url": f"http://{host}/#part"})
    assert found.content == "Hello\nwide world"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/none", "HTTP 404"),
        ("/big", f"more than {MOST_BYTES} bytes"),
        ("/picture", "image/png, which is no text"),
        ("/loop", "more than 3 redirects"),
        ("/hop?to=http://192.0.2.1/", "192.0.2.1:80 is not in the setting agents.fetch_allow"),
        ("/hop?to=file:///etc/passwd", "must be http or https"),
    ],
)
async def test_what_cannot_be_read_has_a_reason(path, told):
    async with site() as host:
        with pytest.raises((ToolFailed, ToolRefused)) as caught:
            await fetch(bench(host), {"url": f"http://{host}{path}"})
    assert told in caught.value.message


async def test_a_name_that_leads_inside_is_refused_unless_the_owner_wants_it():
    async with site() as host:
        named = f"localhost:{host.rpartition(':')[2]}"
        with pytest.raises(ToolRefused, match="leads into a private network"):
            await fetch(bench(named), {"url": f"http://{named}/"})
        found = await fetch(bench(named, private=True), {"url": f"http://{named}/"})
    assert found.content.startswith("Hello")


async def test_a_host_that_is_not_there_is_told():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(ToolFailed, match=r"127\.0\.0\.1"):
            await fetch(bench(host), {"url": f"http://{host}/"})


@pytest.mark.parametrize(
    ("hosts", "title", "offered"),
    [
        ((), "Read https://example.com", False),
        (("example.com",), "Read https://example.com", True),
        (("*.example.com",), "What does example.com say?", True),
        (("example.com",), "Write a poem", False),
    ],
)
def test_it_is_offered_where_the_web_is_spoken_of(hosts, title, offered):
    assert HTTP_FETCH.fits(bench(*hosts, title=title)) is offered
