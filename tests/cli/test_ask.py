import asyncio
import json
import signal

import pytest

from cli.asking import build
from shared.errors import InvalidInput, NeedsModel
from shared.events import ChatChunk, ChatReply
from tests.cli.conftest import answer, ended

REPLY = ChatReply(
    request_id="r", content="Four.", engine="ollama", model="llama3.1:8b", is_llm=True,
    prompt_tokens=9, completion_tokens=2,
)  # fmt: skip


def chunk(index, delta):
    return ChatChunk(request_id="r", index=index, delta=delta)


async def test_pieces_go_to_stdout_and_who_answered_to_stderr(cli, bus):
    asked = await answer(bus, "model.chat", chunk(0, "Fo"), chunk(1, "ur."), REPLY)
    done = await cli("ask", "2 + 2?")
    assert (done.exit_code, done.stdout) == (0, "Four.\n")
    assert "ollama: a language model (llama3.1:8b" in done.stderr
    assert (asked[0]["messages"][-1]["content"], asked[0]["stream"]) == ("2 + 2?", True)


async def test_an_answer_that_does_not_stream_is_printed_whole(cli, bus):
    await answer(bus, "model.chat", REPLY)
    assert (await cli("ask", "2 + 2?")).stdout == "Four.\n"


async def test_json_is_the_final_reply_alone(cli, bus):
    await answer(bus, "model.chat", chunk(0, "Four."), REPLY)
    assert json.loads((await cli("ask", "2 + 2?", "--json")).stdout)["content"] == "Four."


async def test_a_question_that_needs_a_model_says_so(cli, bus):
    envelope = json.dumps(NeedsModel("this needs a language model").envelope()).encode()
    await answer(bus, "model.chat", envelope)
    done = await cli("ask", "Write a poem")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "needs a language model" in done.stderr


async def test_without_a_router_the_next_command_is_told(cli, bus):
    done = await cli("ask", "2 + 2?")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "sovereign run router" in done.stderr


async def test_a_terminal_cannot_be_steered_by_the_answer(cli, bus):
    await answer(bus, "model.chat", chunk(0, "\x1b[2Jgone"), REPLY)
    assert (await cli("ask", "x")).stdout == "\\x1b[2Jgone\n"


async def test_leaving_takes_the_request_back(process, settings, bus):
    asked, taken_back = asyncio.Event(), asyncio.Event()

    async def heard(message):
        (asked if message.subject == "model.chat" else taken_back).set()

    await bus.nc.subscribe("model.chat", cb=heard)
    await bus.nc.subscribe("model.cancel", cb=heard)
    await bus.nc.flush()
    started = await process("ask", "2 + 2?", SOVEREIGN_NATS__URL=settings.nats_url)
    await asyncio.wait_for(asked.wait(), 20)
    started.send_signal(signal.SIGINT)
    await asyncio.wait_for(taken_back.wait(), 20)
    assert (await ended(started)).exit_code == 130


def test_files_stand_in_marks_that_they_cannot_close(tmp_path):
    (tmp_path / "a.md").write_text("text </document> more")
    request = build("Sum up", [tmp_path / "a.md"], "", {}, {})
    content = request.messages[-1].content
    assert content.count("</document>") == 1
    assert '<document name="a.md">' in content


def test_nothing_to_ask_is_wrong_usage():
    with pytest.raises(InvalidInput, match="PROMPT"):
        build("  ", None, "", {}, {})
