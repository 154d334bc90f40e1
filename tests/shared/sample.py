"""A service for tests: it answers `sample.echo` and fails on demand."""

from contextlib import asynccontextmanager

from shared.errors import InvalidInput
from shared.events import TaskRequest


async def _crash() -> None:
    raise RuntimeError("a loop of the room failed")


@asynccontextmanager
async def lifespan(service):
    async def echo(asked: TaskRequest) -> TaskRequest:
        if asked.title == "crash":
            service.tasks.start_soon(_crash)
        if asked.title == "refuse":
            raise InvalidInput("no", field="title")
        return asked

    await service.endpoints.answer("sample.echo", TaskRequest, echo)
    yield
