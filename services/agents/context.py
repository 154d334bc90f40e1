"""What sessions know that matters for a task: shown as data, cited by id, never required.

A task that stands alone gets the facts as its one document, so that it can work from them; beside
other texts they are a block of their own, which rules leave alone and a language model may use.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from nats.errors import Error as NatsError

from services.agents.crew import AgentSpec
from services.agents.prompts import Document, escape, task_text
from services.agents.room import Room
from shared.errors import SovereignError
from shared.events.models import ChatMessage, ChatRequest
from shared.events.sessions import SessionContext, SessionContextAsk
from shared.events.tasks import TaskRequest

log = logging.getLogger(__name__)

ANSWER_S = 10.0
"""How long a task waits for what sessions know; then it goes on without."""

CITE = "Cite a fact of the session that you use by its id in `…`."
KEEP = (
    "If you decide or find out something that later work needs, end with one line each: "
    "`Decision: …, because …` or `Learned: …`."
)


@dataclass(frozen=True)
class Known:
    """Facts as Markdown, each line with the id of its event; `notice` says that they are missing.

    `session` is empty when the task names none.
    """

    session: str = ""
    text: str = ""
    event_ids: tuple[str, ...] = ()
    tokens: int = 0
    notice: str = ""

    def document(self) -> Document:
        """Return the facts as a text to work from."""
        return Document(f"session {self.session}", self.text)

    def told(self, notice: str) -> str:
        """Return a notice of the engine with what is to be said of the facts."""
        return " · ".join(part for part in (notice, self.notice) if part)


async def known_for(room: Room, task: TaskRequest) -> Known:
    """Ask sessions for what matters for a task; without an answer, say so and go on.

    `agents.context` decides: `named` asks for tasks that name a session, `always`, `never`.
    """
    policy = room.settings.agents.context
    if policy == "never" or (policy == "named" and task.session is None):
        return Known()
    ask = SessionContextAsk(
        namespace=room.settings.sessions.namespace,
        query=task_text(task)[:2000],
        session_id=task.session,
        tokens=room.settings.agents.context_tokens,
    )
    try:
        found = await room.bus.request("session.context", ask, SessionContext, ANSWER_S)
    except (SovereignError, NatsError) as error:
        line = f"without the context of session {task.session or '(none)'}: {error}"
        log.warning("task %s goes on %s", task.task_id, line)
        return Known(session=task.session or "", notice=f"went on {line}")
    return Known(task.session or "", found.text, found.event_ids, found.tokens)


def documents_of(spec: AgentSpec, known: Known, others: bool) -> list[Document]:
    """Return the facts as a document where the step has nothing else to work from."""
    alone = known.session and known.text and not others and "documents" in spec.data
    return [known.document()] if alone else []


def leave_room(spec: AgentSpec, known: Known) -> AgentSpec:
    """Return the agent with so much less context that the facts fit beside the other texts."""
    return spec.model_copy(update={"num_ctx": max(512, spec.num_ctx - known.tokens)})


def beside(request: ChatRequest, known: Known, shown: bool = False) -> ChatRequest:
    """Return the request with the facts as a labelled block; `shown` when they are a document."""
    parts = []
    if known.text and not shown:
        name = f' session="{known.session}"' if known.session else ""
        parts.append(f"<context{name}>\n{escape(known.text)}\n</context>")
    if known.text:
        parts.append(CITE)
    if known.session and request.format is None:
        parts.append(KEEP)
    if not parts:
        return request
    *before, last = request.messages
    content = "\n".join([last.content, *parts])
    asked = ChatMessage(role=last.role, content=content)
    return request.model_copy(update={"messages": (*before, asked)})
