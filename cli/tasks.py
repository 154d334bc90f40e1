"""`sovereign task …`: ask the crew for work, watch it, have a word on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.options import (
    Because,
    Files,
    Json,
    JsonLines,
    Limit,
    TaskId,
    group,
)
from shared.priorities import PriorityName

app = group("Ask the crew for work, watch it, have a word on it.", "Work")

Description = Annotated[str, typer.Option("--description", "-d", help="More about it.")]
Priority = Annotated[PriorityName, typer.Option("--priority", "-p", help="How soon.")]
After = Annotated[
    list[str] | None, typer.Option(help="A task that must be done first. Repeatable.")
]
Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", "-w", help="Show progress, then the answer.")
]
Within = Annotated[
    float | None, typer.Option(min=0.1, help="Seconds to wait at most; implies --wait.")
]
Step = Annotated[str | None, typer.Option("--step", help="Only this step of the plan.")]
Limits = Annotated[
    list[str] | None,
    typer.Option("--budget", help="tokens=, usd=, seconds= or steps=AMOUNT. Repeatable."),
]
Judge = Annotated[
    Literal["checks", "critic", "strict"] | None,
    typer.Option("--verify", help="How outputs are judged; strict fails what a critic refuses."),
]
At = Annotated[str | None, typer.Option("--at", help="Hand it in at this instant.")]
In = Annotated[str | None, typer.Option("--in", help="Hand it in after 90s, 30m, 2h, 1d.")]
Every = Annotated[
    str | None,
    typer.Option("--every", help="Again and again: 30m, 1d, @daily, or cron '0 9 * * 1-5'."),
]
Zone = Annotated[
    str | None, typer.Option("--zone", help="Zone of a cron, as Europe/Berlin; else UTC.")
]
State = Annotated[str | None, typer.Option("--state", help="Only tasks in this state.")]


@app.command()
def submit(
    title: Annotated[str, typer.Argument(help="What is to be done, in one line.")],
    description: Description = "",
    file: Files = None,
    priority: Priority = "normal",
    agent: Annotated[str | None, typer.Option(help="One agent instead of a plan.")] = None,
    task_id: Annotated[str | None, typer.Option("--id", help="Your own id; twice is once.")] = None,
    session: Annotated[str | None, typer.Option(help="The session that it belongs to.")] = None,
    template: Annotated[
        str | None, typer.Option(help="A named plan; `task templates` lists them.")
    ] = None,
    deadline: Annotated[str | None, typer.Option(help="30m, 2h, or an ISO instant.")] = None,
    not_before: Annotated[str | None, typer.Option(help="Same form as --deadline.")] = None,
    depends_on: After = None,
    approval: Annotated[bool, typer.Option("--approval", help="Ask before every step.")] = False,
    budget: Limits = None,
    verify: Judge = None,
    at: At = None,
    after: In = None,
    every: Every = None,
    zone: Zone = None,
    wait: Wait = False,
    timeout: Within = None,
    as_json: Json = False,
) -> None:
    """Hand a task to the crew; prints its id, or with --wait the answer."""
    from cli import requests, schedules, submitting

    fields = {
        "title": title, "description": description, "priority": priority, "agent": agent,
        "task_id": task_id, "session": session, "template": template, "approval": approval,
        "depends_on": depends_on, "deadline": requests.instant(deadline, "--deadline"),
        "not_before": requests.instant(not_before, "--not-before"),
        "budget": requests.budget(budget), "verify": verify,
    }  # fmt: skip
    task, files = requests.build(fields), requests.read_all(file)
    later = schedules.pattern(at, after, every)
    if later is not None:
        requests.check_not(wait or timeout is not None, "--wait", "a task for a later time")
        schedules.submit_later(task, files, later, zone, as_json)
    elif wait or timeout is not None:
        submitting.submit_and_wait(task, files, timeout, as_json)
    else:
        submitting.submit(task, files, as_json)


@app.command("list")
def list_tasks(limit: Limit = 20, state: State = None, as_json: Json = False) -> None:
    """List the tasks that changed last, the latest first."""
    from cli import looking

    looking.list_tasks(limit, state, as_json)


@app.command()
def show(task: TaskId, as_json: Json = False) -> None:
    """Show a task: its plan, its steps, its answer."""
    from cli import looking

    looking.show_task(task, as_json)


@app.command()
def watch(
    task: TaskId,
    timeout: Annotated[float | None, typer.Option(min=0.1, help="Seconds at most.")] = None,
    as_json: JsonLines = False,
) -> None:
    """Follow a task until it ends; fails when the task failed."""
    from cli import looking

    looking.watch_task(task, timeout, as_json)


@app.command()
def cancel(task: TaskId, reason: Because = "", as_json: Json = False) -> None:
    """Stop a task, the running model call too."""
    from cli import control

    control.send(task, "cancel", None, reason, as_json)


@app.command()
def approve(task: TaskId, step: Step = None, reason: Because = "", as_json: Json = False) -> None:
    """Let a step go on that waits for a person."""
    from cli import control

    control.send(task, "approve", step, reason, as_json)


@app.command()
def reject(task: TaskId, step: Step = None, reason: Because = "", as_json: Json = False) -> None:
    """Refuse a step that waits for a person."""
    from cli import control

    control.send(task, "reject", step, reason, as_json)


@app.command()
def retry(task: TaskId, step: Step = None, reason: Because = "", as_json: Json = False) -> None:
    """Run a failed task again, from a step if one is named."""
    from cli import control

    control.send(task, "retry", step, reason, as_json)


@app.command()
def pause(task: TaskId, reason: Because = "", as_json: Json = False) -> None:
    """Start no further step of a task until it is resumed."""
    from cli import control

    control.send(task, "pause", None, reason, as_json)


@app.command()
def resume(task: TaskId, reason: Because = "", as_json: Json = False) -> None:
    """Let a paused task go on."""
    from cli import control

    control.send(task, "resume", None, reason, as_json)


@app.command()
def replay(
    task: TaskId,
    until: Annotated[int | None, typer.Option(min=1, help="Only up to this sequence.")] = None,
    as_json: Json = False,
) -> None:
    """Tell a task again from its journal, without a model; fails when the result differs."""
    from cli import replaying

    replaying.replay(task, until, as_json)


@app.command()
def artifact(
    task: TaskId,
    name: Annotated[str | None, typer.Argument(help="A file of it; else the list.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write it here.")] = None,
    as_json: Json = False,
) -> None:
    """List the files that a task made, or print one of them."""
    from cli import artifacts

    if name is None:
        artifacts.show(task, as_json)
    else:
        artifacts.get(task, name, out)


@app.command("schedules")
def list_schedules(as_json: Json = False) -> None:
    """List the tasks that the server hands in at a later time, or again and again."""
    from cli import schedules

    schedules.list_schedules(as_json)


@app.command()
def templates(as_json: Json = False) -> None:
    """List the named plans that --template takes."""
    from cli import looking

    looking.list_templates(as_json)


@app.command()
def unschedule(
    schedule: Annotated[str, typer.Argument(metavar="SCHEDULE", help="Its id.")],
    as_json: Json = False,
) -> None:
    """Take a schedule back; tasks that it has handed in go on."""
    from cli import schedules

    schedules.remove(schedule, as_json)
