"""What is asked and what is given: the crew's markup, or a plain message with its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from services.router.offline.outline import MOST_LINES, Section, outline
from shared.events.models import ChatRequest

_OPEN = re.compile(r"<(task|instruction|input|document|context)((?:\s[^<>]{0,600})?)>")
_ATTRIBUTE = re.compile(r'([a-z]+)="([^"<>]{0,300})"')
GAP = "characters left out here …]"
"""What marks the places where a text was cut before it came here."""
_READ_NOTE = re.compile(r"\A\s{0,9}\[(?:binary, \d{1,15} bytes|read as Latin-1)\]")
"""How the prompt says that an attachment is no text, or was read in an old encoding."""
_SHORT_LINE = 300
_REQUEST = re.compile(
    r"\s*(?:please\s+|bitte\s+)?(?:summari[sz]e|extract|list|find|what|which|who|when|where|how|why|"
    r"give|name|show|tell|order|rank|prioriti[sz]e|make|create|turn|is|are|was|welche|wer|wie|"
    r"wann|wo|fasse|nenne|liste|zeige|erstelle|ordne)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Source:
    """A text to work from, and where it comes from."""

    kind: Literal["document", "input", "task"]
    name: str
    text: str

    @cached_property
    def shape(self) -> Section:
        """The text's outline, read once a request."""
        return outline(self.text)

    @property
    def holds_text(self) -> bool:
        """Whether there is a letter or a digit besides the note on how it was read."""
        return any(c.isalnum() for c in _READ_NOTE.sub("", self.text, count=1))

    @property
    def whole(self) -> bool:
        """Whether all of the text can be read: it was not cut before, and is not endless."""
        return GAP not in self.text and self.text.count("\n") <= MOST_LINES


@dataclass(frozen=True)
class Ask:
    """One request: what to do, what the whole task is, and the texts given with it."""

    instruction: str
    task: str
    sources: tuple[Source, ...]

    @property
    def inputs(self) -> tuple[Source, ...]:
        """Outputs of earlier steps."""
        return tuple(s for s in self.sources if s.kind == "input" and s.holds_text)

    @property
    def documents(self) -> tuple[Source, ...]:
        """Texts that were given with the task."""
        return tuple(s for s in self.sources if s.kind == "document" and s.holds_text)


def read_ask(request: ChatRequest) -> Ask:
    """Return what the last user message asks; earlier ones and tool results are texts to use."""
    users = [m for m in request.messages if m.role == "user"]
    last = users[-1].content if users else ""
    ask = _marked(last) or _plain(last)
    earlier = tuple(
        Source("document", "earlier message", message.content)
        for message in request.messages
        if message.role in ("user", "tool") and message is not (users[-1] if users else None)
    )
    return Ask(ask.instruction, ask.task, ask.sources + earlier)


def _marked(text: str) -> Ask | None:
    """Return the ask in the crew's markup; tags inside of data are data, not markup."""
    found = list(_blocks(text))
    if not found:
        return None
    said = {kind: content for kind, _, content in reversed(found)}
    sources = tuple(
        Source("input" if kind == "input" else "document", name, content)
        for kind, name, content in found
        if kind in ("input", "document")
    )
    return Ask(said.get("instruction", "").strip(), said.get("task", "").strip(), sources)


def _blocks(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield (tag, name, content) one after the other; an unclosed tag runs to the end."""
    at = 0
    while match := _OPEN.search(text, at):
        kind = match.group(1)
        end = text.find(f"</{kind}>", match.end())
        end = len(text) if end < 0 else end
        marks = dict(_ATTRIBUTE.findall(match.group(2)))
        name = marks.get("name") or marks.get("step") or kind
        yield kind, name, text[match.end() : end].replace("<\\/", "</")
        at = end + len(kind) + 3


def _plain(text: str) -> Ask:
    """Return a message without markup as its request and the text that follows or precedes it."""
    parts = [part for part in re.split(r"\n[ \t]*\n", text) if part.strip()] or [text]
    first, rest = _first_line(parts[0])
    if len(parts) == 1 and not rest:
        return _one_line(text)
    if asks(first):
        return _ask(first, "\n\n".join([rest, *parts[1:]]))
    if len(parts) > 1 and asks(parts[-1]):
        return _ask(parts[-1], "\n\n".join(parts[:-1]))
    return Ask(text.strip(), text.strip(), (Source("task", "task", text),))


def _one_line(text: str) -> Ask:
    """Split "Summarise: the text …" at its colon."""
    head, colon, body = text.partition(":")
    if colon and len(head) <= _SHORT_LINE and len(body.split()) >= 8 and asks(head):
        return _ask(head, body)
    return Ask(text.strip(), text.strip(), (Source("task", "task", text),))


def _first_line(part: str) -> tuple[str, str]:
    first, _, rest = part.strip().partition("\n")
    return first, rest


def asks(line: str) -> bool:
    """Tell whether a line is a request: it ends with "?" or starts with a verb of asking."""
    clean = line.strip()
    return len(clean) <= _SHORT_LINE and (
        clean.endswith("?") or (_REQUEST.match(clean) is not None)
    )


def _ask(instruction: str, text: str) -> Ask:
    body = text.strip()
    return Ask(instruction.strip(), instruction.strip(), (Source("document", "text", body),))
