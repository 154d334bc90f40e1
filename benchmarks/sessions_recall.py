"""Evidence recall of `session.search` beside plain BM25, on LoCoMo, with no model and with one.

Opt-in: SOVEREIGN_LOCOMO names the file (CC BY-NC 4.0, never part of the package). Weights were
tuned on the first three conversations; the others are held out and reported on their own.
SOVEREIGN_BENCH_EMBED names an Ollama, or what speaks like it, for the rows with vectors, and
SOVEREIGN_BENCH_EMBED_MODEL its model.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import tempfile
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.table import quantile, show
from services.sessions import ranking, recall, words
from services.sessions.index import Index
from services.sessions.meaning import Space, text_of
from services.sessions.stored import Fact
from shared.events import SearchAsk, SessionEvent

VARIABLE = "SOVEREIGN_LOCOMO"
EMBED = "SOVEREIGN_BENCH_EMBED"
AT_ONCE = 64
WAYS = ("bm25", "fused", "fused, vectors")
DEPTHS = (5, 10, 20)
TUNED_ON = 3
CATEGORIES = (1, 2, 3, 4)
RESAMPLES = 2000
START = datetime(2023, 1, 1, tzinfo=UTC)

Outcome = dict[str, Any]


def facts(conversations: list[dict[str, Any]]) -> list[Fact]:
    """Return each turn as a message; a conversation is a namespace."""
    made = []
    for talk in conversations:
        for turn in talk["turns"]:
            seq = len(made) + 1
            event = SessionEvent(
                event_id=turn["id"].replace(":", "-"), namespace=talk["id"],
                session_id=f"{talk['id']}-{turn['session']}", kind="message",
                title=turn["text"] or "-", actor=turn["speaker"],
                at=START + timedelta(minutes=seq),
            )  # fmt: skip
            made.append(Fact(seq, event, event.model_dump_json().encode()))
    return made


async def plain(index: Index, namespace: str, query: str) -> list[int]:
    """Return what BM25 alone finds, the best first."""
    number = index.number_of(namespace)
    terms = [words.term(number, word) for word in words.asked(query)]

    def look(db: sqlite3.Connection) -> dict[int, float]:
        (sizes,) = db.execute(ranking.SIZES, (namespace,)).fetchall()
        return ranking.word_scores(db, terms, sizes)

    scores = await index.read(look)
    return sorted(scores, key=lambda seq: (-scores[seq], -seq))


def embedded(texts: list[str]) -> list[Any]:
    """Return vectors from the server that the environment names; none without one."""
    url, model = os.environ.get(EMBED), os.environ.get(f"{EMBED}_MODEL", "all-minilm")
    if not url:
        return []
    import numpy as np

    rows: list[Any] = []
    for start in range(0, len(texts), AT_ONCE):
        body = json.dumps({"model": model, "input": texts[start : start + AT_ONCE]}).encode()
        asked = urllib.request.Request(f"{url}/api/embed", body)
        with urllib.request.urlopen(asked, timeout=600) as reply:
            rows += [np.asarray(row, dtype=np.float32) for row in json.load(reply)["embeddings"]]
    return rows


class Nearness:
    """Events by meaning, as the service finds them, from vectors that were made before."""

    def __init__(self, made: list[Fact], questions: list[str]) -> None:
        import numpy as np

        rows = embedded([text_of(fact.event) for fact in made])
        self.spaces: dict[str, Space] = {}
        for fact, row in zip(made, rows, strict=False):
            space = self.spaces.setdefault(fact.event.namespace, Space())
            space.add(fact.seq, row.astype(np.float16))
        self.queries = dict(zip(questions, embedded(questions), strict=False))

    def of(self, namespace: str, query: str) -> recall.Near:
        space = self.spaces.get(namespace)
        return space.near(self.queries[query]) if space else recall.NOTHING


async def measure(index: Index, made: list[Fact], talks: list[dict[str, Any]]) -> list[Outcome]:
    """Return for each question the share of its evidence in the first k of all ways."""
    outcomes = []
    nearness = Nearness(made, [q["question"] for talk in talks for q in talk["questions"]])
    for place, talk in enumerate(talks):
        ids = {f.event.event_id: f.seq for f in made if f.event.namespace == talk["id"]}
        for question in talk["questions"]:
            gold = {ids[e] for each in question["evidence"] if (e := each.replace(":", "-")) in ids}
            if question["category"] not in CATEGORIES or not gold:
                continue
            before = time.perf_counter()
            ask = SearchAsk(namespace=talk["id"], query=question["question"], limit=max(DEPTHS))
            fused = [hit.seq for hit in await recall.rank(index, ask)]
            spent = time.perf_counter() - before
            words_only = await plain(index, talk["id"], question["question"])
            near = nearness.of(talk["id"], question["question"])
            meant = [hit.seq for hit in await recall.rank(index, ask, near)] if near[1] else []
            outcomes.append(
                {"held_out": place >= TUNED_ON, "ms": spent * 1000}
                | {("fused", k): share(fused[:k], gold) for k in DEPTHS}
                | {("bm25", k): share(words_only[:k], gold) for k in DEPTHS}
                | {("fused, vectors", k): share(meant[:k], gold) for k in DEPTHS if meant}
            )
    return outcomes


def share(found: list[int], gold: set[int]) -> float:
    return len(gold.intersection(found)) / len(gold)


def interval(values: list[float], seed: int = 7) -> tuple[float, float, float]:
    """Return the mean and its 95 % bootstrap interval, in per cent."""
    dice = random.Random(seed)
    means = sorted(sum(dice.choices(values, k=len(values))) / len(values) for _ in range(RESAMPLES))
    low, high = means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES)]
    return 100 * sum(values) / len(values), 100 * low, 100 * high


async def outcomes_of(text: str, folder: Path) -> list[Outcome]:
    """Build an index of the whole LoCoMo file in `folder` and ask every question."""
    talks = json.loads(text)["conversations"]
    made = facts(talks)
    index = Index(folder / "index.db")
    await index.open("benchmark")
    try:
        await index.add(made, made[-1].seq)
        return await measure(index, made, talks)
    finally:
        await index.close()


def run() -> None:
    """Print the table, or say how to get one."""
    path = os.environ.get(VARIABLE)
    if not path:
        print(f"sessions_recall: set {VARIABLE} to the LoCoMo file to run this")
        return
    with tempfile.TemporaryDirectory() as folder:
        outcomes = asyncio.run(outcomes_of(Path(path).read_text(), Path(folder)))
    rows = []
    for name, held_out in (("tuned on", False), ("held out", True)):
        some = [outcome for outcome in outcomes if outcome["held_out"] is held_out]
        for way in WAYS:
            if (way, DEPTHS[0]) not in some[0]:
                continue
            cells = {f"R@{k}": percent([outcome[way, k] for outcome in some]) for k in DEPTHS}
            rows.append({"conversations": name, "way": way, "questions": len(some)} | cells)
    show("sessions_recall", "Evidence recall (mean share, %, with 95 % intervals)", rows)
    times = [outcome["ms"] for outcome in outcomes]
    print(f"  query ms: p50 {quantile(times, 0.5):.2f}, p95 {quantile(times, 0.95):.2f}")


def percent(values: list[float]) -> str:
    return "{:.1f} [{:.1f}, {:.1f}]".format(*interval(values))
