"""LangGraph with its SQLite checkpointer: a chain of five nodes that do nothing, synced each."""

import asyncio
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import TypedDict

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph

TASKS, STEPS, AT_ONCE = 200, 5, 50


class State(TypedDict):
    text: str


async def node(state: State) -> State:
    return {"text": "done"}


async def main() -> None:
    graph = StateGraph(State)
    names = [f"s{number}" for number in range(STEPS)]
    for name in names:
        graph.add_node(name, node)
    for one, two in zip([START, *names], [*names, END], strict=True):
        graph.add_edge(one, two)
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncSqliteSaver.from_conn_string(str(Path(folder) / "db")) as saver:
            app = graph.compile(checkpointer=saver)
            room = asyncio.Semaphore(AT_ONCE)

            async def run(number: int) -> None:
                async with room:
                    config = {"configurable": {"thread_id": str(number)}}
                    await app.ainvoke({"text": ""}, config, durability="sync")

            await run(-1)
            began, cpu = time.perf_counter(), _cpu()
            await asyncio.gather(*(run(number) for number in range(TASKS)))
            seconds, used = time.perf_counter() - began, _cpu() - cpu
    print(json.dumps({
        "peer": "LangGraph, SQLite, durability sync", "tasks/s": TASKS / seconds,
        "steps/s": TASKS * STEPS / seconds, "cpu_ms_a_step": 1000 * used / TASKS / STEPS,
        "kept over kill -9": "yes, resumed by the caller",
    }))  # fmt: skip


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


asyncio.run(main())
