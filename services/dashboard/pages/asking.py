"""Asking a person before something is done, and doing it with the outcome said in words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from services.dashboard.door.build import House
from services.dashboard.pages.visitor import must
from shared.access import Role
from shared.errors import SovereignError


async def confirmed(title: str, label: str, value: str = "", *, long: bool = False) -> str | None:
    """Return what the person wrote, or None when they changed their mind."""
    with ui.dialog() as dialog, ui.element("div").classes("card dialog"):
        ui.label(title).classes("dialog-title")
        field = (ui.textarea if long else ui.input)(label, value=value)
        field.props("outlined dense autofocus").classes("all")
        if not long:
            field.on("keydown.enter", lambda: dialog.submit(field.value))
        with ui.element("div").classes("chips dialog-end"):
            ui.button("Do it", on_click=lambda: dialog.submit(field.value), color=None).props(
                "flat no-caps"
            ).classes("btn primary")
            ui.button("Leave it", on_click=lambda: dialog.submit(None), color=None).props(
                "flat no-caps"
            ).classes("btn")
    answer = await dialog
    dialog.delete()
    return None if answer is None else str(answer)


async def done(house: House, wanted: Role, act: Callable[[str], Awaitable[str]]) -> None:
    """Do something in the name of who looks at this page, and tell how it ended."""
    try:
        who = must(house, wanted)
        line = await act("dashboard" if who.kind == "owner" else who.name)
    except SovereignError as error:
        ui.notify(error.message, type="negative", multi_line=True)
    else:
        ui.notify(line, type="positive", multi_line=True)
