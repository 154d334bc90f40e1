"""Names of skills made comparable: one name for synonyms, and what a skill implies.

Names are compared whole, never as parts of words.
"""

from __future__ import annotations

import re

_SAME = {
    "javascript": "js ecmascript",
    "typescript": "ts",
    "python": "py python3",
    "go": "golang",
    "c#": "csharp dotnet-c#",
    "c++": "cpp cplusplus",
    "kubernetes": "k8s",
    "postgresql": "postgres pg psql",
    "machine learning": "ml machinelearning",
    "artificial intelligence": "ai",
    "natural language processing": "nlp",
    "large language models": "llm llms",
    "react": "reactjs react.js",
    "vue": "vuejs vue.js",
    "node": "nodejs node.js",
    "next": "nextjs next.js",
    "continuous integration": "ci ci/cd cicd",
    "amazon web services": "aws",
    "google cloud": "gcp google-cloud-platform",
    "microsoft azure": "azure",
    "infrastructure as code": "iac",
    "search engine optimization": "seo",
    "user experience": "ux ux-design",
    "user interface": "ui ui-design",
    "project management": "pm",
    "quality assurance": "qa testing",
    "devops": "dev-ops",
    "mongodb": "mongo",
    "elasticsearch": "elastic",
    "scikit-learn": "sklearn",
}
_IMPLIES = {
    "django": "python",
    "fastapi": "python",
    "flask": "python",
    "pandas": "python",
    "numpy": "python",
    "pytorch": "python|machine learning",
    "tensorflow": "python|machine learning",
    "scikit-learn": "python|machine learning",
    "typescript": "javascript",
    "react": "javascript",
    "vue": "javascript",
    "angular": "javascript|typescript",
    "next": "javascript|react",
    "node": "javascript",
    "spring": "java",
    "rails": "ruby",
    "laravel": "php",
    "natural language processing": "machine learning",
    "large language models": "natural language processing",
    "kubernetes": "docker",
    "postgresql": "sql",
    "mysql": "sql",
    "terraform": "infrastructure as code",
}
IMPLIED = 0.8
"""How much of a skill another one that builds on it is worth; a rule of thumb, not measured."""

_SPACE = re.compile(r"[\s_-]+")
_CANONICAL = {
    _SPACE.sub(" ", other): name for name, others in _SAME.items() for other in others.split()
}


def canonical(name: str) -> str:
    """Return the one name of a skill, sector or language: casefolded, synonyms resolved."""
    plain = _SPACE.sub(" ", name.casefold()).strip()
    return _CANONICAL.get(plain, plain)


def implied(name: str) -> tuple[str, ...]:
    """Return what a skill, given by its canonical name, brings with it."""
    return tuple(_IMPLIES[name].split("|")) if name in _IMPLIES else ()


_LANGUAGES = {
    "en": "english", "de": "german", "deutsch": "german", "fr": "french", "français": "french",
    "es": "spanish", "español": "spanish", "it": "italian", "pt": "portuguese", "nl": "dutch",
    "pl": "polish", "uk": "ukrainian", "ru": "russian", "zh": "chinese", "ja": "japanese",
    "ko": "korean", "ar": "arabic", "hi": "hindi", "tr": "turkish", "sv": "swedish",
}  # fmt: skip


def language(name: str) -> str:
    """Return the one name of a language: `de`, `de-DE` and `Deutsch` are `german`."""
    plain = _SPACE.sub(" ", name.casefold()).strip()
    return _LANGUAGES.get(plain) or _LANGUAGES.get(plain.split(" ")[0], plain)
