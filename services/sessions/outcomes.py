"""A finished task as facts of a session: the same result always gives the same facts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC

from shared.events import SessionEvent, SessionKind, TaskResult
from shared.events.tasks import TaskState
from shared.subjects import TOKEN_PATTERN

_FOUND = re.compile(
    r"^\W{0,6}(?P<kind>decision|decided|learned|learnt|learning|lesson)(?:\*\*|__)?:"
    r"(?:\*\*|__)?\s*(?P<text>\S.*?)\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_BECAUSE = re.compile(r",?\s+because\s+", re.IGNORECASE)
MOST_FOUND = 20
"""Decisions and learnings that one task may add."""

SUMMARY = 2000
"""Characters of the answer that the session keeps; the whole one stays in stream RESULTS."""

TOKEN_LENGTH = 64
ACTOR = "crew"

Found = tuple[SessionKind, str, str]
"""Kind, title, why."""


def opening(result: TaskResult, namespace: str, session_id: str) -> SessionEvent:
    """Return the fact that opens the session of a task."""
    return SessionEvent(
        event_id=_token(f"opened-{session_id}"),
        namespace=namespace,
        session_id=session_id,
        kind="session.opened",
        title=_title(result),
        actor=ACTOR,
        at=result.at,
    )


def outcome(result: TaskResult, namespace: str, session_id: str) -> SessionEvent:
    """Return the fact that a task ended; its id holds the instant, since a retry ends again."""
    kind: SessionKind = "task.done" if result.state == TaskState.DONE else "task.failed"
    instant = int(result.at.timestamp() * 1000)
    return SessionEvent(
        event_id=_token(f"{kind[5:]}-{instant}-{result.task_id}"),
        namespace=namespace,
        session_id=session_id,
        kind=kind,
        title=result.title.strip()[:10_000] or result.task_id,
        body=summary(result),
        actor=ACTOR,
        data=_data(result),
        at=result.at,
    )


def findings(result: TaskResult, namespace: str, session_id: str) -> list[SessionEvent]:
    """Return what the task says that it decided and learned, each as a fact of its own.

    That are lines of the answer like `Decision: …, because …` and `Learned: …`, and the lists
    `decisions` and `learnings` of an answer in JSON. The engine that said so stands with them.
    """
    if result.state != TaskState.DONE:
        return []
    found = dict.fromkeys([*_said(result.answer), *_listed(result.data)])
    instant = int(result.at.timestamp() * 1000)
    return [
        SessionEvent(
            event_id=_token(f"{kind}-{instant}-{number}-{result.task_id}"),
            namespace=namespace,
            session_id=session_id,
            kind=kind,
            title=title,
            actor=ACTOR,
            refs=(f"task:{result.task_id}",),
            data=_found_data(result, kind, why),
            at=result.at,
        )
        for number, (kind, title, why) in enumerate(list(found)[:MOST_FOUND], 1)
    ]


def _said(answer: str) -> Iterator[Found]:
    for line in _FOUND.finditer(answer):
        kind: SessionKind = "decision" if line["kind"].lower().startswith("deci") else "learning"
        text = line["text"].strip("* ")
        because = _BECAUSE.search(text) if kind == "decision" else None
        title, why = (text[: because.start()], text[because.end() :]) if because else (text, "")
        if title:
            yield kind, title[:500], why[:2000]


def _listed(data: object) -> Iterator[Found]:
    """Yield what a JSON answer lists under `decisions` and `learnings`."""
    if not isinstance(data, dict):
        return
    names: tuple[tuple[str, SessionKind], ...] = (
        ("decisions", "decision"), ("learnings", "learning"),
    )  # fmt: skip
    for name, kind in names:
        rows = data.get(name)
        for row in rows if isinstance(rows, list) else []:
            fields = row if isinstance(row, dict) else {"title": row}
            title = fields.get("title") or fields.get("what") or fields.get("claim")
            if isinstance(title, str) and title.strip():
                yield kind, title.strip()[:500], str(fields.get("why") or "")[:2000]


def _found_data(result: TaskResult, kind: str, why: str) -> dict[str, object]:
    told: dict[str, object] = {
        "task_id": result.task_id, "engine": result.engine, "is_llm": result.is_llm,
    }  # fmt: skip
    if kind == "learning":
        return told | {"evidence": f"task {result.task_id}"}
    return told | ({"why": why} if why else {})


def session_id(result: TaskResult) -> str:
    """Return the session that the task named, if it can be one, else the day's."""
    named = result.session or ""
    return named if re.fullmatch(TOKEN_PATTERN, named) else daily(result)


def daily(result: TaskResult, namespace: str = "") -> str:
    """Return the session of tasks that name none: one a day, by the result's own instant.

    `namespace` makes the name its own where another namespace took the plain one.
    """
    day = f"tasks-{result.at.astimezone(UTC):%Y-%m-%d}"
    return f"{day}-{namespace[:40]}" if namespace else day


def summary(result: TaskResult) -> str:
    """Return the answer, or why there is none, in at most `SUMMARY` characters, cut at a line."""
    text = (result.answer or (result.reason.message if result.reason else "")).strip()
    if len(text) <= SUMMARY:
        return text
    kept = text[:SUMMARY]
    return f"{kept[: kept.rfind(chr(10)) if chr(10) in kept else SUMMARY].rstrip()} …"


def _data(result: TaskResult) -> dict[str, object]:
    return {
        "task_id": result.task_id,
        "state": result.state.value,
        "reason": result.reason.code if result.reason else None,
        "engine": result.engine,
        "is_llm": result.is_llm,
        "agents": sorted({step.agent for step in result.steps}),
        "steps": len(result.steps),
        "seconds": result.timing.makespan_s,
        "answer_chars": len(result.answer),
    }


def _title(result: TaskResult) -> str:
    if result.session:
        return f"Session {result.session}"
    return f"Tasks of {result.at.astimezone(UTC):%Y-%m-%d}"


def _token(text: str) -> str:
    """Return `text` as a token: what is too long for one ends in its digest."""
    if len(text) <= TOKEN_LENGTH:
        return text
    return f"{text[:31]}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"
