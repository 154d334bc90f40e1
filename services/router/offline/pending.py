"""What a text itself gives as open: sections, boxes, status cells, marked lines; else sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from services.router.offline.items import Item, items_of, named, once, piece_item
from services.router.offline.markup import Source
from services.router.offline.outline import Piece, Section
from services.router.offline.sentences import sentences
from services.router.offline.words import tokens

_OPEN_HEADING = re.compile(
    r"\b(?:pending|outstanding|unfinished|backlog|remaining|incomplete|to[- ]?dos?|"
    r"not (?:yet )?(?:done|finished|started)|"
    r"open(?: (?:items?|points?|tasks?|issues?|questions?|work|actions?|topics?|ends?))|still open|"
    r"left (?:to do|over)|action items?|actions|follow[- ]?ups?|work items?|"
    r"offene?[nrs]?|ausstehend\w*|unerledigt\w*|noch zu (?:tun|erledigen)|zu erledigen|"
    r"aufgaben|maßnahmen|massnahmen)\b|^open$",
    re.IGNORECASE,
)
_NEXT_HEADING = re.compile(
    r"\b(?:next|upcoming|planned|nächste\w*|geplant\w*|weiteres vorgehen)\b", re.IGNORECASE
)
_DONE_HEADING = re.compile(
    r"\b(?:done|completed?|accomplished|finished|achieved|resolved|closed|shipped|"
    r"erledigt\w*|abgeschlossen\w*|fertig\w*)\b",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(?:not|nicht|un|to be|still)\b", re.IGNORECASE)
_TODO_TITLE = re.compile(
    r"\b(?:to[- ]?dos?|task ?list|checklist|aufgabenliste|backlog)\b", re.IGNORECASE
)
_OPEN_SENTENCE = re.compile(
    r"\b(?:still (?:needs?|not|has|have|open|missing|pending|to be)|"
    r"not yet|yet to|(?:is|are) pending|"
    r"remains? (?:open|to be)|needs? to|has to|have to|must|to be done|outstanding|todo|"
    r"unfinished|next step|noch (?:nicht|offen|zu)|muss(?:en)? noch|müssen noch|muss|müssen|"
    r"steht noch aus|stehen noch aus|ist offen|sind offen|fehlt noch|fehlen noch)\b",
    re.IGNORECASE,
)
_WHOSE = re.compile(
    r"\b(?:does|do|must|should|has|assigned to|owned by|hat|muss|soll) ([A-ZÄÖÜ][\w-]{1,40})\b"
)
_MOST_SENTENCES = 40


@dataclass(frozen=True)
class Open:
    """What is open: items the text lists so, those it names as next, sentences that tell it.

    `done` counts the items that the text marks as done.
    """

    items: tuple[Item, ...] = ()
    following: tuple[Item, ...] = ()
    sentences: tuple[Item, ...] = ()
    done: int = 0

    def __bool__(self) -> bool:
        return bool(self.items or self.following or self.sentences)

    @property
    def best(self) -> tuple[Item, ...]:
        """The strongest evidence that there is."""
        return self.items or self.following or self.sentences


def find_open(sources: Iterable[Source]) -> Open:
    """Return what the texts give as open."""
    listed: list[Item] = []
    following: list[Item] = []
    told: list[Item] = []
    done = 0
    for source in sources:
        root = source.shape
        listed += named(_listed(root, source), source.name)
        following += named(_following(root), source.name)
        told += named(_told(root), source.name)
        done += sum(piece.state == "done" for _, piece in root.all_pieces())
    items = once(item for item in listed if item.state != "done")
    known = {item.key for item in items}
    later = [item for item in once(following) if item.key not in known and item.state != "done"]
    return Open(tuple(items), tuple(later), () if items or later else tuple(once(told)), done)


def about(found: Open, wish: str) -> Open:
    """Return what is open for the person that the wish names, if items are marked with that name.

    An item is somebody's when it starts with the name or has it in a cell below.
    """
    name = _WHOSE.search(wish)
    own = tuple(item for item in found.items if name and _is_of(item, name[1]))
    return replace(found, items=own, following=()) if own else found


def _is_of(item: Item, name: str) -> bool:
    cells = [text.partition(":")[2].strip() for _, text in item.details]
    return tokens(item.title)[:1] == [name.lower()] or name in cells


def all_items(source: Source) -> list[Item]:
    """Return every item of a text that is itself a list, such as an earlier step's output."""
    root = source.shape
    return named(once(item for item in items_of(root) if item.state != "done"), source.name)


def _listed(root: Section, source: Source) -> Iterator[Item]:
    """Yield the items under open headings, then the marked ones anywhere else."""
    covered: set[int] = set()
    for section in _topmost(root, _opens):
        for item in items_of(section):
            covered.add(item.line)
            yield item
    if not covered and _is_todo(root, source):
        for item in items_of(root):
            covered.add(item.line)
            yield item
    yield from _marked(root, covered)


def _following(root: Section) -> Iterator[Item]:
    for section in _topmost(root, lambda s: not _opens(s) and _matches(_NEXT_HEADING, s.title)):
        yield from items_of(section)


def _marked(root: Section, covered: set[int]) -> Iterator[Item]:
    """Yield items with an open box, mark or status that stand outside of the open sections."""
    for section in root.walk():
        for piece in section.pieces:
            yield from _open_pieces(piece, section, covered)


def _open_pieces(piece: Piece, section: Section, covered: set[int]) -> Iterator[Item]:
    """Yield the piece if it is open, else what is open below it; each once."""
    stack = [piece]
    while stack:
        each = stack.pop()
        if each.line in covered:
            continue
        if each.state == "open":
            yield piece_item(each, section.path)
        else:
            stack.extend(reversed(each.children))


def _told(root: Section) -> Iterator[Item]:
    """Yield sentences that tell of open work."""
    found = 0
    for section, piece in root.all_pieces():
        if piece.kind == "code" or piece.state == "done" or found >= _MOST_SENTENCES:
            continue
        for sentence in sentences(piece.text):
            if _OPEN_SENTENCE.search(sentence):
                found += 1
                yield Item(title=sentence, path=section.path, line=piece.line)


def _topmost(root: Section, wanted: object) -> Iterator[Section]:
    """Yield the highest sections that are wanted, not those below them."""
    stack = [root]
    while stack:
        section = stack.pop()
        if section.level and callable(wanted) and wanted(section):
            yield section
        else:
            stack.extend(reversed(section.sections))


def _opens(section: Section) -> bool:
    """Tell whether a heading says that what follows is open."""
    title = section.title
    if _DONE_HEADING.search(title) and not _NOT.search(title):
        return False
    return _matches(_OPEN_HEADING, title)


def _matches(pattern: re.Pattern[str], title: str) -> bool:
    return len(title) <= 120 and pattern.search(title) is not None


def _is_todo(root: Section, source: Source) -> bool:
    """Tell whether the whole text is a list of things to do, by its name or first heading."""
    first = root.sections[0].title if root.sections else ""
    return _TODO_TITLE.search(f"{source.name.replace('_', ' ')} {first}") is not None
