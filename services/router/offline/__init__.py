"""The offline engine: rules that work on the given text, say so, and refuse what they cannot do.

No weights, no clock, no chance: the same request has the same answer.
"""

from services.router.offline.engine import OfflineAnswer, answer

__all__ = ["OfflineAnswer", "answer"]
