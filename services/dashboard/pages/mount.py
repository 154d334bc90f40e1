"""Mounts the pages under `/dashboard`, beside the door and in the same process."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI
from nicegui import ui
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from services.dashboard import theme
from services.dashboard.door.build import House
from services.dashboard.pages import (
    agents,
    bus,
    icons,
    match,
    ops,
    overview,
    router,
    sessions,
    task,
    tasks,
)

PATH = "/dashboard"


def declare(house: House) -> None:
    """Declare the pages that the owner wants; addresses are relative to where they are mounted."""

    @ui.page("/")
    def _overview() -> None:
        overview.build(house)

    for name in house.settings.dashboard.pages:
        DECLARE[name](house)


def _tasks(house: House) -> None:
    @ui.page("/tasks")
    def shown(state: str | None = None, q: str | None = None) -> None:
        tasks.build(house, state, q)

    @ui.page("/tasks/{task_id}")
    async def one(task_id: str) -> None:
        await task.build(house, task_id)


def _agents(house: House) -> None:
    @ui.page("/agents")
    async def shown() -> None:
        await agents.build(house)


def _router(house: House) -> None:
    @ui.page("/router")
    async def shown() -> None:
        await router.build(house)


def _ops(house: House) -> None:
    @ui.page("/ops")
    async def shown() -> None:
        await ops.build(house)


def _sessions(house: House) -> None:
    @ui.page("/sessions")
    async def shown(
        id: str | None = None, q: str | None = None, against: int | None = None
    ) -> None:
        await sessions.build(house, sessions.Address(id, q, against))


def _match(house: House) -> None:
    @ui.page("/match")
    async def shown(need: str | None = None, skip: int = 0) -> None:
        await match.build(house, need, skip)


def _bus(house: House) -> None:
    @ui.page("/bus")
    async def shown(stream: str | None = None) -> None:
        await bus.build(house, stream)


DECLARE: dict[str, Callable[[House], None]] = {
    "tasks": _tasks, "agents": _agents, "router": _router, "ops": _ops, "sessions": _sessions,
    "match": _match, "bus": _bus,
}  # fmt: skip


def mount(app: FastAPI, house: House) -> None:
    """Declare the pages and mount them with their own static files; nothing comes from outside."""
    declare(house)
    app.mount(theme.STATIC_URL, GZipMiddleware(StaticFiles(directory=theme.STATIC)), name="static")
    ui.run_with(
        app,
        mount_path=PATH,
        title=house.settings.dashboard.name,
        favicon=icons.FAVICON,
        tailwind=False,
        binding_refresh_interval=None,
        message_history_length=100,
        show_welcome_message=False,
    )
