"""Statements that signal risk, quoted: each with the words that gave it away; nothing inferred."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.router.offline.markup import Source
from services.router.offline.order import place
from services.router.offline.outline import Piece, Section
from services.router.offline.pending import find_open
from services.router.offline.sentences import sentences
from shared.mojibake import repair

_SIGNS: tuple[tuple[int, str], ...] = (
    (4, r"risks?|risky|risiko|risiken|danger\w*|threat\w*|gefahr\w*|gefährd\w*"),
    (4, r"block(?:er|ers|ed|ing)|blockier\w*|stuck|hindernis\w*|show ?stoppers?"),
    (3, r"missing|lacks?|lacking|lack of|unavailable|not available|fehlt|fehlen|fehlend\w*|"
        r"mangel\w*"),
    (3, r"fail(?:s|ed|ing|ure|ures)?|crash\w*|broken|bugs?|outages?|downtime|leaks?|leaked|"
        r"vulnerab\w*|corrupt\w*|data loss|ausfall\w*|ausgefallen|fehler\w*|kaputt|defekt\w*|"
        r"absturz\w*"),
    (3, r"overdue|delayed?|delays|late|slips?|slipped|expired?|expires|behind schedule|over budget|"
        r"überfällig|verspätet\w*|verzöger\w*|verzug|läuft ab|abgelaufen"),
    (3, r"not yet|untested|unverified|undocumented|unfinished|unresolved|incomplete|unstable|"
        r"insecure|noch nicht|ungetestet\w*|unvollständig\w*|ungelöst\w*|instabil\w*"),
    (3, r"(?:not|never|cannot|can't|won't|doesn't|isn't|aren't|didn't|hasn't|nicht|nie)(?= \w)"
        r"(?! (?:just|only|merely|nur|needed|required|necessary|nötig|bother))"),
    (3, r"depends? on|dependen(?:t|cy|cies)|waiting (?:for|on)|on hold|hängt von|abhängig\w*|"
        r"abhängigkeit\w*|wartet auf|single point of failure"),
    (2, r"once|until|only if|sobald|erst wenn|bis dahin"),
    (2, r"partial\w*|just started|started only|teilweise|gerade erst"),
    (2, r"unclear|unknown|uncertain|tbd|tba|to be (?:decided|clarified|defined|confirmed)|"
        r"assum(?:e|es|ed|ption|ptions)|unklar\w*|ungeklärt\w*|unbekannt\w*|offene frage"),
    (2, r"errors?|problems?|issues?|concerns?|timeouts?|warnings?|slow|weak|unsafe|deprecated|"
        r"problem\w*|bedenken|sorgen|langsam"),
    (2, r"needs?|needed|requires?|required|must|benötig\w*|erforderlich|nötig|braucht|"
        r"muss|müssen"),
    (1, r"manual|manually|limited|limits?|only one|manuell\w*|begrenzt|händisch"),
)  # fmt: skip
_NAMED_SIGNS = "|".join(f"(?P<s{i}>{words})" for i, (_, words) in enumerate(_SIGNS))
_PATTERN = re.compile(
    rf"(?<![\w-])(?=[^\W1-9])(?:{_NAMED_SIGNS}|(?P<zero>0 ?%|0/\d+))(?![\w-])", re.IGNORECASE
)
_HARMLESS = re.compile(
    r"\b(?:no|without|zero|never|prevents?|prevented|avoids?|avoided|fix(?:es|ed)|auto-fix\w*|"
    r"resolved|solved|eliminat\w+|protects?|removed|handles?|kein\w*|ohne|behoben\w*|gelöst\w*|"
    r"verhinder\w*|vermeid\w*|vermieden)\b[^.;:!?]{0,40}$",
    re.IGNORECASE,
)
_SOLVED_AFTER = re.compile(
    r"^[^.;!?]{0,30}\b(?:fixed|resolved|solved|handled|avoided|prevented|behoben|gelöst)\b", re.I
)
_HISTORY = re.compile(r"^\W{0,4}(?:before|previously|was|vorher|früher|bisher)\b", re.IGNORECASE)
_RISK_HEADING = re.compile(
    r"(?:\w+ ){0,2}(?:risks?|blockers?|dangers?|known issues|concerns|threats|risiken|gefahren|"
    r"bekannte probleme|blocker)(?: (?:and|und|&) \w+)?$",
    re.IGNORECASE,
)
_MOST_SHOWN = 24
_LONGEST_QUOTE = 400
_LONGEST_READ = 2000


@dataclass(frozen=True)
class Statement:
    """A quote that signals risk: where it stands, the words that tell it, how strong they are."""

    quote: str
    sign: str
    weight: int
    path: tuple[str, ...]
    source: str
    line: int
    is_open: bool


def find_risks(sources: Iterable[Source]) -> list[Statement]:
    """Return the statements of the texts that carry a sign of risk, in the texts' order."""
    found: list[Statement] = []
    for source in sources:
        open_lines = _open_lines(source)
        found += list(_statements(source.shape, source.name, open_lines))
    return list({statement.quote.casefold(): statement for statement in reversed(found)}.values())[
        ::-1
    ]


