"""Sessions behind the interface of Mem0: code that was written for it can point here.

`from services.sessions.mem0 import MemoryClient` (or `AsyncMemoryClient`), and the calls stay as
they are: `add`, `search`, `get`, `get_all`, `update`, `history`, `delete`, `delete_all`. Memories
are kept verbatim, as events of kind `message` or `note`: no model is needed, and none rewrites
them. `user_id`, `agent_id`, `app_id` and `run_id` choose the session; the namespace is the one
given to the client. `update` supersedes, `delete` forgets for good.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Self, TypeVar

from shared.bus import Bus, open_bus
from shared.errors import InvalidInput, NotFound
from shared.events import (
    SearchAsk,
    SearchReply,
    SessionAppend,
    SessionAppended,
    SessionAsk,
    SessionForget,
    SessionForgotten,
    SessionList,
    SessionListAsk,
    SessionLoaded,
    StoredEvent,
)
from shared.ids import ulid
from shared.settings import Settings, load
from shared.subjects import token

Result = TypeVar("Result")
Memory = dict[str, Any]
Messages = str | Mapping[str, str] | Sequence[Mapping[str, str]]

WITHIN_S = 30.0
SCOPES = ("user_id", "agent_id", "app_id", "run_id")
KINDS = ("message", "note")


class AsyncMemoryClient:
    """Memories over the bus; use as an async context, or call `close` in the end."""

    def __init__(self, settings: Settings | None = None, namespace: str | None = None) -> None:
        self._settings = settings or load()
        given = self._settings.sessions.namespace if namespace is None else namespace
        self._namespace = token(given, "namespace")
        self._opening: Any = None
        self._bus: Bus | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Leave the bus."""
        if self._opening is not None:
            await self._opening.__aexit__(None, None, None)
            self._opening = self._bus = None

    async def add(
        self, messages: Messages, *, metadata: Memory | None = None, **scope: Any
    ) -> Memory:
        """Keep messages as they are; return `{"results": [{id, memory, event: "ADD"}]}`."""
        session, added = session_of(scope), []
        for role, content in _turns(messages):
            event_id = ulid()
            ask = SessionAppend(
                namespace=self._namespace, session_id=session, event_id=event_id,
                kind="message" if role else "note", title=content, actor=_actor(role, scope),
                data={"metadata": metadata or {}, "scope": _scope(scope), "role": role},
            )  # fmt: skip
            await self._ask("session.append", ask, SessionAppended)
            added.append({"id": event_id, "memory": content, "event": "ADD"})
        return {"results": added}

    async def search(
        self, query: str, *, filters: Memory | None = None, top_k: int = 20,
        limit: int | None = None, threshold: float | None = None, **scope: Any,
    ) -> Memory:  # fmt: skip
        """Return `{"results": […]}`, the best first; a scope must be named, as in Mem0."""
        session = session_of(scope | (filters or {}))
        ask = SearchAsk(
            namespace=self._namespace, query=query, session_id=session,
            limit=max(1, min(limit or top_k, 200)),
        )  # fmt: skip
        found = await self._ask("session.search", ask, SearchReply)
        memories = {event.event_id: event for event in await self._events(session)}
        hits = [
            _memory(memories[hit.event_id]) | {"score": hit.score}
            for hit in found.hits
            if hit.event_id in memories and hit.score >= (threshold or 0.0)
        ]
        return {"results": hits}

    async def get(self, memory_id: str) -> Memory:
        """Return one memory; raise `NotFound` when there is none."""
        return _memory(await self._find(memory_id))

    async def get_all(self, *, filters: Memory | None = None, **scope: Any) -> Memory:
        """Return all memories of a scope, in the order in which they were added."""
        events = await self._events(session_of(scope | (filters or {})))
        return {"results": [_memory(event) for event in events]}

    async def update(
        self, memory_id: str, text: str | None = None, *, data: str | None = None,
        metadata: Memory | None = None,
    ) -> Memory:  # fmt: skip
        """Say it anew: the old memory is superseded, and its history kept."""
        old = await self._find(memory_id)
        given = text if text is not None else data
        kept = old.data | ({"metadata": metadata} if metadata is not None else {})
        ask = SessionAppend(
            namespace=self._namespace, session_id=old.session_id, event_id=ulid(), kind=old.kind,
            title=given if given is not None else old.title, actor=old.actor,
            supersedes=old.event_id, data=kept | {"first": old.data.get("first", old.event_id)},
        )  # fmt: skip
        await self._ask("session.append", ask, SessionAppended)
        return {"message": "Memory updated successfully!", "id": ask.event_id}

    async def history(self, memory_id: str) -> list[Memory]:
        """Return each wording of a memory, the first one first."""
        event = await self._find(memory_id, old=True)
        first = event.data.get("first", event.event_id)
        events = await self._loaded(event.session_id)
        chain = [e for e in events if first in (e.event_id, e.data.get("first"))]
        return [_memory(each) for each in chain]

    async def delete(self, memory_id: str) -> Memory:
        """Forget one memory with all its wordings, for good."""
        event = await self._find(memory_id, old=True)
        chain = [each["id"] for each in await self.history(memory_id)]
        await self._forget(session_id=event.session_id, event_ids=tuple(chain))
        return {"message": "Memory deleted successfully!"}

    async def delete_all(self, **scope: Any) -> Memory:
        """Forget a scope for good: stream, index and files; the answer holds the proof."""
        try:
            events = await self._forget(session_id=session_of(scope))
        except NotFound:
            events = 0
        return {"message": "Memories deleted successfully!", "events": events}

    async def users(self) -> Memory:
        """Return the scopes that hold memories."""
        ask = SessionListAsk(namespace=self._namespace, limit=1000)
        found = await self._ask("session.list", ask, SessionList)
        rows = [each for each in found.sessions if each.session_id.startswith(PREFIX)]
        return {"results": [{"name": r.session_id, "total_memories": r.events} for r in rows]}

    async def _forget(self, **target: Any) -> int:
        ask = SessionForget(namespace=self._namespace, reason="asked through Mem0", **target)
        return int((await self._ask("session.forget", ask, SessionForgotten)).events)

    async def _events(self, session: str) -> list[StoredEvent]:
        """Return the memories of a session that were not said anew; none for an unknown one."""
        events = await self._loaded(session)
        gone = {event.supersedes for event in events}
        return [e for e in events if e.event_id not in gone and e.kind in KINDS]

    async def _loaded(self, session: str) -> list[StoredEvent]:
        events: list[StoredEvent] = []
        while True:
            after = events[-1].seq if events else 0
            ask = SessionAsk(namespace=self._namespace, session_id=session, after_seq=after)
            try:
                page = await self._ask("session.load", ask, SessionLoaded)
            except NotFound:
                return []
            events += page.events
            if not page.more:
                return events

    async def _find(self, memory_id: str, old: bool = False) -> StoredEvent:
        for scope in (await self.users())["results"]:
            read = self._loaded if old else self._events
            for event in await read(scope["name"]):
                if event.event_id == memory_id:
                    return event
        raise NotFound(f"memory_id: no memory {memory_id}", field="memory_id")

    async def _ask(self, subject: str, body: Any, reply: type[Any]) -> Any:
        if self._bus is None:
            self._opening = open_bus(self._settings, "cli")
            self._bus = await self._opening.__aenter__()
        return await self._bus.request(subject, body, reply, WITHIN_S)


