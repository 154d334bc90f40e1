"""The lines that the rules say of themselves, in the language of the question."""

from __future__ import annotations

from services.router.offline.words import tokens, word_set

ENGLISH = {
    "notice": "Extracted by rules from the given text; no language model was used.",
    "order_by": "Order by the text's own {what}; nothing is judged.",
    "then": ", then its ",
    "and": " and ",
    "by_labels": "priority labels",
    "by_words": "words on what comes before what",
    "by_days": "dates",
    "by_numbers": "numbers",
    "order_text": "The text gives no priority labels or numbers; this is its own order.",
    "order_circle": "The text contradicts itself here; these words were not followed:",
    "after": "after {title}, since the text says: “{words}”",
    "before": "before {title}, since the text says: “{words}”",
    "no_label": "no priority given",
    "number": "no.",
    "also_next": "Also named as next: {title}",
    "sequence": "The text also gives this sequence under “{title}”:",
    "told": "The text lists nothing as open; these sentences tell of open work",
    "all_done": "The text marks nothing as open; it marks {count} items as done.",
    "risks": "Statements in the text that signal risk",
    "risks_own": "What the text itself gives under “{title}”",
    "risks_open": "In the open items",
    "risks_else": "Elsewhere in the text",
    "pending_title": "Pending",
    "order_title": "Order",
    "risks_title": "Risks",
    "summary_title": "Summary",
    "risks_none": "No statement in the text carries a word that signals risk (missing, needed, "
    "blocked, failing, not yet, 0 % …). That does not prove that there is none.",
    "more": "{count} more statements with weaker signs are left out.",
    "waits": "the text says",
    "best": "Passages of the text that match the question",
    "unnamed": "The text names none.",
    "left": "{count} more lines are left out.",
    "cut": "Part of the text was left out because of its length; that part was not searched.",
}
GERMAN = {
    "notice": "Nach Regeln aus dem gegebenen Text gezogen; kein Sprachmodell war beteiligt.",
    "order_by": "Reihenfolge nach dem Text: nach seinen {what}; ohne eigenes Urteil.",
    "then": ", dann seinen ",
    "and": " und ",
    "by_labels": "Prioritäten",
    "by_words": "Worten, was vor was kommt",
    "by_days": "Terminen",
    "by_numbers": "Nummern",
    "order_text": "Der Text nennt weder Prioritäten noch Nummern; dies ist seine Reihenfolge.",
    "order_circle": "Der Text widerspricht sich hier; diesen Worten wurde nicht gefolgt:",
    "after": "nach {title}, denn der Text sagt: “{words}”",
    "before": "vor {title}, denn der Text sagt: “{words}”",
    "no_label": "ohne Priorität",
    "number": "Nr.",
    "also_next": "Auch als Nächstes genannt: {title}",
    "sequence": "Der Text nennt unter „{title}“ auch diese Folge:",
    "told": "Der Text führt nichts als offen auf; diese Sätze sprechen von offener Arbeit",
    "all_done": "Der Text führt nichts als offen auf; {count} Punkte führt er als erledigt.",
    "risks": "Aussagen im Text, die auf ein Risiko deuten",
    "risks_own": "Was der Text selbst unter “{title}” nennt",
    "risks_open": "In den offenen Punkten",
    "risks_else": "An anderer Stelle im Text",
    "pending_title": "Offen",
    "order_title": "Reihenfolge",
    "risks_title": "Risiken",
    "summary_title": "Zusammenfassung",
    "risks_none": "Keine Aussage im Text trägt ein Wort, das auf ein Risiko deutet (fehlt, nötig, "
    "blockiert, Fehler, noch nicht, 0 % …). Das beweist nicht, dass es keines gibt.",
    "more": "{count} weitere Aussagen mit schwächeren Zeichen sind weggelassen.",
    "waits": "der Text sagt",
    "best": "Stellen im Text, die zur Frage passen",
    "unnamed": "Der Text nennt nichts davon.",
    "left": "{count} weitere Zeilen sind weggelassen.",
    "cut": "Ein Teil des Textes blieb wegen der Länge weg; er wurde nicht durchsucht.",
}
_GERMAN_WORDS = word_set(
    "der die das und ist sind was welche welcher wer wie noch offen für mit nicht den im ein eine "
    "gibt es reihenfolge risiken bitte fasse nenne zusammen"
)
_ENGLISH_WORDS = word_set(
    "the and is are what which who how still pending for with not in a an of order risks please "
    "should be done it text list every item"
)


def phrases(question: str) -> dict[str, str]:
    """Return the lines in German for a German question, else in English."""
    words = tokens(question[:2000])
    german = sum(word in _GERMAN_WORDS for word in words)
    english = sum(word in _ENGLISH_WORDS for word in words)
    return GERMAN if german > english else ENGLISH
