"""`sovereign doctor`: everything that must hold, checked, each failure with its fix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.options import Json

if TYPE_CHECKING:
    from cli.findings import Finding


def doctor(as_json: Json = False) -> None:
    """Check this host: Python, packages, data, ports, bus, engine, clock; and tell each fix."""
    from cli.checkup import examine
    from cli.errors import FAILED
    from cli.output import emit_json, plain

    findings = examine()
    failed = any(one.status == "fail" for one in findings)
    if as_json:
        emit_json({"ok": not failed, "checks": [plain(one.as_dict()) for one in findings]})
    else:
        _show(findings)
    if failed:
        raise typer.Exit(FAILED)


def _show(findings: list[Finding]) -> None:
    from cli.output import cell, clean, console, tell

    printer = console()
    width = max(len(one.name) for one in findings)
    for one in findings:
        line = cell(one.status.ljust(4))
        line.append(f"  {one.name.ljust(width)}  ", style="bold")
        printer.print(line.append(clean(one.detail), style="default"), soft_wrap=True)
        if one.fix and one.status != "ok":
            tell(f"{' ' * (width + 6)}-> {one.fix}")
