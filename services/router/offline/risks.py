"""Statements that signal risk, quoted: each with the words that gave it away; nothing inferred."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from services.router.offline.markup import Source
from services.router.offline.order import place
from services.router.offline.outline import Piece, Section
from services.router.offline.pending import find_open
from services.router.offline.sentences import sentences
from shared.mojibake import repair

_UNDONE = (
    r"tested|done|documented|verified|finished|completed?|started|ready|work(?:s|ing)?|available|"
    r"possible|approved|signed|secured?|backed up|monitored|covered|confirmed|clear|known|enough|"
    r"safe|stable|reachable|respond(?:s|ing)?|encrypted|supported|implemented|fixed|resolved|"
    r"running|reliable|sufficient|decided|agreed|paid|delivered|arrived|found|final|"
    r"getestet|erledigt|dokumentiert|geprüft|fertig|begonnen|bereit|verfügbar|möglich|genehmigt|"
    r"unterschrieben|gesichert|bestätigt|geklärt|bekannt|sicher|stabil|erreichbar|bezahlt|geliefert"
)
"""What signals risk when it is not so; "not" by itself ("Mollie, not PayPal") is a choice."""
_LACKED = (
    r"backups?|tests?|monitoring|documentation|owner|fallback|way back|rollback|alert\w*|access|"
    r"budget|plan b|redundancy|contract|date yet|sicherung\w*|backup|zugang|vertrag|ersatz|"
    r"dokumentation"
)
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
    (3, rf"(?:not|n't|nicht) (?:\w+ )?(?:{_UNDONE})|(?:does|do|is|are|was|were|did|has|have)n't "
        rf"(?:\w+ )?(?:{_UNDONE})|never(?= \w)|nie(?= \w)|cannot|can't|won't|"
        rf"(?:no|without|kein\w*|ohne) (?:\w+ )?(?:{_LACKED})"),
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
_NOT_SO = re.compile(r"(?:\bnot|n't|\bnicht) (?:an? |the |any |really )?$", re.IGNORECASE)
_HISTORY = re.compile(r"^\W{0,4}(?:before|previously|was|vorher|früher|bisher)\b", re.IGNORECASE)
_RISK_HEADING = re.compile(
    r"(?!(?:no|resolved|fixed|closed|solved|past|former|keine?|gelöste|behobene)\b)"
    r"(?:(?:\w+ ){0,2}(?:risks?|blockers?|dangers?|concerns|threats|risiken|gefahren|bedenken|"
    r"hindernisse)|(?:known |current |bekannte |aktuelle )?(?:issues|problems|probleme))"
    r"(?:(?: (?:and|und|&)|,|/) ?\w+){0,2}(?: \([^()]{1,40}\))?$",
    re.IGNORECASE,
)
_MOST_SHOWN = 24
_MOST_OWN = 100
_LONGEST_QUOTE = 400
_LONGEST_READ = 2000


@dataclass(frozen=True)
class Statement:
    """A quote that signals risk: where it stands, the words that tell it, how strong they are.

    `section` is the heading about risks that it stands under, if any.
    """

    quote: str
    sign: str
    weight: int
    path: tuple[str, ...]
    source: str
    line: int
    is_open: bool
    section: str = ""


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
    own = [statement for statement in found if statement.section]
    others = [statement for statement in found if not statement.section]
    strongest = sorted(others, key=lambda s: (-s.is_open, -s.weight, s.line))[:_MOST_SHOWN]
    chosen = set(map(id, [*own[:_MOST_OWN], *strongest]))
    kept = [statement for statement in found if id(statement) in chosen]
    blocks = [f"{say['risks']}:", *_groups(kept, say)]
    if len(found) > len(kept):
        blocks.append(say["more"].format(count=len(found) - len(kept)))
    return "\n\n".join(blocks)


def _groups(kept: Iterable[Statement], say: dict[str, str]) -> Iterator[str]:
    """Yield the text's own sections about risks, then what stands in open items, then the rest."""
    groups: dict[tuple[int, str], list[str]] = {}
    for each in kept:
        if each.section:
            key = (0, say["risks_own"].format(title=each.section))
        else:
            key = (1, say["risks_open"]) if each.is_open else (2, say["risks_else"])
        groups.setdefault(key, []).append(_line(each))
    for (_, title), lines in sorted(groups.items(), key=lambda group: group[0][0]):
        yield "\n".join([f"### {title}", "", *lines])


@lru_cache(maxsize=1024)
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
    return bool(_HARMLESS.search(before) or _NOT_SO.search(before) or _SOLVED_AFTER.match(after))


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
        section = _under_risks(at)
        for quote in _quotes(each):
            sign = sign_of(repair(quote[:_LONGEST_READ])[0]) or ((section, 5) if section else None)
            if sign is not None:
                told = (*sign, at, name, each.line, is_open, section)
                yield Statement(quote[:_LONGEST_QUOTE], *told)
        below = (*at, each.text[:80]) if each.lead else at
        stack.extend((child, below, is_open) for child in reversed(each.children))


def _quotes(piece: Piece) -> list[str]:
    """Return the sentences of a piece; of a row the cells that are sentences, else the row."""
    if not piece.fields:
        return sentences(piece.text)
    cells = [cell for _, cell in piece.fields if len(cell.split()) > 1]
    return [cell for cell in cells if sign_of(cell)] or [piece.text.strip("| ")]


def _under_risks(path: tuple[str, ...]) -> str:
    """Return the heading "Risks" or the like that a place stands under, or ""."""
    return next((title for title in path if _RISK_HEADING.match(title)), "")


def _line(statement: Statement) -> str:
    """Return the quote with its place and sign; in a section about risks both are plain."""
    path = statement.path
    if statement.section:
        path = path[path.index(statement.section) + 1 :]
    where = place(path) if not statement.section else " › ".join(path)
    sign = "" if statement.section else f" — {statement.sign}"
    return f"- “{statement.quote}”" + (f" ({where})" if where else "") + sign
