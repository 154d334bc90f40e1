"""Texts as weighted words, without a model: stop words out, endings cut, counts damped."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache

from services.match.skills import canonical

_WORD = re.compile(r"[^\W_]+(?:[+#]+|\.[^\W_]+)?")
_STOPPED = """
a about after all also an and any are as at be been but by can could das dem den der des die
do does ein eine einen einer et for from had has have he her his how i if in into is ist it
its la le les mit more most my need needs no not of on or our out over own project she so some
such than that the their them then there these they this those to und up us very von was we
well were what when which who will with work worked working would you your years year
experience
"""
_STOP = frozenset(_STOPPED.split())
_ENDINGS = ("ings", "ing", "ies", "ied", "ers", "ed", "er", "es", "s", "e")


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """Return the word without its ending, if at least four letters are left."""
    word = canonical(word)
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def terms(text: str) -> dict[str, float]:
    """Return stems with weights 1 + ln(count), scaled to length one; empty for no words.

    There is no weight by rarity in the pool, so a pair's score does not change when others come.
    """
    words = (word for word in _WORD.findall(text.casefold()) if word not in _STOP and len(word) > 1)
    counts = Counter(stem(word) for word in words)
    weights = {word: 1.0 + math.log(count) for word, count in counts.items()}
    length = math.sqrt(sum(weight * weight for weight in weights.values()))
    return {word: weight / length for word, weight in weights.items()}
