"""The door as the A2A project's own client sees it, and as one who sends nonsense does."""

import httpx
import pytest
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types.a2a_pb2 import (
    CancelTaskRequest,
    GetTaskRequest,
    Message,
    Part,
    Role,
    SendMessageConfiguration,
    SendMessageRequest,
    TaskState,
)
from a2a.utils.errors import TaskNotCancelableError, TaskNotFoundError

from services.dashboard.a2a.calls import Calls
from services.dashboard.a2a.routes import answer
from shared.events import TaskRequest
from shared.events import TaskState as Ours
from shared.reading import last_of, read_subject
from tests.cli import crew
from tests.dashboard.conftest import door


def asked(text, name="m-1", *, at_once=False):
    said = Message(message_id=name, role=Role.ROLE_USER, parts=[Part(text=text)])
    how = SendMessageConfiguration(return_immediately=at_once)
    return SendMessageRequest(message=said, configuration=how)


async def client_of(http: httpx.AsyncClient):
    """A client made from the card that the door itself gives."""
    card = await A2ACardResolver(http, str(http.base_url)).get_agent_card()
    return card, ClientFactory(ClientConfig(httpx_client=http, streaming=False)).create(card)


async def sent(client, request):
    return [one async for one in client.send_message(request)][-1].task


async def test_the_clients_message_is_a_task_that_it_gets_and_cancels(parts):
    bus = parts.bus
    async with door(parts) as http:
        card, client = await client_of(http)
        interface = card.supported_interfaces[0]
        assert (interface.protocol_binding, interface.protocol_version) == ("JSONRPC", "1.0")
        task = await sent(client, asked("Read it\nall of it", at_once=True))
        assert (task.id, task.status.state) == ("m-1", TaskState.TASK_STATE_SUBMITTED)
        stored = await last_of(bus, "TASKS", "task.request.normal")
        assert TaskRequest.model_validate_json(stored.data).description == "all of it"
        await crew.put(bus, crew.view("m-1"))
        found = await client.get_task(GetTaskRequest(id="m-1"))
        assert found.status.state == TaskState.TASK_STATE_WORKING
        await client.cancel_task(CancelTaskRequest(id="m-1"))
        assert len(await read_subject(bus, "TASKS_CONTROL", "task.control.m-1")) == 1
        await crew.put(bus, crew.view("m-1", Ours.CANCELLED, Ours.CANCELLED))
        with pytest.raises(TaskNotCancelableError):
            await client.cancel_task(CancelTaskRequest(id="m-1"))
        with pytest.raises(TaskNotFoundError):
            await client.get_task(GetTaskRequest(id="nobodys"))


async def test_a_message_waits_for_the_answer_unless_told_otherwise(parts):
    async with door(parts) as http:
        _, client = await client_of(http)
        task, _ = await crew.beside(parts.bus, sent(client, asked("Read it", "m-2")))
    assert task.status.state == TaskState.TASK_STATE_COMPLETED
    assert task.artifacts[0].parts[0].text == "First the keys, then the rest."


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700), (b"[]", -32600), (b'{"id": 1, "method": "GetTask"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "Nonsense"}', -32601),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "message/send"}', -32009),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ListTasks"}', -32004),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {"id": "a b"}}', -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {}}', -32602),
    ],
)  # fmt: skip
async def test_nonsense_is_answered_with_the_protocols_own_codes(busless, body, code):
    answered = await answer(Calls(busless.desk), body, "1.0")
    assert answered["error"]["code"] == code


async def test_another_version_is_refused_and_a_bus_that_is_away_is_an_internal_error(busless):
    call = {"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {"id": "t"}}
    async with door(busless) as http:
        old = await http.post("/a2a", json=call, headers={"A2A-Version": "0.3"})
        away = await http.post("/a2a", json=call)
    assert old.json()["error"]["code"] == -32009
    assert away.json()["error"]["code"] == -32603
    assert "unavailable" in away.json()["error"]["message"]