def show_risks(sources: Iterable[Source], say: dict[str, str]) -> str:
    """Return the quotes, those in open items first; or the line that none was found."""
    found = find_risks(sources)
    if not found:
        return say["risks_none"]
    strongest = sorted(found, key=lambda s: (-s.is_open, -s.weight, s.line))[:_MOST_SHOWN]
    chosen = set(map(id, strongest))
    kept = [statement for statement in found if id(statement) in chosen]
    blocks = [f"{say['risks']}:"]
    for title, wanted in ((say["risks_open"], True), (say["risks_else"], False)):
        lines = [_line(s) for s in kept if s.is_open is wanted]
        if lines:
            blocks.append("\n".join([f"### {title}", "", *lines]))
    if len(found) > len(kept):
        blocks.append(say["more"].format(count=len(found) - len(kept)))
    return "\n\n".join(blocks)


def sign_of(sentence: str) -> tuple[str, int] | None:
    """Return (the words, their weight) of the strongest sign of risk in a sentence, if any."""
    if _HISTORY.match(sentence):
        return None
    best: tuple[str, int] | None = None
    for match in _PATTERN.finditer(sentence):
        if _is_harmless(sentence, match):
            continue
        group = match.lastgroup or ""
        weight = 2 if group == "zero" else _SIGNS[int(group[1:])][0]
        if best is None or weight > best[1]:
            best = (match.group(), weight)
    return best


def _is_harmless(sentence: str, match: re.Match[str]) -> bool:
    """Tell whether the words around the sign take the risk away: "no errors", "bug fixed"."""
    before = sentence[max(0, match.start() - 48) : match.start()]
    after = sentence[match.end() : match.end() + 48]
    return bool(_HARMLESS.search(before) or _SOLVED_AFTER.match(after))


def _open_lines(source: Source) -> set[int]:
    """Return the lines of the text's open items."""
    found = find_open([source])
    return {item.line for item in (*found.items, *found.following)}


def _statements(root: Section, name: str, open_lines: set[int]) -> Iterator[Statement]:
    for section in root.walk():
        inside = section.line in open_lines
        for piece in section.pieces:
            yield from _of_piece(piece, section.path, (name, inside, open_lines))


def _of_piece(
    piece: Piece, path: tuple[str, ...], where: tuple[str, bool, set[int]]
) -> Iterator[Statement]:
    """Yield the statements of a piece and of all below it; code and what is done is left out."""
    name, inside, open_lines = where
    stack = [(piece, path, inside)]
    while stack:
        each, at, is_open = stack.pop()
        is_open = is_open or each.line in open_lines
        if each.kind == "code" or each.state == "done":
            continue
        for quote in sentences(each.text):
            sign = sign_of(repair(quote[:_LONGEST_READ])[0]) or _under_risks(at)
            if sign is not None:
                yield Statement(quote[:_LONGEST_QUOTE], *sign, at, name, each.line, is_open)
        below = (*at, each.text[:80]) if each.lead else at
        stack.extend((child, below, is_open) for child in reversed(each.children))


def _under_risks(path: tuple[str, ...]) -> tuple[str, int] | None:
    """Return the heading as the sign for what stands under "Risks" or the like."""
    return next(((title, 5) for title in path[-2:] if _RISK_HEADING.match(title)), None)


def _line(statement: Statement) -> str:
    where = place(statement.path)
    return f"- “{statement.quote}”" + (f" ({where})" if where else "") + f" — {statement.sign}"
