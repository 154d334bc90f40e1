"""Mounts the pages under `/dashboard`, beside the door and in the same process."""

from __future__ import annotations

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
    """Declare every page; addresses are relative to where they are mounted."""

    @ui.page("/")
    def _overview() -> None:
        overview.build(house)

    @ui.page("/tasks")
    def _tasks(state: str | None = None) -> None:
        tasks.build(house, state)

    @ui.page("/tasks/{task_id}")
    async def _task(task_id: str) -> None:
        await task.build(house, task_id)

    _declare_rooms(house)


def _declare_rooms(house: House) -> None:
    @ui.page("/agents")
    def _agents() -> None:
        agents.build(house)

    @ui.page("/router")
    async def _router() -> None:
        await router.build(house)

    @ui.page("/ops")
    async def _ops() -> None:
        await ops.build(house)

    @ui.page("/sessions")
    async def _sessions(
        id: str | None = None, q: str | None = None, against: int | None = None
    ) -> None:
        await sessions.build(house, sessions.Address(id, q, against))

    @ui.page("/match")
    async def _match() -> None:
        await match.build(house)

    @ui.page("/bus")
    async def _bus(stream: str | None = None) -> None:
        await bus.build(house, stream)


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
