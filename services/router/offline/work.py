"""Do what rules can do for one request: list, order, quote, choose, tick off, combine, find."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.router.offline.checklist import checklist
from services.router.offline.intent import beyond_rules, kinds_of, wish
from services.router.offline.markup import Ask, Source, asks
from services.router.offline.matching import best_passages, named_section, show_items, show_passages
from services.router.offline.mentions import mentions, show_mentions
from services.router.offline.order import show_open, show_order
from services.router.offline.pending import about, find_open
from services.router.offline.phrases import phrases
from services.router.offline.risks import show_risks
from services.router.offline.sentences import sentences
from services.router.offline.summary import summarise
from shared.errors import NeedsModel

ENOUGH_WORDS = 25
"""Words that a task's own description must have to be worked from like a document."""


def work(ask: Ask) -> str:
    """Return the answer in Markdown; raise `NeedsModel` when rules cannot give one honestly."""
    text = wish(ask)
    kinds = kinds_of(text)
    if beyond_rules(text, kinds):
        raise NeedsModel("this asks for something new or a judgement; rules only find and order")
    sources = texts(ask)
    if not sources:
        raise NeedsModel(nothing_given(ask))
    if "combine" in kinds or (not kinds and ask.inputs and not ask.documents):
        return combined(ask)
    if not kinds:
        return _found(ask, text, sources)
    return _parts(ask, kinds, sources)


def texts(ask: Ask) -> tuple[Source, ...]:
    """Return what may be worked from: documents, else inputs, else a task that says enough."""
    if ask.documents or ask.inputs:
        return ask.documents or ask.inputs
    _, _, description = ask.task.partition("\n")
    own = without_requests(description.strip() or ask.task)
    return (Source("task", "task", own),) if len(own.split()) >= ENOUGH_WORDS else ()


def nothing_given(ask: Ask) -> str:
    """Return the line that says why there is nothing to work from."""
    if not ask.sources:
        return "no text is given to work from; only a language model could answer"
    names = ", ".join(dict.fromkeys(source.name for source in ask.sources))[:120]
    return f"the text holds nothing to work from: {names} has no readable words"


def without_requests(text: str) -> str:
    """Return a task's text without the sentences that ask, which are no part of the matter."""
    lines = [[s for s in sentences(line) if not asks(s)] for line in text.splitlines()]
    return "\n".join(" ".join(kept) for kept in lines)


def combined(ask: Ask) -> str:
    """Return the inputs one after the other, the same text once."""
    if not ask.inputs:
        raise NeedsModel("there are no outputs of earlier steps to combine")
    seen = dict.fromkeys(source.text.strip() for source in ask.inputs)
    return "\n\n".join(seen)


def _parts(ask: Ask, kinds: Sequence[str], sources: tuple[Source, ...]) -> str:
    """Return one part a kind; several get headings."""
    say = phrases(ask.task or ask.instruction)
    done = [(kind, _DO[kind](ask, sources, say)) for kind in kinds if kind in _DO]
    given = [(kind, text) for kind, text in done if text]
    if not given:
        raise NeedsModel("the text does not say: nothing in it is marked as what is asked for")
    if len(given) == 1:
        return given[0][1]
    return "\n\n".join(
        f"## {say.get(f'{kind}_title', kind.title())}\n\n{text}" for kind, text in given
    )


def _open(ask: Ask, sources: tuple[Source, ...], say: dict[str, str]) -> str | None:
    found = about(find_open(sources), f"{wish(ask)}\n{ask.task[:500]}")
    return show_open(found, say) if found or found.done else None


def _order(ask: Ask, sources: tuple[Source, ...], say: dict[str, str]) -> str | None:
    return show_order(ask if ask.inputs else Ask(ask.instruction, ask.task, sources), say)


def _risks(ask: Ask, sources: tuple[Source, ...], say: dict[str, str]) -> str | None:
    return show_risks(sources, say)


def _summary(ask: Ask, sources: tuple[Source, ...], say: dict[str, str]) -> str | None:
    return summarise(sources, f"{ask.instruction} {ask.task[:500]}")


def _checklist(ask: Ask, sources: tuple[Source, ...], say: dict[str, str]) -> str | None:
    return checklist(sources)


_Do = Callable[[Ask, tuple[Source, ...], dict[str, str]], str | None]
_DO: dict[str, _Do] = {
    "pending": _open,
    "order": _order,
    "risks": _risks,
    "summary": _summary,
    "checklist": _checklist,
}


def _found(ask: Ask, question: str, sources: tuple[Source, ...]) -> str:
    """Return the passages that match the question; the task's own words are no answer to it."""
    if sources[0].kind == "task":
        raise NeedsModel("no text is given to find an answer in; a language model is needed")
    say = phrases(ask.task or question)
    given = mentions(question, sources)
    if given:
        return show_mentions(given, say)
    passages = best_passages(question, sources)
    if passages:
        return show_passages(passages, say)
    section = named_section(question, sources)
    if section:
        return show_items(section, say)
    raise NeedsModel("the text does not say: no passage matches the question well enough")
