"""What a text says of its items' order: "only after X", "before Y", "depends on 2"; quoted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from services.router.offline.dates import starts_with_date
from services.router.offline.items import Item
from services.router.offline.words import stem_set, terms, tokens, word_set

LIKE_ENOUGH = 0.6
"""Least share of the words after "after" that the title of the item meant must hold."""
MOST_ITEMS = 500
"""Items among which relations are looked for; a longer list is a table of data, not a plan."""
MOST_CLAUSES = 2_000
"""Clauses of order that are looked up in one list, so that no text takes long."""
_AFTER = (
    r"(?:only|but only|not|erst|nur)? ?\b(?:not before|no earlier than|nicht (?:be)?vor|after|"
    r"once(?! (?:a|per|every|more|again)\b)|as soon as|until|depend(?:s|ent|ing)? on|blocked by|"
    r"waiting (?:for|on)|waits? (?:for|on)|requires?|needs?(?! to\b)|following|nach|sobald|"
    r"erst wenn|wenn|hängt ab von|hängt von|abhängig von|wartet auf|warten auf|"
    r"blockiert (?:durch|von)|setzt|braucht|benötigt)\b"
)
_BEFORE = (
    r"(?:\bstill |\bnoch )?\b(?:before|prior to|ahead of|bevor|vor|blocks|unblocks|"
    r"(?:needed|required) (?:for|by|before)|prerequisite (?:for|of)|voraussetzung für|blockiert)\b"
)
_SIGN = re.compile(
    rf"(?:(?P<after>{_AFTER})|(?P<before>{_BEFORE}))(?P<link>[:* ]{{1,6}})", re.IGNORECASE
)
_END = re.compile(r"[.;:()!?,\]—–]|\s-\s|\bthen\b|\bdann\b", re.IGNORECASE)
_FIRST_THIS = re.compile(
    r"(?:[;,(—–]|\s-)\s?(?P<thing>[^;,()]{3,60}?) (?:comes |goes |kommt )?(?:first|zuerst)\b", re.I
)
_COLUMN = re.compile(
    r"\W{0,4}(?:depends?[ _-]?on|dependenc(?:y|ies)|depends|blocked[ _]by|after|predecessors?|"
    r"requires|prerequisites?|vorgänger|abhängig(?:[ _]von)?|abhängigkeit(?:en)?|nach)"
    r"\W{0,3}:\W{0,4}(?P<thing>.{1,200})$",
    re.IGNORECASE,
)
_ID = re.compile(
    r"\W{0,4}(?:id|nr|no|key|number|nummer|step|schritt)\.?\W{0,3}:\W{0,4}(\S+)$", re.IGNORECASE
)
_NUMBER = re.compile(
    r"\W{0,3}(?:the )?(?:(?:step|item|task|point|no\.?|nr\.?|schritt|punkt|aufgabe)\s?#?|#)"
    r"(\d{1,4})\W{0,3}$",
    re.IGNORECASE,
)
_PARTS = re.compile(r"\s*(?:[,;&+/]|\band\b|\bund\b|\boder\b|\bor\b)\s*", re.IGNORECASE)
_STATE = stem_set(
    "done finished finish complete completed ready works worked working works passed pass approved "
    "successful succeeded success arrived there live over closed ok okay green running run "
    "fertig erledigt abgeschlossen bereit läuft funktioniert vorliegt vorliegen bestanden ist ab "
    "voraus freigegeben been"
)
_NOBODY = re.compile(r"^[A-ZÄÖÜ][\w-]{1,20}:\s")
_QUIET = word_set("it this that these those they he she es dies das")
_MOST_CHARS = 600


@dataclass(frozen=True)
class Relation:
    """`first` comes before `then` (places in the list of items), by these `words` of the text.

    `teller` is the item that says so, None when another sentence of the text does.
    """

    first: int
    then: int
    words: str
    teller: int | None = None


def find_relations(items: Sequence[Item], told: Iterable[str] = ()) -> list[Relation]:
    """Return what the items, and the sentences `told` beside them, say of the items' order.

    Only what names another item clearly enough counts, see `Titles.meant`.
    """
    if not 1 < len(items) <= MOST_ITEMS:
        return []
    titles = Titles(items)
    found: dict[tuple[int, int], Relation] = {}
    for relation in _all(items, titles, told):
        if relation.first != relation.then:
            found.setdefault((relation.first, relation.then), relation)
    return list(found.values())


class Titles:
    """The titles of a list, to find the item that some words mean."""

    def __init__(self, items: Sequence[Item]) -> None:
        own = [_own_terms(item.title) for item in items]
        self._terms = [frozenset(each) for each in own]
        self._heads = [each[:1] for each in own]
        self._names = [_names(item) for item in items]
        self._left = MOST_CLAUSES
        self._by_term: dict[str, set[int]] = {}
        for at, each in enumerate(self._terms):
            for term in each:
                self._by_term.setdefault(term, set()).add(at)

    @property
    def answers(self) -> bool:
        """Whether more may be asked of this list, see `MOST_CLAUSES`."""
        return self._left > 0

    def meant(self, words: str, teller: int | None = None) -> list[int]:
        """Return the items that the words mean: the whole of them, else each part of "a and b"."""
        self._left -= 1
        if not self.answers:
            return []
        whole = self._one(words, teller)
        if whole is not None:
            return [whole]
        parts = _PARTS.split(words)
        found = [self._one(part, teller) for part in parts] if len(parts) > 1 else []
        return [at for at in found if at is not None]

    def _one(self, words: str, teller: int | None) -> int | None:
        """Return the one item meant; None when none is like enough or two are alike."""
        named = _NUMBER.match(words)
        name = named[1] if named else words.strip(" *_`").lower()
        by_name = [at for at, names in enumerate(self._names) if name in names and at != teller]
        if len(by_name) == 1:
            return by_name[0]
        wanted = frozenset(term for term in terms(words) if term not in _STATE)
        near = set().union(*(self._by_term.get(term, set()) for term in wanted)) - {teller}
        good = sorted(
            ((self._likeness(at, wanted), at) for at in near if self._is_like(at, wanted)),
            reverse=True,
        )
        if not good or (len(good) > 1 and good[0][0] == good[1][0]):
            return None
        clear = len(good) == 1 or good[0][0][0] > good[1][0][0] or good[0][0][1] == 1.0
        return good[0][1] if clear else None

    def _likeness(self, at: int, wanted: frozenset[str]) -> tuple[float, float]:
        shared = len(wanted & self._terms[at])
        return shared / len(wanted), shared / len(self._terms[at])

    def _is_like(self, at: int, wanted: frozenset[str]) -> bool:
        """Tell whether enough is shared; a single shared word must be what the title is about."""
        shared = wanted & self._terms[at]
        of_wanted, of_title = self._likeness(at, wanted)
        leads = bool(shared.intersection(self._heads[at])) or of_title >= 0.5
        return of_wanted >= LIKE_ENOUGH and (len(shared) > 1 or leads)


def without_relations(text: str) -> str:
    """Return a title without the clauses that tell of other items."""
    kept = text
    for match in reversed(list(_clauses(text))):
        kept = kept[: match[1][0]] + " " + kept[match[1][1] :]
    kept = " ".join(kept.split()).strip(" ;,(—–-")
    return kept if terms(kept) else text


def _all(items: Sequence[Item], titles: Titles, told: Iterable[str]) -> Iterator[Relation]:
    for at, item in enumerate(items):
        yield from _in_text(item.title, at, titles)
        for _, text in item.details if titles.answers else ():
            yield from _in_column(text, at, titles)
            yield from _in_text(text, at, titles)
    for sentence in told:
        if not titles.answers:
            return
        yield from _in_sentence(sentence, titles)


def _in_text(text: str, teller: int, titles: Titles) -> Iterator[Relation]:
    for kind, (start, end), thing in _clauses(text):
        words = text[start:end].strip(" ,;(—–-")
        for other in titles.meant(thing, teller):
            pair = (other, teller) if kind == "after" else (teller, other)
            yield Relation(*pair, words, teller)


def _in_column(text: str, teller: int, titles: Titles) -> Iterator[Relation]:
    """Yield what a cell such as "depends on: 2, 3" names."""
    match = _COLUMN.match(text[:_MOST_CHARS])
    for part in _PARTS.split(match["thing"]) if match else ():
        for other in titles.meant(part, teller):
            yield Relation(other, teller, text.strip(), teller)


def _in_sentence(sentence: str, titles: Titles) -> Iterator[Relation]:
    """Yield what a sentence beside the list says, if it names both items clearly."""
    for kind, (start, _), thing in list(_clauses(sentence))[:1]:
        for own in titles.meant(sentence[:start])[:1]:
            for other in titles.meant(thing, own):
                pair = (other, own) if kind == "after" else (own, other)
                yield Relation(*pair, sentence.strip())


def _clauses(text: str) -> Iterator[tuple[str, tuple[int, int], str]]:
    """Yield (kind, span, the words that name the other item) of each clause of order."""
    text = text[:_MOST_CHARS]
    signs = list(_SIGN.finditer(text))
    for number, match in enumerate(signs):
        limit = signs[number + 1].start() if number + 1 < len(signs) else len(text)
        stop = _END.search(text, match.end(), limit)
        end = stop.start() if stop else limit
        thing = text[match.end() : end]
        if _can_name(thing):
            yield ("after" if match["after"] else "before"), (match.start(), end), thing
    for match in _FIRST_THIS.finditer(text):
        yield "after", match.span(), match["thing"]


def _can_name(thing: str) -> bool:
    """Tell whether the words may name an item: no pronoun, no amount, no day."""
    word = thing.strip().lower()
    return word not in _QUIET and not word.isdigit() and not starts_with_date(thing)


def _own_terms(title: str) -> list[str]:
    return terms(_NOBODY.sub("", without_relations(title)))


def _names(item: Item) -> frozenset[str]:
    """Return the number and the id under which other items can name this one."""
    told = (match[1].lower() for _, text in item.details if (match := _ID.match(text)))
    number = () if item.number is None else (str(item.number),)
    return frozenset((*told, *number, " ".join(tokens(item.title))))
