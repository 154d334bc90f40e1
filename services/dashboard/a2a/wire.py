"""What A2A 1.0 says, in its JSON form: messages in, tasks out. Pure.

Names and states are those of the protocol's `a2a.proto`, version 1.0, written as ProtoJSON.
"""

from __future__ import annotations

import re
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from services.dashboard.a2a.faults import unreadable, unsupported, wrong_params
from shared.bus import invalid
from shared.events import TaskRequest, TaskResult, TaskState, TaskView
from shared.events.base import Reason
from shared.events.tasks import Attachment
from shared.ids import ulid
from shared.runs import present
from shared.subjects import TOKEN_PATTERN

TITLE_CHARS = 200
STATES = {
    TaskState.QUEUED: "TASK_STATE_SUBMITTED",
    TaskState.PLANNING: "TASK_STATE_WORKING",
    TaskState.RUNNING: "TASK_STATE_WORKING",
    TaskState.WAITING: "TASK_STATE_WORKING",
    TaskState.DONE: "TASK_STATE_COMPLETED",
    TaskState.FAILED: "TASK_STATE_FAILED",
    TaskState.CANCELLED: "TASK_STATE_CANCELED",
    TaskState.REJECTED: "TASK_STATE_REJECTED",
}
INPUT_REQUIRED = "TASK_STATE_INPUT_REQUIRED"
APPROVAL = "approval"


class Wire(BaseModel):
    """A body of the protocol: lower camel case, unknown fields tolerated."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Part(Wire):
    """A piece of a message: text, bytes in base64, structured data, or a link."""

    text: str | None = None
    raw: str | None = None
    url: str | None = None
    data: Any | None = None
    filename: str = ""
    media_type: str = ""


class Message(Wire):
    """What the other agent says. `messageId` makes a repeated message the same task."""

    message_id: str = Field(min_length=1, max_length=255)
    role: str = "ROLE_USER"
    parts: list[Part] = Field(min_length=1, max_length=40)
    context_id: str | None = None
    task_id: str | None = None


class Configuration(Wire):
    """How the answer is wanted."""

    return_immediately: bool = False


class Send(Wire):
    """Parameters of `SendMessage`."""

    message: Message
    configuration: Configuration = Configuration()


class Named(Wire):
    """Parameters of `GetTask` and `CancelTask`."""

    id: str = Field(pattern=TOKEN_PATTERN)


def read(kind: type[Any], params: Any) -> Any:
    """Return typed parameters; raise the fault that names the wrong one."""
    try:
        return kind.model_validate(params)
    except ValidationError as error:
        raise wrong_params(invalid(error).message) from None


def task_of(message: Message) -> TaskRequest:
    """Return the task that a message asks for; its first line of text is the title.

    The context, where it is a token, is the session that the task belongs to.
    """
    if message.task_id:
        line = f"task {message.task_id} takes no more messages: send a new one, or use its controls"
        raise unsupported(line)
    text = "\n".join(part.text for part in message.parts if part.text).strip()
    first, _, rest = text.partition("\n")
    short = len(first) <= TITLE_CHARS
    given = {
        "title": first if short else f"{first[: TITLE_CHARS - 1]}…",
        "description": rest.strip() if short else text,
        "task_id": _token(message.message_id) or ulid(),
        "session": _token(message.context_id or ""),
    }
    try:
        files = tuple(_file(n, part) for n, part in enumerate(message.parts) if not part.text)
        return TaskRequest.model_validate({**given, "attachments": files})
    except ValidationError as error:
        raise wrong_params(invalid(error).message) from None


def _token(text: str) -> str | None:
    return text if re.fullmatch(TOKEN_PATTERN, text) else None


def _file(number: int, part: Part) -> Attachment:
    """Return a part that is no text as an attachment; links are not followed."""
    name = part.filename or f"part-{number + 1}"
    if part.url is not None:
        raise unreadable("parts with a url are not fetched: send the bytes as raw")
    if part.raw is not None:
        kind = part.media_type or "application/octet-stream"
        return Attachment(name=name, base64=part.raw, media_type=kind)
    if part.data is None:
        raise wrong_params(f"message.parts.{number}: give one of text, raw, data")
    text = orjson.dumps(part.data).decode()
    return Attachment(name=f"{name}.json", text=text, media_type="application/json")


def task_form(task_id: str, view: TaskView | None, result: TaskResult | None) -> dict[str, Any]:
    """Return a task as A2A writes it; a result of an earlier run is history and left out."""
    ended = present(view, result)
    state = ended.state if ended else view.state if view else TaskState.QUEUED
    reason = ended.reason if ended else view.reason if view else None
    session = (ended.session if ended else None) or (view.session if view else None)
    at = ended.at if ended else view.updated_at if view else None
    status: dict[str, Any] = {"state": _state(state, reason)}
    if at is not None:
        status["timestamp"] = at.isoformat().replace("+00:00", "Z")
    if reason is not None:
        status["message"] = _said(task_id, state, reason)
    form = {"id": task_id, "contextId": session or task_id, "status": status}
    return form | _outcome(ended)


def _state(state: TaskState, reason: Reason | None) -> str:
    asked = state is TaskState.WAITING and reason is not None and reason.code == APPROVAL
    return INPUT_REQUIRED if asked else STATES[state]


def _said(task_id: str, state: TaskState, reason: Reason) -> dict[str, Any]:
    line = f"{reason.code}: {reason.message}"
    message_id = f"{task_id}-{state}"
    return {"messageId": message_id, "role": "ROLE_AGENT", "parts": [{"text": line}]}


def _outcome(result: TaskResult | None) -> dict[str, Any]:
    """Return the answer as an artifact, and who made it as metadata."""
    if result is None:
        return {}
    told: dict[str, Any] = {"engine": result.engine, "isLlm": result.is_llm}
    if result.notice:
        told["notice"] = result.notice
    if not result.answer:
        return {"metadata": told}
    parts: list[dict[str, Any]] = [{"text": result.answer, "mediaType": "text/plain"}]
    if result.data is not None:
        parts.append({"data": result.data, "mediaType": "application/json"})
    artifact = {"artifactId": "answer", "name": "answer", "parts": parts}
    return {"artifacts": [artifact], "metadata": told}
