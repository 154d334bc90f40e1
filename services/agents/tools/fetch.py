"""`http_fetch`: a text from the web, from hosts that the owner has named and from no others."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from services.agents.excerpt import cut
from services.agents.tools import addresses
from services.agents.tools.page import readable
from services.agents.tools.tool import (
    RESULT_CHARS,
    Bench,
    Found,
    Tool,
    ToolFailed,
    ToolRefused,
    arguments,
)

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from yarl import URL

MOST_BYTES = 512 * 1024
MOST_HOPS = 3
CONNECT_S = 5.0
WITHIN_S = 15.0
REDIRECTS = (301, 302, 303, 307, 308)
BAD = 400
TEXTS = ("text/", "application/json", "application/xml", "application/xhtml", "application/yaml")


async def fetch(bench: Bench, given: dict[str, Any]) -> Found:
    """Return the text at `url`; every hop must be allowed, and no name may lead inside."""
    import aiohttp

    entries = [addresses.entry(each) for each in bench.settings.agents.fetch_allow]
    url = addresses.parse(given["url"])
    try:
        for _ in range(MOST_HOPS + 1):
            named = addresses.allowed(url, entries)
            async with _session(inside=named or bench.settings.agents.fetch_private) as session:
                step = await _step(session, url)
            if isinstance(step, Found):
                return step
            url = step
    except aiohttp.ClientError as error:
        raise ToolFailed(f"{url.host}: {error}"[:300], field="url") from None
    raise ToolFailed(f"{url.host}: more than {MOST_HOPS} redirects", field="url")


async def _step(session: ClientSession, url: URL) -> Found | URL:
    """Return the text, or the address that the server sends us to."""
    async with session.get(url, allow_redirects=False) as response:
        target = response.headers.get("Location")
        if response.status in REDIRECTS and target:
            return url.join(addresses.parse(target))
        if response.status >= BAD:
            raise ToolFailed(f"{url.host} answered HTTP {response.status}", field="url")
        return await _text(url, response)


async def _text(url: URL, response: ClientResponse) -> Found:
    kind = response.content_type
    if not kind.startswith(TEXTS):
        raise ToolFailed(f"{url.host} sent {kind}, which is no text", field="url")
    data = b""
    async for block in response.content.iter_chunked(64 * 1024):
        data += block
        if len(data) > MOST_BYTES:
            raise ToolFailed(f"{url.host} sent more than {MOST_BYTES} bytes", field="url")
    text = data.decode(_charset(response), errors="replace")
    return Found(cut(readable(text) if "html" in kind else text, RESULT_CHARS))


def _charset(response: ClientResponse) -> str:
    import codecs

    try:
        return codecs.lookup(response.charset or "utf-8").name
    except LookupError:
        return "utf-8"


def _session(*, inside: bool) -> ClientSession:
    """Return a session of our own: no proxies, no cookies, no user agent, names looked at."""
    import aiohttp

    connector = aiohttp.TCPConnector(resolver=_resolver(inside=inside), use_dns_cache=False)
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=WITHIN_S, sock_connect=CONNECT_S),
        skip_auto_headers=("User-Agent",),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _resolver(*, inside: bool) -> Any:
    """Return a resolver whose addresses are looked at before anyone connects to them.

    The connection goes to the very addresses that were looked at: a name that changes between
    the look and the connection (DNS rebinding) finds no gap.
    """
    import aiohttp
    from aiohttp.abc import AbstractResolver, ResolveResult

    class Looking(AbstractResolver):
        def __init__(self) -> None:
            self._real = aiohttp.ThreadedResolver()

        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            found = await self._real.resolve(host, port, family)
            if not inside and not all(addresses.public(each["host"]) for each in found):
                raise ToolRefused(f"url: {host} leads into a private network", field="url")
            return found

        async def close(self) -> None:
            await self._real.close()

    return Looking()


def _has_cause(bench: Bench) -> bool:
    """Offer it where hosts are allowed and the task speaks of an address or the web."""
    words = bench.words
    named = any(each.lstrip("*.").lower() in words for each in bench.settings.agents.fetch_allow)
    web = "http://" in words or "https://" in words or "website" in words or "web page" in words
    return bool(bench.settings.agents.fetch_allow) and (web or named)


HTTP_FETCH = Tool(
    name="http_fetch",
    description="Fetch the text of a web address.",
    parameters=arguments(
        ["url"],
        url={"type": "string", "maxLength": addresses.LONGEST, "description": "http or https"},
    ),
    effect="idempotent",
    run=fetch,
    fits=_has_cause,
    within_s=WITHIN_S + 5,
)
