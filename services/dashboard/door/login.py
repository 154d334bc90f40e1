"""The login: a plain form that works without script, and the way out."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from services.dashboard import brand, theme
from services.dashboard.access.gate import Gate, Unauthorized, address
from services.dashboard.access.limits import TooMany
from shared.settings import DashboardSettings

HOME = "/dashboard"
FORM = Markup("""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Log in · {name}</title>{head}</head><body><main class="gate"><form class="card" method="post"
 action="/login"><div class="brand">{mark}<span>{name}</span></div><h1>Log in</h1>{problem}
<label for="name">Name</label><input id="name" name="name" autocomplete="username" required
 autofocus maxlength="64" value="{given}"><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required
 maxlength="1000"><input type="hidden" name="next" value="{next}">
<button class="btn primary" type="submit">Log in</button>
<p class="muted">The owner gives you a name with <code>sovereign access add NAME</code>.</p>
</form></main></body></html>""")


def routes(gate: Gate, settings: DashboardSettings) -> APIRouter:
    """Return `/login` and `/logout`."""
    router = APIRouter(tags=["access"], include_in_schema=False)

    def form(wanted: str, given: str = "", problem: str = "", status: int = 200) -> HTMLResponse:
        note = Markup('<div class="note bad" role="alert">{}</div>').format(problem)
        html = FORM.format(
            name=settings.name, head=theme.head() + brand.style(settings),
            mark=brand.mark(settings), problem=note if problem else "", given=given,
            next=local(wanted),
        )  # fmt: skip
        return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})

    @router.get("/login")
    async def shown(next: str = HOME) -> Response:
        return form(next) if gate.asks else RedirectResponse(local(next), 303)

    @router.post("/login")
    async def tried(request: Request) -> Response:
        fields = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=8)
        name, password, wanted = (fields.get(k, [""])[0] for k in ("name", "password", "next"))
        try:
            cookie = await gate.enter(name, password, address(request.scope))
        except (Unauthorized, TooMany) as error:
            again = form(wanted, name, error.message, error.http_status)
            if error.retry_after_s:
                again.headers["Retry-After"] = str(int(error.retry_after_s) + 1)
            return again
        answer = RedirectResponse(local(wanted), 303)
        answer.set_cookie(
            gate.cookie_name, cookie, max_age=int(settings.session_h * 3600), httponly=True,
            samesite="lax", secure=request.url.scheme == "https", path="/",
        )  # fmt: skip
        return answer

    @router.post("/logout")
    async def left(request: Request) -> Response:
        gate.leave(gate.cookie_of(request.scope))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(gate.cookie_name, path="/", httponly=True, samesite="lax")
        return answer

    return router


def local(wanted: str) -> str:
    """Return an address of this host alone: an open redirect would serve a thief."""
    good = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if good and wanted.isprintable() and "\\" not in wanted else HOME
