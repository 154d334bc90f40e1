import pytest

from services.agents.crew import load_crew
from services.agents.prompts import Document
from services.agents.tools.documents import read
from services.agents.tools.tool import Bench, ToolFailed
from services.agents.tools.toolbox import BUILT_IN, Toolbox
from shared.events.tasks import PlanStep, TaskRequest
from shared.schema_check import usable
from shared.settings import Settings

LONG = "".join(f"# Part {n}\nThe {word} stands here.\n" * 40 for n, word in enumerate("abcdefgh"))
STEP = PlanStep(id="answer", agent="analyzer", title="x", instruction="Do it.")


def bench(title="Write a poem", **more) -> Bench:
    return Bench(None, Settings(), TaskRequest(title=title), STEP, **more)


def test_every_schema_can_be_used_and_bounds_every_text():
    for tool in BUILT_IN.values():
        assert usable(tool.parameters) is None
        texts = [p for p in tool.parameters["properties"].values() if p["type"] == "string"]
        assert all({"maxLength", "enum", "pattern"} & set(text) for text in texts)


def test_the_tools_of_every_agent_exist_and_are_few():
    for spec in load_crew().values():
        assert set(spec.tools) <= set(BUILT_IN)
        assert len(spec.tools) <= 5


@pytest.mark.parametrize(
    ("title", "offered"),
    [
        ("Write a poem", set()),
        ("What did we decide last week?", {"search_sessions"}),
        ("How is the health of the router?", {"read_status"}),
        ("Save the plan as plan.md", {"write_artifact"}),
        ("Is this valid JSON?", {"run_check"}),
    ],
)
async def test_tools_are_offered_where_a_step_may_need_them(title, offered):
    assert set((await Toolbox().fitting(BUILT_IN, bench(title))).tools) == offered


async def test_a_document_is_offered_to_be_read_only_where_it_was_cut():
    whole = bench(documents=[Document("a.md", LONG)])
    part = bench(documents=[Document("a.md", LONG)], cut=frozenset({"a.md"}))
    assert "read_attachment" not in (await Toolbox().fitting(BUILT_IN, whole)).tools
    assert "read_attachment" in (await Toolbox().fitting(BUILT_IN, part)).tools


async def test_a_document_is_read_by_words_and_from_an_offset():
    given = bench(documents=[Document("a.md", LONG)])
    by_words = await read(given, {"name": "a.md", "query": "where does g stand"})
    from_there = await read(given, {"name": "a.md", "offset": len(LONG) - 20})
    assert "left out here" in by_words.content
    assert from_there.content.splitlines()[0].endswith(f"to {len(LONG)} of {len(LONG)}]")


@pytest.mark.parametrize("name", ["b.md", "p.png"])
async def test_a_document_that_cannot_be_read_is_named(name):
    given = bench(documents=[Document("p.png", "", "binary, 3 bytes")])
    with pytest.raises(ToolFailed, match=r"p\.png"):
        await read(given, {"name": name})
