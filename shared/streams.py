"""Streams, consumers and buckets, declared once; `bootstrap.py` creates them."""

from __future__ import annotations

from dataclasses import dataclass

from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RePublish,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)

from shared.events.tasks import Priority

CONTRACT = 1
"""Version of this file, kept in each stream's metadata: an older process never undoes a newer."""

DUPLICATE_WINDOW_S = 600.0
"""Seconds in which the same `Nats-Msg-Id` is stored once: the longest retry of a publisher."""

MAX_PAYLOAD = 2 * 1024 * 1024
"""Bytes of a message: a 1 MiB attachment in base64 and the task around it."""

MAX_DELIVER = 5
ACK_WAIT_S = 30.0
MANAGER_ACK_WAIT_S = 5.0
"""Seconds after which a manager that fell silent loses what it held."""
DAY_S = 86_400.0


@dataclass(frozen=True)
class Stream:
    """One stream: `queue` for work queues, `keep_s` for a limit in seconds, else for ever.

    `sealed` streams refuse deletion of single messages and purges (the ledger).
    `clock` streams hand messages in at the time that each one names (server 2.12 or later).
    `told` = (subject, destination): the server tells on core what it has stored, so that who
    waits for it need not ask again and again.
    """

    name: str
    subjects: tuple[str, ...]
    about: str
    queue: bool = False
    keep_s: float = 0.0
    max_msgs: int = -1
    sealed: bool = False
    clock: bool = False
    told: tuple[str, str] | None = None

    def config(self, replicas: int) -> StreamConfig:
        """Return the server's form: on file, discard NEW where limited, direct reads allowed."""
        return StreamConfig(
            name=self.name,
            description=self.about,
            subjects=list(self.subjects),
            retention=RetentionPolicy.WORK_QUEUE if self.queue else RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW if self.queue and not self.clock else DiscardPolicy.OLD,
            num_replicas=replicas,
            max_age=self.keep_s,
            max_msgs=self.max_msgs,
            max_msg_size=MAX_PAYLOAD,
            duplicate_window=DUPLICATE_WINDOW_S,
            allow_direct=True,
            deny_delete=self.sealed,
            deny_purge=self.sealed,
            allow_msg_schedules=self.clock or None,
            republish=RePublish(*self.told) if self.told else None,
            metadata={"sovereign-contract": str(CONTRACT)},
        )


@dataclass(frozen=True)
class Consumer:
    """A durable pull consumer that exists before anyone fetches."""

    stream: str
    name: str
    subjects: tuple[str, ...]
    ack_wait_s: float = ACK_WAIT_S
    max_deliver: int = MAX_DELIVER
    max_ack_pending: int = 1000

    def config(self) -> ConsumerConfig:
        """Return the server's form: explicit acks, always."""
        return ConsumerConfig(
            durable_name=self.name,
            filter_subjects=list(self.subjects) if len(self.subjects) > 1 else None,
            filter_subject=self.subjects[0] if len(self.subjects) == 1 else None,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=self.ack_wait_s,
            max_deliver=self.max_deliver,
            max_ack_pending=self.max_ack_pending,
        )


@dataclass(frozen=True)
class Bucket:
    """A key-value bucket. `ttl_s` forgets keys after that many seconds; 0 keeps them.

    With `max_bytes`, what does not fit any more is refused.
    """

    name: str
    about: str
    ttl_s: float = 0.0
    max_bytes: int | None = None


TASKS = Stream("TASKS", ("task.request.*",), "what people ask for", queue=True, max_msgs=1_000_000)
TASKS_CONTROL = Stream("TASKS_CONTROL", ("task.control.*",), "people's words on tasks", queue=True)
STEPS = Stream(
    "STEPS",
    ("task.step.*.*",),
    "steps for agents",
    queue=True,
    max_msgs=1_000_000,
    told=("task.step.*.*", "task.ready.{{wildcard(1)}}.{{wildcard(2)}}"),
)
SCHEDULES = Stream(
    "SCHEDULES",
    ("task.schedule.*", "task.due.*"),
    "tasks for a later time, and those whose time has come",
    queue=True,
    clock=True,
)
JOURNAL = Stream("JOURNAL", ("task.journal.*",), "the record of each task")
RESULTS = Stream("RESULTS", ("agent.result.*.*",), "what agents answered", keep_s=90 * DAY_S)
OPS = Stream("OPS", ("ops.event.*",), "what ops saw, decided and did", keep_s=90 * DAY_S)
SESSIONS = Stream("SESSIONS", ("session.event.*",), "the record of each session")
MATCH = Stream("MATCH", ("match.event.*",), "clients, providers, deals")
LEDGER = Stream("LEDGER", ("ledger.entry.*",), "balanced entries, for ever", sealed=True)
DEAD = Stream("DEAD", ("dead.*",), "messages that nobody could handle", keep_s=90 * DAY_S)
ADVISORIES = Stream(
    "ADVISORIES",
    ("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>",),
    "messages that were delivered too often",
    queue=True,
)

STREAMS = (
    TASKS, TASKS_CONTROL, SCHEDULES, STEPS, JOURNAL, RESULTS, OPS, SESSIONS, MATCH, LEDGER, DEAD,
    ADVISORIES,
)  # fmt: skip

PRIORITIES = tuple(Priority)
AGENTS = ("strategist", "builder", "optimizer", "deployer", "analyzer")


def request_consumer(priority: Priority) -> Consumer:
    """The manager's durable for one priority."""
    return _manager("TASKS", f"manager-{priority}", f"task.request.{priority}")


def _manager(stream: str, name: str, subject: str) -> Consumer:
    return Consumer(stream, name, (subject,), ack_wait_s=MANAGER_ACK_WAIT_S)


def step_consumer(agent: str, priority: Priority, ack_wait_s: float, max_deliver: int) -> Consumer:
    """The durable of one kind of agent for one priority; all its workers share it."""
    subject = f"task.step.{agent}.{priority}"
    return Consumer("STEPS", f"{agent}-{priority}", (subject,), ack_wait_s, max_deliver)


CONSUMERS = (
    *(request_consumer(priority) for priority in PRIORITIES),
    _manager("TASKS_CONTROL", "manager", "task.control.*"),
    _manager("SCHEDULES", "manager", "task.due.*"),
    _manager("RESULTS", "manager", "agent.result.*.*"),
    _manager("DEAD", "manager", "dead.*"),
    Consumer("RESULTS", "sessions", ("agent.result.crew.*",)),
    Consumer("ADVISORIES", "ops", ("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>",)),
)

TASK_VIEWS = Bucket("tasks", "the present state of each task")
WAITING = Bucket("waiting", "steps that wait for a person or a model: <task_id>.<step_id>")
LEADER = Bucket("leader", "who leads, with a fencing revision", ttl_s=3.0)
LEASES = Bucket("session_leases", "who may write to a session, and until when")
TUNING = Bucket("tuning", "changes to the router that were applied and not taken back")
ANSWERS = Bucket("answers", "answers of models that routers share", max_bytes=256 << 20)
BUDGETS = Bucket("budgets", "what each run of a router spent and has reserved", ttl_s=40 * DAY_S)
BUCKETS = (TASK_VIEWS, WAITING, LEADER, TUNING, LEASES, ANSWERS, BUDGETS)

ATTACHMENTS = "attachments"
ARTIFACTS = "artifacts"
OBJECT_STORES = (ATTACHMENTS, ARTIFACTS)
