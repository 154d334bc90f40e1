"""Every subject of the bus, built here and nowhere else, from tokens that were checked."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import StringConstraints

from shared.errors import InvalidInput

TOKEN_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"  # noqa: S105 - a subject token, not a secret
_TOKEN = re.compile(TOKEN_PATTERN)

Token = Annotated[str, StringConstraints(pattern=TOKEN_PATTERN)]
"""A text that may become part of a subject."""


def token(value: str, field: str = "token") -> str:
    """Return `value` unchanged if it may stand in a subject; else raise `InvalidInput`."""
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        shown = repr(value)[:80]
        raise InvalidInput(f"{field} must match {TOKEN_PATTERN}, not {shown}", field=field)
    return value


def task_request(priority: str) -> str:
    """Where anyone asks for work."""
    return f"task.request.{token(priority, 'priority')}"


def task_step(agent: str, priority: str) -> str:
    """Where the manager hands one step to one kind of agent."""
    return f"task.step.{token(agent, 'agent')}.{token(priority, 'priority')}"


def task_ready(agent: str) -> str:
    """Where the server tells that a step for this kind of agent is stored, of any priority."""
    return f"task.ready.{token(agent, 'agent')}.*"


def task_journal(task_id: str) -> str:
    """The append-only record of one task."""
    return f"task.journal.{token(task_id, 'task_id')}"


def task_live(task_id: str) -> str:
    """Tokens and progress of a running task, told once and not kept."""
    return f"task.live.{token(task_id, 'task_id')}"


def task_control(task_id: str) -> str:
    """Where people cancel, approve, reject and retry."""
    return f"task.control.{token(task_id, 'task_id')}"


def task_schedule(schedule_id: str) -> str:
    """Where people leave a task for a later time, or for again and again."""
    return f"task.schedule.{token(schedule_id, 'schedule_id')}"


def task_due(schedule_id: str) -> str:
    """Where the server hands in what a schedule holds, each time that it fires."""
    return f"task.due.{token(schedule_id, 'schedule_id')}"


def agent_result(agent: str, task_id: str) -> str:
    """Where an agent's result goes; agent `crew` carries the final one."""
    return f"agent.result.{token(agent, 'agent')}.{token(task_id, 'task_id')}"


def health_beat(service: str, instance: str) -> str:
    """One instance's heartbeat."""
    return f"health.beat.{token(service, 'service')}.{token(instance, 'instance')}"


def cache_event(kind: str) -> str:
    """The router's cache telling what it did: hit, miss, store, evict, coalesced."""
    return f"cache.event.{token(kind, 'kind')}"


def ops_command(host: str) -> str:
    """Signed commands to the supervisor of one host."""
    return f"ops.command.{token(host, 'host')}"


def ops_event(kind: str) -> str:
    """What ops and the supervisors saw, decided and did."""
    return f"ops.event.{token(kind, 'kind')}"


def session_event(session_id: str) -> str:
    """The append-only record of one session."""
    return f"session.event.{token(session_id, 'session_id')}"


def match_event(kind: str) -> str:
    """What happened between clients and providers."""
    return f"match.event.{token(kind, 'kind')}"


def ledger_entry(account: str) -> str:
    """One balanced entry of the ledger, under the account that it chiefly concerns."""
    return f"ledger.entry.{token(account, 'account')}"


def dead(stream: str) -> str:
    """Messages of a stream that nobody could handle, with the reason."""
    return f"dead.{token(stream, 'stream')}"


COST_EVENT = "cost.event"
MODEL_CHAT = "model.chat"
MODEL_EMBED = "model.embed"
MODEL_CANCEL = "model.cancel"
