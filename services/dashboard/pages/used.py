"""What a step used and how its output was judged: calls of tools, the verdict, objections."""

from __future__ import annotations

from markupsafe import Markup

from services.dashboard.pages import parts, words
from shared.events import StepResult
from shared.events.tools import ToolUse

SHOWN = 120
"""Characters of a call's arguments that a row shows."""


def used(output: StepResult | None) -> Markup:
    """Return the tools and the verdict of a step; nothing where neither is of note."""
    if output is None:
        return Markup("")
    return parts.join((_tools(output), _verdict(output)))


def _tools(output: StepResult) -> Markup:
    if not output.tools:
        return Markup("")
    rows = parts.join(_call(use) for use in output.tools)
    return Markup('<div class="rows" aria-label="Tools">{}</div>').format(rows)


def _call(use: ToolUse) -> Markup:
    given = ", ".join(f"{name} {value}" for name, value in use.arguments.items())
    failed = f"{use.reason.message} ({use.reason.code})" if use.reason else ""
    return Markup(
        '<div class="row-item"><span>{}</span><span class="grow soft cut">{}</span>'
        '<span class="muted late">{}</span><span class="muted num">{}</span></div>'
    ).format(
        parts.code(words.cut(use.tool, 60)), words.cut(failed or given, SHOWN),
        "failed" if use.reason else use.effect, words.duration(use.seconds),
    )  # fmt: skip


def _verdict(output: StepResult) -> Markup:
    """Return who judged, and what was objected; what passed the checks alone says nothing."""
    if output.verified_by != "critic" and not output.objections:
        return Markup("")
    passed = {True: "passed", False: "did not pass", None: "gave no verdict"}[output.verified]
    judge = "the critic" if output.verified_by == "critic" else "the checks"
    revised = f" after {words.plural(output.revisions, 'revision')}" if output.revisions else ""
    line = parts.note(f"judged by {judge}: {passed}{revised}", "" if output.verified else "bad")
    said = [Markup("<li>{}</li>").format(words.clean(text)) for text in output.objections]
    told = Markup('<ul class="soft">{}</ul>').format(parts.join(said)) if said else Markup("")
    return parts.join((line, told))
