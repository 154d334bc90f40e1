"""What each user of the bus may do: one nkey a service, the least rights, tested both ways.

Rights on subjects keep a broken or curious process out of its neighbours' rooms. They do not
protect commands: a server can be made to deliver to a subject that the sender may not publish
to, so `ops.command.<host>` is signed as well (see `signing.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from shared.streams import CONSUMERS

REPLIES = "_INBOX.>"
"""Where services answer. A right for each request received (`allow_responses`) would end with
the connection, and a reply in hand could not be given after a reconnection."""


@dataclass(frozen=True)
class Rights:
    """One user's rights.

    `queues`: streams whose durables it fetches from and acknowledges. `reads`: streams that it
    follows with consumers of its own. `looks`: streams of which it gets single messages.
    `buckets`: key-value buckets that it writes. `objects`: object stores that it uses.
    """

    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()

    def allowed(self, name: str) -> dict[str, object]:
        """Return the server's permissions for the user `name`."""
        streams = (*self.reads, *self.queues, *(f"KV_{bucket}" for bucket in self.buckets))
        publish = [
            *self.publish,
            f"health.beat.{name}.*",
            REPLIES,
            "$SRV.>",
            *(subject for stream in streams for subject in _reading(stream)),
            *(subject for stream in self.looks for subject in _looking(stream)),
            *(subject for stream in self.queues for subject in _fetching(stream)),
            *(f"$KV.{bucket}.>" for bucket in self.buckets),
            *(subject for store in self.objects for subject in _objects(store)),
        ]
        subscribe = [*self.subscribe, f"_INBOX.{name}.>", "$SRV.>"]
        denied = [
            subject
            for stream in self.reads
            for durable in _durables(stream)
            for subject in _meddling(stream, durable)
        ]
        return {
            "publish": {"allow": publish, "deny": denied},
            "subscribe": {"allow": subscribe},
        }


def _durables(stream: str) -> tuple[str, ...]:
    """Return the declared durables of a stream: they are for those who work on it."""
    return tuple(consumer.name for consumer in CONSUMERS if consumer.stream == stream)


def _meddling(stream: str, durable: str) -> tuple[str, ...]:
    """Return what would take a worker's messages, or its durable away."""
    return (
        f"$JS.API.CONSUMER.DELETE.{stream}.{durable}",
        f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}",
        f"$JS.API.CONSUMER.CREATE.{stream}.{durable}",
        f"$JS.API.CONSUMER.CREATE.{stream}.{durable}.>",
        f"$JS.ACK.{stream}.{durable}.>",
    )


def _looking(stream: str) -> tuple[str, ...]:
    """Return what is asked to get single messages, which changes nothing."""
    return (
        f"$JS.API.STREAM.INFO.{stream}",
        f"$JS.API.STREAM.MSG.GET.{stream}",
        f"$JS.API.DIRECT.GET.{stream}",
        f"$JS.API.DIRECT.GET.{stream}.>",
    )


def _reading(stream: str) -> tuple[str, ...]:
    """Return what a reader asks: single messages, and consumers of its own."""
    return (
        *_looking(stream),
        f"$JS.API.CONSUMER.CREATE.{stream}",
        f"$JS.API.CONSUMER.CREATE.{stream}.>",
        f"$JS.API.CONSUMER.INFO.{stream}.*",
        f"$JS.API.CONSUMER.DELETE.{stream}.*",
        f"$JS.API.CONSUMER.MSG.NEXT.{stream}.*",
        f"$JS.FC.{stream}.>",
        f"$JS.ACK.{stream}.>",
    )


def _fetching(stream: str) -> tuple[str, ...]:
    """Return what a worker on durables asks besides reading."""
    return (
        f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.*",
        f"$JS.API.STREAM.MSG.DELETE.{stream}",
        f"$JS.API.STREAM.PURGE.{stream}",
    )


def _objects(store: str) -> tuple[str, ...]:
    """Return what a user of an object store asks; nats-py finds its stream by subject."""
    own = (f"$O.{store}.>", f"$JS.API.STREAM.PURGE.OBJ_{store}", "$JS.API.STREAM.NAMES")
    return own + _reading(f"OBJ_{store}")


OWNER = Rights(publish=(">",), subscribe=(">",))
"""The supervisor, and the owner at the command line."""

GUEST = Rights(
    publish=("task.request.*", "agent.status", "model.status", "ops.status",
             "$JS.API.STREAM.INFO.*"),
    subscribe=(
        "agent.result.>", "task.journal.*", "task.live.*", "health.beat.>", "ops.event.*",
        "cache.event.*", "cost.event", "dead.*", "$KV.tasks.*", "_INBOX.>",
    ),
    looks=("RESULTS", "JOURNAL", "KV_tasks", "TASKS", "SCHEDULES"),
)  # fmt: skip
"""Whoever connects from this host without a key: may ask for work and watch it."""

BURIED_FROM = ("TASKS", "TASKS_CONTROL", "SCHEDULES", "STEPS")
"""Queues from which ops takes what was delivered too often; it fetches nothing from them."""

