"""What ops knows that counts for sovereignty: healing, backups, hosts, commands."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from shared.bus import Bus
from shared.errors import SovereignError
from shared.events import (
    Empty,
    OpsHistory,
    OpsHistoryAsk,
    OpsLessons,
    OpsStatus,
    SovereigntyPart,
)

Reply = TypeVar("Reply", bound=BaseModel)

WAIT_S = 1.0
"""Longest wait for ops: without it these parts are unknown, and the rest is told."""
FRESH = 2.0
"""A backup is current until it is twice as old as backups are meant to be apart."""
HISTORY = 1000


@dataclass(frozen=True, slots=True)
class House:
    """What ops answered; None where it did not."""

    status: OpsStatus | None = None
    lessons: OpsLessons | None = None
    history: OpsHistory | None = None


async def look(bus: Bus) -> House:
    """Ask ops, all at once."""
    status, lessons, history = await asyncio.gather(
        _ask(bus, "ops.status", Empty(), OpsStatus),
        _ask(bus, "ops.lessons", Empty(), OpsLessons),
        _ask(bus, "ops.history", OpsHistoryAsk(limit=HISTORY), OpsHistory),
    )
    return House(status, lessons, history)


async def _ask(bus: Bus, subject: str, ask: BaseModel, reply: type[Reply]) -> Reply | None:
    try:
        return await bus.request(subject, ask, reply, WAIT_S)
    except SovereignError:
        return None


def parts(house: House) -> tuple[SovereigntyPart, ...]:
    """Return the parts that ops can tell."""
    return (_healing(house), _backups(house), _hosts(house), _commands(house))


def _healing(house: House) -> SovereigntyPart:
    lessons = house.lessons.lessons if house.lessons else ()
    worked = sum(lesson.worked for lesson in lessons)
    tried = worked + sum(lesson.failed for lesson in lessons)
    told = f"{worked} of {tried} remedies worked." if tried else "No remedy was needed yet."
    return SovereigntyPart(
        name="healed_without_help",
        value=worked / tried if tried else None,
        weight=0.1,
        explanation=f"{_heard(house.lessons)}{told} What heals itself needs no outside help.",
    )


def _backups(house: House) -> SovereigntyPart:
    checks = house.status.checks if house.status else ()
    seen = next((check.seen for check in checks if check.name == "backup"), {})
    age_s, every_s, kept = seen.get("age_s"), seen.get("every_s"), seen.get("kept", 0)
    current = bool(kept) and age_s is not None and age_s <= FRESH * (every_s or 0)
    told = f"{kept} kept, the newest {float(age_s) / 3600:.1f} h old" if age_s else f"{kept} kept"
    every = f"wanted every {float(every_s or 0) / 3600:.1f} h"
    wanted = f"Backups of the streams on own disks: {told}; {every}."
    return SovereigntyPart(
        name="backups",
        value=float(current) if seen else None,
        weight=0.1,
        explanation=f"{_heard(house.status)}{wanted if seen else 'Not looked at yet.'}",
    )


def _hosts(house: House) -> SovereigntyPart:
    instances = house.status.instances if house.status else ()
    hosts = {one.host for one in instances}
    well = {one.host for one in instances} - {
        one.host for one in instances if one.symptom or one.state in ("silent", "quarantined")
    }
    return SovereigntyPart(
        name="hosts_well",
        value=len(well) / len(hosts) if hosts else None,
        weight=0.05,
        explanation=f"{_heard(house.status)}{len(well)} of {len(hosts)} own hosts in the"
        " federation have no service that is silent or ill.",
    )


def _commands(house: House) -> SovereigntyPart:
    events = house.history.events if house.history else ()
    refused = sum(event.kind == "refused" for event in events)
    obeyed = sum(event.kind in ("restarted", "quarantined", "released") for event in events)
    return SovereigntyPart(
        name="signed_commands",
        value=obeyed / (obeyed + refused) if obeyed + refused else None,
        weight=0.05,
        explanation=f"{_heard(house.history)}In the last {len(events)} entries of the record"
        f" supervisors acted {obeyed} times and refused {refused} commands; they obey only"
        " those that are signed by a trusted key.",
    )


def _heard(answer: BaseModel | None) -> str:
    return "" if answer is not None else "Ops did not answer. "
