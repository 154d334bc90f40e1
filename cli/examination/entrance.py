"""Check of who may enter the dashboard: the file itself, and whether a public door is guarded."""

from __future__ import annotations

import stat

from cli.findings import Finding, failed, ok
from shared import access
from shared.errors import InvalidSetting
from shared.settings import Settings

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def entrance(settings: Settings) -> Finding:
    """Check that the access file is private and that others cannot come in unasked."""
    path = access.file_of(settings)
    try:
        known = access.read(path)
    except InvalidSetting as error:
        return failed("access", error.message, f"mend or remove {path}; nobody can enter now")
    if path.exists() and path.stat().st_mode & OTHERS:
        return failed("access", f"{path} can be read by others", f"chmod 600 {path}")
    dashboard = settings.dashboard
    public = dashboard.hosts or dashboard.proxies or not dashboard.host.startswith(("127.", "loc"))
    if public and dashboard.host != "::1" and not known.people:
        fix = "sovereign access add NAME --role operate"
        return failed("access", "others can reach the dashboard and nobody is named", fix)
    if not (known.people or known.keys):
        return ok("access", "nobody is named: the dashboard asks nobody, on this host alone")
    return ok("access", f"{len(known.people)} people, {len(known.keys)} tokens may enter")
