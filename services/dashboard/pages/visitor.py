"""Who looks at this page, asked anew at each act: a session may have ended since it was built."""

from __future__ import annotations

from nicegui import ui

from services.dashboard.access.gate import OWNER, Unauthorized, Who
from services.dashboard.door.build import House
from shared.access import Role
from shared.errors import Refused, SovereignError


def visitor(house: House) -> Who | None:
    """Return who this page was sent to, if they may still come in; None too while nobody can tell.

    An access file that cannot be read lets nobody in.
    """
    try:
        if not house.gate.asks:
            return OWNER
        return house.gate.who(ui.context.client.request.scope)
    except SovereignError:
        return None


def may(house: House, wanted: Role) -> bool:
    """Tell whether this page may offer what needs `wanted`."""
    who = visitor(house)
    return who is not None and who.may(wanted) and (wanted == "view" or not house.desk.read_only)


def must(house: House, wanted: Role) -> Who:
    """Return who acts, or raise why they may not."""
    who = visitor(house)
    if who is None:
        raise Unauthorized("your session has ended; log in again")
    if not who.may(wanted):
        raise Refused(f"{who.name} may {who.role}; this needs {wanted}", field="role")
    house.desk.must_be_writable()
    return who
