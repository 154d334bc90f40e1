"""A finished task as facts of a session: the same result always gives the same facts."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC

from shared.events import SessionEvent, SessionKind, TaskResult
from shared.events.tasks import TaskState
from shared.subjects import TOKEN_PATTERN

SUMMARY = 2000
"""Characters of the answer that the session keeps; the whole one stays in stream RESULTS."""

TOKEN_LENGTH = 64
ACTOR = "crew"


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
