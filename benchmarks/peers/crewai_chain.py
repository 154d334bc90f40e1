"""CrewAI: one agent, five tasks in sequence, a model of its own class that answers at once."""

import json
import os
import resource
import time
from typing import Any

os.environ |= {"OTEL_SDK_DISABLED": "true", "CREWAI_DISABLE_TELEMETRY": "true"}
os.environ |= {"CREWAI_TRACING_ENABLED": "false", "OPENAI_API_KEY": "none"}

from crewai import Agent, BaseLLM, Crew, Process, Task

TASKS, STEPS = 10, 5


class Instant(BaseLLM):
    def call(self, *given: Any, **named: Any) -> str:
        return "Thought: I now can give a great answer\nFinal Answer: done"

    def supports_function_calling(self) -> bool:
        return False

    def get_context_window_size(self) -> int:
        return 8192


def crew() -> Crew:
    agent = Agent(role="maker", goal="do it", backstory="does it", llm=Instant(model="instant"))
    tasks = [
        Task(description=f"Do step {number}.", expected_output="done", agent=agent)
        for number in range(STEPS)
    ]
    return Crew(agents=[agent], tasks=tasks, process=Process.sequential)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


crew().kickoff()
began, cpu = time.perf_counter(), _cpu()
for _ in range(TASKS):
    crew().kickoff()
seconds, used = time.perf_counter() - began, _cpu() - cpu
print(json.dumps({
    "peer": "CrewAI, in process, one at a time", "tasks/s": TASKS / seconds,
    "steps/s": TASKS * STEPS / seconds, "cpu_ms_a_step": 1000 * used / TASKS / STEPS,
    "kept over kill -9": "no",
}))  # fmt: skip
