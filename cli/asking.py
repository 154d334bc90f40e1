"""A streamed request to the router: pieces as they come, the final reply at the end."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import typer
from nats.aio.msg import Msg
from pydantic import ValidationError

from cli.answers import engine_note
from cli.attachments import File, read
from cli.connection import nobody, run
from cli.output import clean_block, emit_json, say
from shared.bus import Bus, encode, invalid
from shared.errors import InvalidInput, TimedOut, Unavailable, from_envelope
from shared.events.models import ChatChunk, ChatReply, ChatRequest, ModelCancel
from shared.ids import ulid
from shared.settings import Settings
from shared.subjects import MODEL_CANCEL, MODEL_CHAT

GRACE_S = 5.0
"""Seconds beyond the request's own deadline in which the router may still tell of it."""


def build(
    prompt: str,
    paths: list[Path] | None,
    system: str,
    options: dict[str, Any],
    fields: dict[str, Any],
) -> ChatRequest:
    """Return the request; raise `InvalidInput` naming the field."""
    text = sys.stdin.read() if prompt == "-" else prompt
    if not text.strip():
        raise InvalidInput("PROMPT: there is nothing to ask", field="PROMPT")
    messages = [{"role": "system", "content": system}] if system else []
    content = _content(text, [read(path) for path in paths or ()])
    messages.append({"role": "user", "content": content})
    given = {name: value for name, value in options.items() if value is not None}
    body = {"messages": messages, "options": given, "request_id": ulid(), "stream": True, **fields}
    try:
        return ChatRequest.model_validate(body)
    except ValidationError as error:
        raise invalid(error) from None


def _content(text: str, files: list[File]) -> str:
    """Return the prompt; documents stand in the same marks as in the agents' prompts."""
    if not files:
        return text
    asked = f"<task>{_safe(text)}</task>\n\n<instruction>{_safe(text)}</instruction>"
    return "\n\n".join([asked, *map(_document, files)])


def _document(file: File) -> str:
    return f'<document name="{_safe(file.name)}">\n{_body(file)}\n</document>'


def _body(file: File) -> str:
    try:
        return _safe(file.data.decode())
    except UnicodeDecodeError:
        raise InvalidInput(f"--file: {file.name} is not UTF-8 text", field="--file") from None


def _safe(text: str) -> str:
    return text.replace("</", "<\\/")


def ask(question: ChatRequest, as_json: bool) -> None:
    """Send the request and print what comes; Ctrl-C takes the request back."""

    async def work(bus: Bus, _: Settings) -> ChatReply:
        try:
            return await _stream(bus, question, as_json)
        except asyncio.CancelledError:
            cancel = ModelCancel(request_id=str(question.request_id), reason="the person left")
            await bus.emit(MODEL_CANCEL, cancel)
            raise

    reply = run(work)
    if as_json:
        emit_json(reply)
        return
    say(f"{engine_note(reply.engine, reply.is_llm)} ({_details(reply)})")
    if reply.notice:
        say(reply.notice)


async def _stream(bus: Bus, question: ChatRequest, as_json: bool) -> ChatReply:
    """Print the pieces in order and return the final reply; print that, if no piece came."""
    written = 0
    async for piece in _pieces(bus, question):
        if isinstance(piece, ChatReply):
            if not as_json:
                typer.echo("" if written else clean_block(piece.content))
            return piece
        if not as_json:
            written += len(piece.delta)
            typer.echo(clean_block(piece.delta), nl=False)
            sys.stdout.flush()
    raise Unavailable("the router went away before the answer was complete: ask again")


async def _pieces(bus: Bus, question: ChatRequest) -> AsyncIterator[ChatChunk | ChatReply]:
    inbox = bus.nc.new_inbox()
    replies = await bus.nc.subscribe(inbox)
    await bus.nc.publish(MODEL_CHAT, encode(question), reply=inbox)
    end = asyncio.get_running_loop().time() + question.timeout_s + GRACE_S
    while True:
        left = end - asyncio.get_running_loop().time()
        try:
            message = await replies.next_msg(timeout=max(0.01, left))
        except (TimeoutError, asyncio.TimeoutError):  # noqa: UP041 - nats has its own
            raise TimedOut(f"no answer in {question.timeout_s:g} s: try --timeout") from None
        yield _parse(message)


def _parse(message: Msg) -> ChatChunk | ChatReply:
    """Return the piece; raise the typed error that came instead."""
    if (message.headers or {}).get("Status") == "503":
        raise nobody(MODEL_CHAT, Unavailable("nobody answers"))
    body = orjson.loads(message.data)
    if "error" in body:
        raise from_envelope(body)
    kind = ChatChunk if body.get("type") == "chunk" else ChatReply
    return kind.model_validate(body)


def _details(reply: ChatReply) -> str:
    parts = [reply.model, f"{reply.times.total_s:.1f} s"]
    if reply.is_llm:
        parts.append(f"{reply.prompt_tokens} + {reply.completion_tokens} tokens")
    if reply.cache == "hit":
        parts.append("from the cache")
    return ", ".join(part for part in parts if part)
