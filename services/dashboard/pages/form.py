"""The form for a new task: title, text, priority, agent, files; small files travel inside."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from nicegui import events, ui

from services.dashboard.door.build import House
from services.dashboard.files import LARGEST, Files
from services.dashboard.pages.visitor import must
from services.dashboard.parsing import tasks_of
from shared.errors import SovereignError
from shared.events.tasks import INLINE_LIMIT, Priority
from shared.streams import AGENTS

FILES = 20


@dataclass
class Draft:
    """What was filled in so far."""

    attachments: list[dict[str, str]] = field(default_factory=list)

    async def attach(self, files: Files, given: events.UploadEventArguments) -> None:
        """Keep one file: a small one inside the task, a large one in the object store."""
        name = given.file.name.replace("/", "_").replace("\\", "_")
        kind = given.file.content_type or "text/plain"
        try:
            if given.file.size() > INLINE_LIMIT:
                kept = await files.keep(name, kind, given.file.iterate())
                self.attachments.append({"name": name, "media_type": kind, "object": kept.object})
            else:
                self.attachments.append(_inside(name, kind, await given.file.read()))
        except SovereignError as error:
            ui.notify(f"{name}: {error.message}", type="negative")
        else:
            ui.notify(f"{name}: attached", type="positive")


def _inside(name: str, kind: str, data: bytes) -> dict[str, str]:
    """Return a small file as it travels in a task: text as text, anything else in base64."""
    kept = {"name": name, "media_type": kind}
    try:
        return kept | {"text": data.decode()}
    except UnicodeDecodeError:
        return kept | {"base64": base64.b64encode(data).decode()}


def form(house: House) -> None:
    """Add the form; a task that was taken opens its own page."""
    draft = Draft()
    with ui.element("div").classes("form"):
        title = _input("What should be done?").classes("all").props("autofocus maxlength=10000")
        text = ui.textarea("Details (optional)").props("outlined dense autogrow").classes("all")
        priority = _select([one.value for one in Priority], "normal", "Priority")
        agent = _select(["the manager decides", *AGENTS], "the manager decides", "Agent")
        session = _input("Session (optional)")
        template = _input("Named plan (optional)")
        approval = ui.checkbox("Ask me before each step").props("dense").style("padding-top:9px")
        _files(house, draft)

        async def hand_in() -> None:
            body = {
                "title": title.value or "", "description": text.value or "",
                "priority": priority.value, "session": session.value or None,
                "template": template.value or None,
                "agent": agent.value if agent.value in AGENTS else None,
                "approval": bool(approval.value), "attachments": draft.attachments,
            }  # fmt: skip
            await _hand_in(house, body)

        with ui.element("div").classes("all actions"):
            ui.button("Hand in", on_click=hand_in, color=None).props("flat no-caps").classes(
                "btn primary"
            )
            ui.label(_hint(house)).classes("muted")
        title.on("keydown.enter", hand_in)


async def _hand_in(house: House, body: dict[str, object]) -> None:
    try:
        must(house, "submit")
        ticket = (await house.desk.submit(tasks_of(body)))[0]
    except SovereignError as error:
        ui.notify(error.message.removeprefix("task 0: "), type="negative", multi_line=True)
        return
    ui.navigate.to(f"/tasks/{ticket.task_id}")


def _files(house: House, draft: Draft) -> None:
    async def attach(given: events.UploadEventArguments) -> None:
        await draft.attach(house.files, given)

    def refused() -> None:
        ui.notify(f"At most {FILES} files of {LARGEST // 1024 // 1024} MiB", type="warning")

    ui.upload(
        label="Attach files (up to 64 MiB each): drop them here or press +",
        multiple=True, auto_upload=True, max_file_size=LARGEST, max_files=FILES,
        on_upload=attach, on_rejected=refused,
    ).props("flat bordered").classes("all")  # fmt: skip


def _hint(house: House) -> str:
    engine = house.store.engine()
    if engine is not None and not engine.is_llm:
        return "Offline rules answer now: they extract and check, they do not write."
    return "The manager plans, up to five agents work, one answer comes back."


def _input(label: str) -> ui.input:
    return ui.input(label).props("outlined dense")


def _select(options: list[str], value: str, label: str) -> ui.select:
    return ui.select(options, value=value, label=label).props("outlined dense options-dense")