PREFIX = "mem0-"
SAFE = re.compile(r"[^A-Za-z0-9_-]+")


def session_of(scope: Mapping[str, Any]) -> str:
    """Return the session of a scope; raise `InvalidInput` when none is named.

    Names that are no tokens get a digest, so that two of them never meet.
    """
    named = _scope(scope)
    if not named:
        raise InvalidInput(f"filters: name one of {', '.join(SCOPES)}", field="filters")
    plain = "-".join(f"{key.removesuffix('_id')}-{value}" for key, value in named.items())
    if len(plain) <= 50 and not SAFE.search(plain) and len(named) == 1:
        return PREFIX + plain
    digest = hashlib.sha256(repr(sorted(named.items())).encode()).hexdigest()[:20]
    return f"{PREFIX}{SAFE.sub('-', plain)[:36]}-{digest}"


def _scope(given: Mapping[str, Any]) -> dict[str, str]:
    """Return what names the scope; also from `{"AND": [{…}, …]}`, as newer clients send it."""
    found = {key: str(given[key]) for key in SCOPES if given.get(key)}
    for part in given.get("AND") or ():
        found |= _scope(part)
    return found


def _turns(messages: Messages) -> list[tuple[str, str]]:
    """Return role and content of each message that says something."""
    if isinstance(messages, str):
        given: list[tuple[str, str]] = [("", messages)]
    else:
        rows = [messages] if isinstance(messages, Mapping) else messages
        given = [(str(row.get("role", "user")), str(row.get("content", ""))) for row in rows]
    kept = [(role, content.strip()) for role, content in given if content.strip()]
    if not kept:
        raise InvalidInput("messages: there is nothing to remember", field="messages")
    return kept


