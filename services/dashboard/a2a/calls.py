"""The calls of A2A 1.0 that this door serves, over the same desk as `/tasks`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from services.dashboard.a2a import faults
from services.dashboard.a2a.wire import INPUT_REQUIRED, Named, Send, read, task_form, task_of
from services.dashboard.desk import Desk
from services.dashboard.waiting import listening
from shared.events import TaskControl
from shared.events.tasks import FINAL_STATES

LONGEST_S = 600.0
"""How long `SendMessage` waits for the end of its task."""
LOOK_S = 1.0
"""How often it looks whether the task waits for a person."""
OLD = ("message/", "tasks/", "agent/")
"""How the methods of A2A 0.3 begin."""
KNOWN_ELSEWHERE = frozenset(
    {
        "SendStreamingMessage", "SubscribeToTask", "ListTasks", "GetExtendedAgentCard",
        "CreateTaskPushNotificationConfig", "GetTaskPushNotificationConfig",
        "ListTaskPushNotificationConfigs", "DeleteTaskPushNotificationConfig",
    }
)  # fmt: skip

Call = Callable[[Any], Awaitable[Any]]
Gone = Callable[[], Awaitable[bool]]


async def _there() -> bool:
    """Tell that the caller has not hung up."""
    return False


class Calls:
    """The methods by name, for one caller; `gone` tells whether it has hung up."""

    def __init__(self, desk: Desk, gone: Gone = _there) -> None:
        self._desk = desk
        self._gone = gone
        self._calls: dict[str, Call] = {
            "SendMessage": self.send,
            "GetTask": self.get,
            "CancelTask": self.cancel,
        }

    async def serve(self, method: str, params: Any) -> Any:
        """Return the result of one call; raise the `Fault` that the protocol has for it."""
        call = self._calls.get(method)
        if call is not None:
            return await call(params)
        if method in KNOWN_ELSEWHERE:
            raise faults.unsupported(f"{method} is not served here; see the agent card")
        if method.startswith(OLD):
            raise faults.wrong_version(f"{method} is of A2A 0.3; this door speaks 1.0")
        raise faults.Fault(-32601, "METHOD_NOT_FOUND", f"there is no method {method[:80]!r}")

    async def send(self, params: Any) -> dict[str, Any]:
        """Store a task; unless told otherwise, wait until it ends or a person is needed."""
        asked: Send = read(Send, params)
        task = task_of(asked.message)
        task_id = str(task.task_id)
        async with listening(self._desk, [task_id]) as results:
            await self._desk.submit([task])
            if not asked.configuration.return_immediately:
                with anyio.move_on_after(LONGEST_S):
                    await self._end(task_id, results.all)
        return {"task": await self._form(task_id)}

    async def get(self, params: Any) -> dict[str, Any]:
        """Return a task as it stands."""
        return await self._form(read(Named, params).id)

    async def cancel(self, params: Any) -> dict[str, Any]:
        """Have a task stop; it is answered as it stands, and soon canceled."""
        task_id = read(Named, params).id
        view = await self._desk.view(task_id)
        if view is None:
            raise faults.no_task(task_id)
        if view.state in FINAL_STATES:
            raise faults.not_cancelable(f"task {task_id} has ended: it is {view.state}")
        word = TaskControl(action="cancel", task_id=task_id, by="an A2A client")
        async with listening(self._desk, [task_id]) as results:
            await self._desk.control(word)
            await results.all(LOOK_S)
        return await self._form(task_id)

    async def _end(self, task_id: str, ended: Callable[[float], Awaitable[None]]) -> None:
        """Return when the task has ended, needs a person, or the dashboard leaves."""
        while not self._desk.closing.is_set() and not await self._gone():
            await ended(LOOK_S)
            state = (await self._form(task_id))["status"]["state"]
            if state == INPUT_REQUIRED or state.removeprefix("TASK_STATE_") in _ENDED:
                return

    async def _form(self, task_id: str) -> dict[str, Any]:
        view, result = await self._desk.view(task_id), await self._desk.result(task_id)
        if view is None and result is None:
            raise faults.no_task(task_id)
        return task_form(task_id, view, result)


_ENDED = {"COMPLETED", "FAILED", "CANCELED", "REJECTED"}
