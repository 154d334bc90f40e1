"""The evaluation set against any engine: plans, repairs, re-asks, verified steps, time.

`python -m benchmarks agents_evaluation` judges the offline engine. Another one:
`python -m benchmarks.agents_evaluation --engine ollama --url http://127.0.0.1:11434 --model NAME`
starts a system of its own in a temporary folder; `--nats URL` asks one that runs already.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.grading import Case, Grade, cases, grade, summary
from benchmarks.table import show
from shared.bus import Bus, open_bus
from shared.events.journal import AnyEntry, JournalEntry
from shared.events.tasks import TaskControl, TaskResult, TaskView
from shared.reading import last_of, read_subject
from shared.settings import NatsSettings, Settings
from tests.e2e.system import System

LONGEST_S = 900.0
LOOK_S = 0.1


async def run(arguments: Sequence[str] = ()) -> None:
    """Judge every case, print one table of cases and one of figures."""
    given = _options(arguments)
    chosen = [case for case in cases() if given.only in (None, case.request.task_id)]
    if given.nats:
        await _judge(given.nats, None, chosen, given)
        return
    with tempfile.TemporaryDirectory() as folder:
        system = System(Path(folder), **_settings(given))
        try:
            await system.start()
            key = Path(system.environment["SOVEREIGN_DATA_DIR"]) / "keys" / "owner.nk"
            await _judge(system.nats_url, key, chosen, given)
            await system.stop()
        finally:
            await system.kill_all()


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agents_evaluation")
    parser.add_argument("--engine", default="offline")
    parser.add_argument("--url", help="of Ollama or of an OpenAI-compatible server")
    parser.add_argument("--model", help="the model's name")
    parser.add_argument("--nats", help="judge the system on this bus instead of a new one")
    parser.add_argument("--only", help="one case of the set")
    parser.add_argument("--name", default="agents_evaluation", help="of the JSON file")
    return parser.parse_args(list(arguments))


def _settings(given: argparse.Namespace) -> dict[str, str]:
    settings = {"SOVEREIGN_ENGINE": given.engine}
    kind = "OPENAI" if given.engine == "openai" else "OLLAMA"
    if given.url:
        settings[f"SOVEREIGN_ROUTER__{kind}_URL"] = given.url
    if given.model:
        name = "OPENAI_MODEL" if given.engine == "openai" else "MODEL"
        settings[f"SOVEREIGN_ROUTER__{name}"] = given.model
    return settings


async def _judge(url: str, key: Path | None, chosen: list[Case], given: argparse.Namespace) -> None:
    settings = Settings(nats=NatsSettings(url=url, nkey_file=key))
    stamp = f"{int(time.time()):x}"
    async with open_bus(settings, "owner" if key else "evaluation") as bus:
        grades = [await judged(bus, case, stamp) for case in chosen]
    engine = f"{given.engine} {given.model or ''}".strip()
    rows = [_row(each) for each in grades]
    show(given.name, f"Evaluation set, engine {engine}: each task", rows)
    show(f"{given.name}_summary", f"Evaluation set, engine {engine}: figures", summary(grades))


async def judged(bus: Bus, case: Case, stamp: str) -> Grade:
    """Run one case to its end, or until all that is left of it waits for a model."""
    task_id = f"eval-{stamp}-{case.request.task_id}"[:64]
    request = case.request.model_copy(update={"task_id": task_id})
    await bus.publish("task.request.normal", request, task_id)
    result = await _end(bus, task_id)
    if result is None:
        word = TaskControl(action="cancel", task_id=task_id, by="the evaluation")
        await bus.publish(f"task.control.{task_id}", word, f"{task_id}-cancel")
    return grade(case, await _entries(bus, task_id), result)


async def _end(bus: Bus, task_id: str) -> TaskResult | None:
    """Return the result, or None when the task stands still for want of a model."""
    async with asyncio.timeout(LONGEST_S):
        while True:
            last = await last_of(bus, "RESULTS", f"agent.result.crew.{task_id}")
            if last is not None:
                return TaskResult.model_validate_json(last.data)
            view = await last_of(bus, "KV_tasks", f"$KV.tasks.{task_id}")
            if view is not None and _stuck(TaskView.model_validate_json(view.data)):
                return None
            await asyncio.sleep(LOOK_S)


def _stuck(view: TaskView) -> bool:
    waits = view.reason is not None and view.reason.code == "needs_model"
    return view.state == "waiting" and waits


async def _entries(bus: Bus, task_id: str) -> list[AnyEntry]:
    stored = await read_subject(bus, "JOURNAL", f"task.journal.{task_id}")
    entries = [JournalEntry.model_validate_json(each.data).root for each in stored]
    return [e for e in entries if e.kind not in ("control_received", "task_finished")] + [
        e for e in entries if e.kind == "task_finished" and e.state != "cancelled"
    ]


def _row(one: Grade) -> dict[str, object]:
    kept = asdict(one)
    kept.pop("plan")
    kept["missed"] = ", ".join(one.missed)
    kept["seconds"] = round(one.seconds, 3)
    return kept


if __name__ == "__main__":
    import sys

    asyncio.run(run(sys.argv[1:]))
