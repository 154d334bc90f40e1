"""Every family of subjects with its bodies, who publishes and who consumes.

The JSON Schemas and the AsyncAPI document in `docs/` are made from this table.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from shared import events as e


@dataclass(frozen=True)
class Channel:
    """One family of subjects; `reply` is set for request-reply."""

    subject: str
    body: type[BaseModel]
    carrier: str
    publisher: str
    consumer: str
    about: str
    reply: type[BaseModel] | None = None


def _rpc(
    subject: str, ask: type[BaseModel], reply: type[BaseModel], service: str, about: str
) -> Channel:
    return Channel(subject, ask, "core, queue group", "anyone", service, about, reply)


CHANNELS = (
    Channel("task.request.{priority}", e.TaskRequest, "stream TASKS", "anyone", "manager", "work"),
    Channel("task.step.{agent}.{priority}", e.RunStep, "stream STEPS", "manager", "agents", "step"),
    Channel("task.ready.{agent}.{priority}", e.RunStep, "core, republished by stream STEPS",
            "the server", "agents", "a step is stored: come and fetch"),
    Channel("task.journal.{task_id}", e.JournalEntry, "stream JOURNAL, fenced appends",
            "manager, agents", "manager, agents", "one entry of a task's record"),
    Channel("agent.result.{agent}.{task_id}", e.StepResult, "stream RESULTS", "agents",
            "manager, dashboard", "what one step came to"),
    Channel("agent.result.crew.{task_id}", e.TaskResult, "stream RESULTS", "manager",
            "submitter, sessions, dashboard", "the one final answer"),
    Channel("task.live.{task_id}", e.LiveUpdate, "core", "agents, manager", "watchers", "progress"),
    Channel("task.control.{task_id}", e.TaskControl, "stream TASKS_CONTROL", "people",
            "manager, agents", "cancel, approve, reject, retry"),
    Channel("task.schedule.{schedule_id}", e.ScheduledTask, "stream SCHEDULES", "people",
            "the server", "a task for a later time, or for again and again"),
    Channel("task.due.{schedule_id}", e.ScheduledTask, "stream SCHEDULES", "the server",
            "manager", "a task whose time has come"),
    Channel("model.cancel", e.ModelCancel, "core", "agents", "router", "take a request back"),
    Channel("cache.event.{kind}", e.CacheEvent, "core", "router", "dashboard", "cache"),
    Channel("cost.event", e.CostEvent, "core", "router", "dashboard, ops", "one model call"),
    Channel("health.beat.{service}.{instance}", e.Beat, "core", "every service",
            "ops, manager, dashboard", "a heartbeat"),
    Channel("ops.command.{host}", e.SignedCommand, "core, queue group", "ops", "supervisor",
            "a signed command", e.CommandReply),
    Channel("ops.lead.{verb}", e.OpsAsk, "core", "ops", "the leading ops",
            "a wish that another ops took", e.CommandReply),
    Channel("ops.leader.{ask}", e.Empty, "core", "ops", "the leading ops",
            "checks (or a backup, with its reply) that another ops was asked for", e.OpsChecks),
    Channel("ops.event.{kind}", e.OpsEvent, "stream OPS", "ops, supervisors", "dashboard",
            "the record"),
    Channel("session.event.{session_id}", e.SessionEvent, "stream SESSIONS", "sessions",
            "sessions, dashboard", "one fact of a session"),
    Channel("match.event.{kind}", e.MatchEvent, "stream MATCH", "match", "match, dashboard",
            "what happened between clients and providers"),
    Channel("ledger.entry.{account}", e.LedgerEntry, "stream LEDGER", "match", "match, dashboard",
            "a balanced entry"),
    Channel("dead.{stream}", e.DeadLetter, "stream DEAD", "all", "people", "a dead letter"),
    _rpc("model.chat", e.ChatRequest, e.ChatReply, "router", "a model request"),
    _rpc("model.embed", e.EmbedRequest, e.EmbedReply, "router", "vectors"),
    _rpc("model.status", e.Empty, e.EngineStatus, "router", "what answers now"),
    _rpc("model.models", e.Empty, e.ModelList, "router", "models at hand"),
    _rpc("model.hosts", e.Empty, e.HostList, "router", "the hosts that answer, and how they are"),
    _rpc("model.pull", e.PullAsk, e.PullProgress, "router", "fetch a model, with progress"),
    _rpc("model.savings", e.Empty, e.Savings, "router", "saved against a named cloud model"),
    _rpc("model.report", e.Empty, e.OptimizationReport, "router", "performance and advice"),
    _rpc("model.sovereignty", e.Empty, e.Sovereignty, "router", "how much stays at home"),
    _rpc("agent.status", e.Empty, e.AgentRoster, "agents", "the roster of one agents process"),
    _rpc("agent.templates", e.Empty, e.TemplateList, "agents", "the named plans"),
    _rpc("agent.replay", e.ReplayAsk, e.TaskReplay, "agents", "a task told from its journal"),
    _rpc("ops.status", e.Empty, e.OpsStatus, "ops", "instances as ops sees them"),
    _rpc("ops.history", e.OpsHistoryAsk, e.OpsHistory, "ops", "the record, newest first"),
    _rpc("model.budgets", e.Empty, e.BudgetList, "router", "what calls may cost, and did"),
    _rpc("model.policy", e.Empty, e.PolicyReport, "router", "aliases, rules, measured quality"),
    _rpc("model.suggest", e.SuggestAsk, e.SuggestReply, "router", "what was asked before"),
    _rpc("model.import", e.UsageImport, e.UsageImported, "router", "what past usage would save"),
    _rpc("model.monitor", e.MonitorAsk, e.MonitorReport, "router", "figures, anomalies, forecast"),
    _rpc("model.apply", e.TuningAsk, e.TuningChange, "router", "do what a recommendation says"),
    _rpc("model.rollback", e.TuningAsk, e.TuningChange, "router", "take a change back"),
    _rpc("model.changes", e.Empty, e.TuningChanges, "router", "what was changed, before and after"),
    _rpc("ops.lessons", e.Empty, e.OpsLessons, "ops", "which remedy works for which symptom"),
    _rpc("ops.check", e.Empty, e.OpsChecks, "ops", "all checks, at once"),
    _rpc("ops.backup", e.Empty, e.BackupReply, "ops", "a backup of the streams, at once"),
    _rpc("ops.restart", e.OpsAsk, e.CommandReply, "ops", "restart a service"),
    _rpc("ops.drain", e.OpsAsk, e.CommandReply, "ops", "drain, then restart a service"),
    _rpc("session.append", e.SessionAppend, e.SessionAppended, "sessions", "add one fact"),
    _rpc("session.load", e.SessionAsk, e.SessionLoaded, "sessions", "all facts of a session"),
    _rpc("session.search", e.SearchAsk, e.SearchReply, "sessions", "recall"),
    _rpc("session.handoff", e.SessionAsk, e.Handoff, "sessions", "the handoff document"),
    _rpc("session.list", e.SessionListAsk, e.SessionList, "sessions", "sessions of a namespace"),
    _rpc("session.import", e.SessionImport, e.SessionImported, "sessions", "a document as facts"),
    _rpc("session.reindex", e.Empty, e.SessionReindexed, "sessions", "build the index anew"),
    _rpc("session.forget", e.SessionForget, e.SessionForgotten, "sessions", "erase, and prove it"),
    _rpc("session.context", e.SessionContextAsk, e.SessionContext, "sessions", "for a task"),
    _rpc("session.fork", e.SessionBranch, e.SessionBranched, "sessions", "a new one from one"),
    _rpc("session.merge", e.SessionBranch, e.SessionBranched, "sessions", "a new one from some"),
    _rpc("session.lease", e.LeaseAsk, e.Lease, "sessions", "be the one writer for a while"),
    _rpc("session.close", e.SessionClose, e.SessionClosed, "sessions", "end it with a handoff"),
    _rpc("session.resume", e.SessionResume, e.SessionResumed, "sessions", "check, then go on"),
    _rpc("session.export", e.SessionExport, e.SessionExported, "sessions", "notes, or JSON"),
    _rpc("match.add", e.MatchAdd, e.MatchList, "match", "a profile or a need"),
    _rpc("match.list", e.MatchListAsk, e.MatchList, "match", "what match knows"),
    _rpc("match.find", e.MatchFind, e.MatchFound, "match", "the best providers for a need"),
    _rpc("match.assign", e.MatchAssign, e.Assignment, "match", "pairs for the whole pool"),
    _rpc("match.deal", e.DealAsk, e.DealReply, "match", "open, move, pay, refund a deal"),
    _rpc("match.revenue", e.RevenueAsk, e.Revenue, "match", "earnings and trial balance"),
    _rpc("match.payout", e.PayoutAsk, e.PayoutReply, "match", "what providers are owed goes out"),
    _rpc("match.bill", e.BillAsk, e.BillReply, "match", "set-up, monthly fees, service builds"),
    _rpc("match.outcomes", e.OutcomesAsk, e.OutcomesReply, "match", "what was said elsewhere"),
    _rpc("match.report", e.ReportAsk, e.MatchReport, "match", "one month of the business"),
    _rpc("match.token", e.TokenAsk, e.TokenReply, "match", "who may use the page of parties"),
    _rpc("match.party", e.PartyAsk, e.PartyReply, "match", "what a token's holder sees and does"),
    _rpc("match.export", e.LedgerExportAsk, e.LedgerExport, "match", "the ledger as a text"),
)  # fmt: skip