USERS: dict[str, Rights] = {
    "supervisor": OWNER,
    "owner": OWNER,
    "router": Rights(
        publish=(
            "cache.event.*", "cost.event", "ops.event.*", "ops.status", "ops.history",
            "ops.lessons",
        ),
        subscribe=("model.>", "$KV.tuning.*", "agent.result.*.*", "cache.event.store",
                   "health.beat.router.*"),
        buckets=("tuning", "answers", "budgets"),
    ),
    "agents": Rights(
        publish=(
            "model.chat", "model.embed", "model.cancel", "model.status", "model.report",
            "model.savings", "task.journal.*", "task.step.*.*", "agent.result.*.*", "task.live.*",
            "dead.*", "session.append", "session.context", "session.search", "ops.status",
            "task.control.*", "task.request.*", "$JS.API.STREAM.PURGE.KV_waiting",
            "agents.hb.*.*.*",
        ),
        subscribe=("task.>", "agent.>", "agents.>", "health.beat.router.*"),
        queues=("TASKS", "TASKS_CONTROL", "SCHEDULES", "STEPS", "RESULTS", "DEAD"),
        reads=("JOURNAL",),
        buckets=("tasks", "waiting"),
        objects=("attachments", "artifacts"),
    ),
    "match": Rights(
        publish=("match.event.*", "ledger.entry.*", "dead.*", "model.chat", "model.savings"),
        subscribe=("match.>", "ledger.>"),
        reads=("MATCH", "LEDGER"),
        objects=("artifacts",),
    ),
    "sessions": Rights(
        publish=("session.event.*", "dead.*", "model.embed", "model.chat",
                 "$JS.API.STREAM.MSG.DELETE.SESSIONS"),
        subscribe=("session.>", "agent.result.crew.*"),
        queues=("RESULTS",),
        reads=("SESSIONS",),
        buckets=("session_leases",),
    ),
    "ops": Rights(
        publish=(
            "ops.event.*", "ops.command.*", "ops.lead.*", "ops.leader.*", "dead.*",
            "model.status", "model.report", "$JS.API.INFO", "$JS.API.STREAM.NAMES",
            "$JS.API.STREAM.INFO.*", "$JS.API.STREAM.SNAPSHOT.*", "$JS.SNAPSHOT.ACK.>",
            "$JS.API.CONSUMER.INFO.*.*",
            *(f"$JS.API.STREAM.MSG.DELETE.{stream}" for stream in BURIED_FROM),
        ),
        subscribe=("ops.>", "health.beat.>", "cost.event", "$JS.EVENT.ADVISORY.>"),
        queues=("ADVISORIES",),
        reads=("OPS", "DEAD"),
        looks=(*BURIED_FROM, "RESULTS"),
        buckets=("leader",),
    ),
    "dashboard": Rights(
        publish=(
            "task.request.*", "task.control.*", "model.status", "model.models", "model.savings",
            "model.report", "model.sovereignty", "model.apply", "model.rollback", "model.changes",
            "model.hosts", "model.budgets", "model.policy", "model.import",
            "model.monitor", "model.suggest",
            "agent.status", "agent.replay", "ops.status", "ops.history",
            "ops.lessons", "ops.check",
            "ops.restart", "ops.drain", "session.>", "match.>", "$JS.API.STREAM.LIST",
            "$JS.API.CONSUMER.LIST.*",
        ),
        subscribe=(
            "health.beat.>", "cache.event.*", "cost.event", "ops.event.*", "agent.result.>",
            "task.live.*", "task.journal.*", "session.event.*", "match.event.*", "dead.*",
        ),
        reads=("RESULTS", "JOURNAL", "OPS", "DEAD", "KV_tasks", "KV_waiting"),
        looks=("TASKS", "TASKS_CONTROL", "STEPS"),
        objects=("attachments", "artifacts"),
    ),
}  # fmt: skip


def _guest() -> dict[str, object]:
    """Return the guest's permissions.

    It may listen to any inbox, as clients make their own, but to no service's; and it answers
    nobody: a copy of a stored message carries the publisher's inbox, where an answer of the
    guest would pass for the server's acknowledgement.
    """
    publish = [*GUEST.publish, "$SRV.>", *(s for stream in GUEST.looks for s in _looking(stream))]
    private = [f"_INBOX.{name}.>" for name in USERS]
    return {
        "publish": {"allow": publish},
        "subscribe": {"allow": [*GUEST.subscribe], "deny": private},
    }


def authorization(keys: dict[str, str]) -> str:
    """Return the server's `authorization` block; `keys` is user name to public nkey.

    The key of `guest` is the one that a client without a key is given (`no_auth_user`).
    """
    users = [
        {"nkey": keys[name], "permissions": rights.allowed(name)} for name, rights in USERS.items()
    ]
    users.append({"nkey": keys["guest"], "permissions": _guest()})
    block = {"users": users}
    return f"authorization: {orjson.dumps(block).decode()}\nno_auth_user: {keys['guest']}\n"
