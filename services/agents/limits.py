"""Where a step comes to its limits, in words that tell what to do."""

from __future__ import annotations

from services.agents.checks import EMPTY, Problem
from services.agents.crew import AgentSpec
from services.agents.questions import BudgetExhausted
from shared.errors import NeedsModel
from shared.events.models import ChatReply

SHOWN = 80


def plain(problem: Problem | None, reply: ChatReply) -> Problem | None:
    """Return the problem; of an empty output with who gave it, and what little was in it."""
    if problem is None or problem.code != EMPTY:
        return problem
    said = reply.content.strip()
    what = f"without a word: {said[:SHOWN]!r}" if said else "with an empty text"
    who = f"{reply.model} ({reply.engine})" if reply.is_llm else f"the {reply.engine} engine"
    return Problem(problem.code, f"{who} answered {what}")


def insufficient(problem: Problem) -> NeedsModel:
    """Return that rules cannot do this step: that is no failure of theirs, but their limit."""
    if problem.code == EMPTY:
        return NeedsModel(f"{problem.message}; only a language model could say more")
    line = f"what the rules wrote does not do: {problem.message}"
    return NeedsModel(f"{line}; the step waits for a language model (see `sovereign doctor`)")


def out_of_time(spec: AgentSpec) -> BudgetExhausted:
    """Return that the agent's own time for one step is over."""
    line = f"{spec.name} may work {spec.budget.seconds:g} s on one step"
    return BudgetExhausted(line, field="budget.seconds")
