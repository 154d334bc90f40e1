"""How much stays at home: measured parts, each with its explanation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil

from services.router import names
from services.router.record import Record
from shared.clock import now
from shared.events import ModelInfo, Sovereignty, SovereigntyPart
from shared.settings import Settings

TOTALS = """
    SELECT TOTAL(calls) AS calls, TOTAL(is_llm * calls) AS llm,
           TOTAL(is_llm * own_host * calls) AS own,
           TOTAL((kind = 'chat') * calls) AS chats,
           TOTAL(is_llm * (prompt_tokens + completion_tokens)) AS tokens,
           TOTAL(is_llm * own_host * (prompt_tokens + completion_tokens)) AS own_tokens
      FROM history WHERE error IS NULL AND at >= ?
"""
ABROAD = """
    SELECT engine, model, SUM(calls) AS calls FROM history
     WHERE is_llm = 1 AND own_host = 0 AND at >= ? AND cache IN ('off', 'miss')
       AND (error IS NULL OR error NOT IN ('budget_exceeded', 'unavailable'))
     GROUP BY engine, model ORDER BY calls DESC
"""
"""Prompts that went to hosts of others, answered or not; those that nobody took stayed."""
REACHED_DAYS = 30
LEAST_WEIGHT = 0.5
NETWORK_FILESYSTEMS = ("nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "fuse.s3fs", "9p", "afs")


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found out; None is unknown. `calls` are chats and embeddings; rules only chat."""

    settings: Settings
    calls: int
    chats: int
    llm: float
    own: float
    tokens: float
    own_tokens: float
    remote_models: tuple[str, ...]
    cloud_disabled: bool | None
    filesystem: str | None
    abroad: int = 0
    reached: tuple[str, ...] = ()


async def gather(
    record: Record, settings: Settings, models: Sequence[ModelInfo], cloud_disabled: bool | None
) -> Facts:
    """Read the record since the beginning, and look at this host."""
    row = (await record.rows(TOTALS, ""))[0]
    abroad = await record.rows(ABROAD, "")
    lately = (now() - timedelta(days=REACHED_DAYS)).isoformat()
    return Facts(
        settings=settings,
        calls=int(row["calls"]),
        chats=int(row["chats"]),
        llm=row["llm"],
        own=row["own"],
        tokens=row["tokens"],
        own_tokens=row["own_tokens"],
        remote_models=tuple(model.name for model in models if model.remote_host),
        cloud_disabled=cloud_disabled,
        filesystem=filesystem(settings.data_dir),
        abroad=sum(int(line["calls"]) for line in abroad),
        reached=tuple(
            f"{line['model']} ({line['engine']}) {line['calls']} times"
            for line in await record.rows(ABROAD, lately)
        ),
    )


def judge(facts: Facts, more: tuple[SovereigntyPart, ...] = ()) -> Sovereignty:
    """Return the score: 100 x the weighted mean of the parts that are known.

    `more` are parts that others measured. Null while they carry less than `LEAST_WEIGHT` of all
    the weight: 100 of 100 in the first minute would say what nobody has measured.
    """
    parts = (_calls(facts), _tokens(facts), _endpoints(facts), _data(facts), _cloud(facts), *more)
    known = [part for part in parts if part.value is not None]
    weight, whole = sum(part.weight for part in known), sum(part.weight for part in parts)
    enough = weight >= LEAST_WEIGHT * whole
    total = sum(part.weight * (part.value or 0.0) for part in known)
    return Sovereignty(
        score=round(100 * total / weight, 1) if enough else None,
        measured_weight=round(weight / whole, 2),
        parts=parts,
        local_llm_share=_share(facts.own, facts.llm),
        offline_share=_share(facts.calls - facts.llm, facts.chats),
    )


def filesystem(folder: Path) -> str | None:
    """Return the type of the file system that holds `folder`, or None when it is not told."""
    path = folder.resolve()
    mounts = {Path(part.mountpoint): part.fstype for part in psutil.disk_partitions(all=True)}
    return next((mounts[place] for place in (path, *path.parents) if place in mounts), None)


def _calls(facts: Facts) -> SovereigntyPart:
    return SovereigntyPart(
        name="calls_at_home",
        value=_share(facts.own, facts.own + facts.abroad),
        weight=0.35,
        explanation=f"{facts.own:.0f} model calls were answered on your own hosts, answers from the"
        f" cache included; {facts.abroad} prompts went to hosts of others, answered or not."
        " Answers by rule are not counted.",
    )


def _tokens(facts: Facts) -> SovereigntyPart:
    return SovereigntyPart(
        name="tokens_at_home",
        value=_share(facts.own_tokens, facts.tokens),
        weight=0.25,
        explanation=f"{facts.own_tokens:.0f} of {facts.tokens:.0f} tokens stayed on your hosts.",
    )


def _endpoints(facts: Facts) -> SovereigntyPart:
    foreign = foreign_endpoints(facts)
    told = f"Foreign: {', '.join(foreign)}." if foreign else "None is configured or held."
    reached = ", ".join(facts.reached[:5]) or "none"
    return SovereigntyPart(
        name="no_foreign_endpoint",
        value=0.0 if foreign or facts.reached else 1.0,
        weight=0.2,
        explanation=f"{told} Looked at: the bus, Ollama, OpenAI-compatible servers, clouds,"
        " allow_remote, and models that Ollama only passes on. Reached in the last"
        f" {REACHED_DAYS} days: {reached}.",
    )


def foreign_endpoints(facts: Facts) -> list[str]:
    """Return every way out of the owner's hosts that the settings or the models open."""
    router = facts.settings.router
    pool = [host.url for host in facts.settings.ollama_pool]
    servers = [server.url for server in router.servers.values()]
    urls = [*facts.settings.nats_url.split(","), *pool, *servers, router.openai_url or ""]
    found = [url for url in urls if url and not names.is_own(url)]
    found += ["allow_remote"] if router.allow_remote else []
    found += [f"cloud {name} ({cloud.model})" for name, cloud in router.clouds.items()]
    return found + (list(facts.remote_models) if router.allow_remote else [])


def _data(facts: Facts) -> SovereigntyPart:
    kind = facts.filesystem
    return SovereigntyPart(
        name="data_at_rest",
        value=None if kind is None else float(kind not in NETWORK_FILESYSTEMS),
        weight=0.1,
        explanation=f"The data folder is on {kind or 'a file system of unknown type'};"
        " network file systems count 0, since who holds that server is not known here.",
    )


def _cloud(facts: Facts) -> SovereigntyPart:
    value = None if facts.cloud_disabled is None else float(facts.cloud_disabled)
    return SovereigntyPart(
        name="ollama_cloud_off",
        value=value,
        weight=0.1,
        explanation="Whether Ollama itself says that its cloud is disabled (OLLAMA_NO_CLOUD=1);"
        " this router refuses cloud names either way unless allow_remote is set.",
    )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