def _actor(role: str, scope: Mapping[str, Any]) -> str:
    names = {"assistant": scope.get("agent_id"), "": None}
    return str(names.get(role, scope.get("user_id")) or role or "somebody")[:200]


def _memory(event: StoredEvent) -> Memory:
    scope = event.data.get("scope")
    return {
        "id": event.event_id, "memory": event.title, "metadata": event.data.get("metadata") or {},
        "created_at": event.at.isoformat(), "updated_at": event.at.isoformat(),
        "hash": hashlib.md5(event.title.encode(), usedforsecurity=False).hexdigest(),
    } | (scope if isinstance(scope, dict) else {})  # fmt: skip


class MemoryClient:
    """The same for code that is not asynchronous; it talks to the bus on a thread of its own."""

    def __init__(self, settings: Settings | None = None, namespace: str | None = None) -> None:
        self._client = AsyncMemoryClient(settings, namespace)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the bus and end the thread."""
        self._run(self._client.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, act: Callable[..., Awaitable[Result]], *given: Any, **named: Any) -> Result:
        async def work() -> Result:
            return await act(*given, **named)

        return asyncio.run_coroutine_threadsafe(work(), self._loop).result()

    def add(self, messages: Messages, **named: Any) -> Memory:
        """See `AsyncMemoryClient.add`."""
        return self._run(self._client.add, messages, **named)

    def search(self, query: str, **named: Any) -> Memory:
        """See `AsyncMemoryClient.search`."""
        return self._run(self._client.search, query, **named)

    def get(self, memory_id: str) -> Memory:
        """See `AsyncMemoryClient.get`."""
        return self._run(self._client.get, memory_id)

    def get_all(self, **named: Any) -> Memory:
        """See `AsyncMemoryClient.get_all`."""
        return self._run(self._client.get_all, **named)

    def update(self, memory_id: str, text: str | None = None, **named: Any) -> Memory:
        """See `AsyncMemoryClient.update`."""
        return self._run(self._client.update, memory_id, text, **named)

    def history(self, memory_id: str) -> list[Memory]:
        """See `AsyncMemoryClient.history`."""
        return self._run(self._client.history, memory_id)

    def delete(self, memory_id: str) -> Memory:
        """See `AsyncMemoryClient.delete`."""
        return self._run(self._client.delete, memory_id)

    def delete_all(self, **scope: Any) -> Memory:
        """See `AsyncMemoryClient.delete_all`."""
        return self._run(self._client.delete_all, **scope)
