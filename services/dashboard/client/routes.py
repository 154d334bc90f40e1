"""The routes of `/match`: every request is asked of match with the token of its cookie.

A form answers with a redirect, so that nothing is sent twice by going back; an error shows the
form again as it was, with one line that names the field.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from services.dashboard.access.limits import TooMany
from services.dashboard.client import client_views, forms, frame, provider_views
from services.dashboard.client.client_views import View
from services.dashboard.client.seat import PATH, Seats, check_mark, fields, mark
from services.dashboard.reach import Reach
from shared.errors import InvalidInput, NotFound, Refused, SovereignError
from shared.events import Need, PartyAsk, PartyReply
from shared.settings import Settings
from shared.subjects import token as subject_token

POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:;"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""This page runs no script at all."""
DONE = {
    "need": "Your need stands. Here is who fits.", "accept": "The offer is with the provider.",
    "withdraw": "Taken back.", "profile": "Your profile is kept.", "answer": "Your answer is told.",
}  # fmt: skip
ENTER = Markup("""<form class="card gate" method="post" action="/match/enter"><h1>Come in</h1>
<p class="muted">With the token that you were given. It opens your own page, nobody else's.</p>
<div class="field"><label for="token">Token</label><input id="token" name="token" type="password"
 autocomplete="current-password" required maxlength="100" autofocus></div>
<button class="btn primary">Come in</button></form>""")
LEAVE = Markup('<span class="who">{}</span>{}')


class Page:
    """What the routes share: the settings, who sits there, and the way to match."""

    def __init__(self, reach: Reach, settings: Settings) -> None:
        self._reach = reach
        self._settings = settings.dashboard
        self.read_only = settings.dashboard.read_only
        self.currency = settings.match.currency
        self.seats = Seats(settings.dashboard.port)

    async def ask(self, request: Request, token: str, **more: Any) -> PartyReply:
        """Ask match on behalf of a token; its refusal is counted."""
        body = PartyAsk.model_validate({"token": token, **more})
        try:
            reply = await self._reach.ask("match.party", body, PartyReply)
        except Refused as error:
            if error.field == "token":
                self.seats.failed(request, token)
            raise
        self.seats.welcome(token)
        return reply

    def show(
        self,
        title: str,
        body: Markup,
        seat: tuple[str, str] | None = None,
        note: tuple[str, str] = ("", "good"),
        status: int = 200,
    ) -> HTMLResponse:
        """Return a page; `seat` is the token and the party, None while nobody is in."""
        way = Markup("")
        if seat is not None:
            leave = frame.form("leave", mark(seat[0]), frame.button("Leave"))
            way = LEAVE.format(seat[1], leave)
        html = frame.page(self._settings, title, body, way, frame.note(*note))
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": POLICY}
        return HTMLResponse(html, status, headers=headers)

    def failed(self, error: SovereignError, token: str | None = None) -> Response:
        """Return what went wrong; who is not known stands at the entrance again."""
        note, status = (error.message, "bad"), error.http_status
        if isinstance(error, Refused) and error.field == "token":
            return self.seats.leave(self.show("Come in", ENTER, None, note, status))
        back = Markup('<p><a href="/match">Back to your page</a></p>')
        answer = self.show("Not done", back, (token, "") if token else None, note, status)
        if isinstance(error, TooMany):
            answer.headers["Retry-After"] = str(int(error.retry_after_s or 1) + 1)
        return answer


Shown = Callable[[Request, str], Awaitable[Response]]


def routes(reach: Reach, settings: Settings) -> APIRouter:
    """Return all routes of `/match`."""
    router = APIRouter(prefix=PATH, include_in_schema=False)
    page = Page(reach, settings)

    def shown(path: str, build: Shown) -> None:
        async def get(request: Request) -> Response:
            return await _seated(page, request, build)

        router.add_api_route(path, get, methods=["GET"])

    def sent(path: str, act: Shown) -> None:
        async def post(request: Request) -> Response:
            return await _seated(page, request, act)

        router.add_api_route(path, post, methods=["POST"])

    @router.get("/match.css")
    async def style() -> Response:
        return FileResponse(frame.STYLE, media_type="text/css")

    @router.post("/enter")
    async def enter(request: Request) -> Response:
        return await _enter(page, request)

    rooms = Rooms(page)
    shown("", rooms.home)
    shown("/need", rooms.new_need)
    shown("/need/{need_id}", rooms.matches)
    shown("/need/{need_id}/edit", rooms.edit_need)
    shown("/profile", rooms.profile)
    for name, act in rooms.acts.items():
        sent(f"/{name}", act)
    return router


async def _seated(page: Page, request: Request, build: Shown) -> Response:
    """Answer for the holder of the cookie's token; without one, show the entrance."""
    token = None
    try:
        token = page.seats.token(request)
        if token is None:
            return page.show("Come in", ENTER, status=200 if request.method == "GET" else 403)
        return await build(request, token)
    except SovereignError as error:
        return page.failed(error, token)


async def _enter(page: Page, request: Request) -> Response:
    try:
        token = page.seats.admit(request, (await fields(request)).get("token", ""))
        await page.ask(request, token)
    except SovereignError as error:
        return page.failed(error)
    return page.seats.seat(request, RedirectResponse(PATH, 303), token)


class Rooms:
    """One method a page or a form."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.acts: dict[str, Shown] = {
            "need": self._need, "profile": self._profile, "leave": self._leave,
            "accept": self._accept, "withdraw": self._withdraw, "answer": self._answer,
        }  # fmt: skip

    async def home(self, request: Request, token: str) -> Response:
        """Show what is the holder's own."""
        reply = await self._page.ask(request, token)
        room = client_views.home if reply.side == "client" else provider_views.home
        note = (DONE.get(request.query_params.get("done", ""), ""), "good")
        body = room(reply, self._view(token))
        return self._page.show("Match", body, (token, reply.party_id), note)

    async def new_need(self, request: Request, token: str) -> Response:
        """Show the empty form of a need."""
        reply = await self._page.ask(request, token)
        body = client_views.need_form(None, {}, self._view(token))
        return self._page.show("State a need", body, (token, reply.party_id))

    async def matches(self, request: Request, token: str) -> Response:
        """Rank everybody for a need, with the reasons."""
        need_id = request.path_params["need_id"]
        reply = await self._page.ask(request, token, action="find", need_id=_id(need_id))
        need = _own(reply, need_id)
        note = (DONE.get(request.query_params.get("done", ""), ""), "good")
        body = client_views.matches(reply, need, self._view(token))
        return self._page.show(need.title, body, (token, reply.party_id), note)

    async def edit_need(self, request: Request, token: str) -> Response:
        """Show the form of a need that stands."""
        reply = await self._page.ask(request, token)
        need = _own(reply, request.path_params["need_id"])
        body = client_views.need_form(need, {}, self._view(token))
        return self._page.show("Change the need", body, (token, reply.party_id))

    async def profile(self, request: Request, token: str) -> Response:
        """Show the form of the profile."""
        reply = await self._page.ask(request, token)
        body = provider_views.profile_form(reply.profile, {}, self._view(token))
        return self._page.show("Your profile", body, (token, reply.party_id))

    async def _need(self, request: Request, token: str) -> Response:
        given = await self._given(request, token)
        home = await self._page.ask(request, token)
        before = _own(home, given["need_id"]) if "need_id" in given else None
        try:
            need = forms.need(given, before, self._page.currency)
            about = {"need_id": before.need_id} if before else {"key": _id(given.get("key", ""))}
            reply = await self._page.ask(request, token, action="need", need=need, **about)
        except InvalidInput as error:
            body = client_views.need_form(before, given, self._view(token))
            seat = (token, home.party_id)
            return self._page.show("Your need", body, seat, (error.message, "bad"), 422)
        return RedirectResponse(f"{PATH}/need/{reply.need_id}?done=need", 303)

    async def _profile(self, request: Request, token: str) -> Response:
        given = await self._given(request, token)
        home = await self._page.ask(request, token)
        try:
            kept = forms.profile(given, home.profile, self._page.currency)
            await self._page.ask(request, token, action="profile", profile=kept)
        except InvalidInput as error:
            body = provider_views.profile_form(home.profile, given, self._view(token))
            seat = (token, home.party_id)
            return self._page.show("Your profile", body, seat, (error.message, "bad"), 422)
        return RedirectResponse(f"{PATH}?done=profile", 303)

    async def _accept(self, request: Request, token: str) -> Response:
        given = await self._given(request, token)
        named = f"amount-{given.get('provider_id', '')}"
        more: dict[str, Any] = {
            name: _id(given[name])
            for name in ("need_id", "provider_id", "deal_id", "key")
            if name in given
        }
        more["amount"] = forms.amount(given, named, self._page.currency)
        await self._page.ask(request, token, action="accept", **more)
        back = f"/need/{more['need_id']}" if "need_id" in more else ""
        return RedirectResponse(f"{PATH}{back}?done=accept", 303)

    async def _withdraw(self, request: Request, token: str) -> Response:
        return await self._move(request, token, "withdraw")

    async def _answer(self, request: Request, token: str) -> Response:
        return await self._move(request, token, "answer")

    async def _move(self, request: Request, token: str, action: str) -> Response:
        given = await self._given(request, token)
        more = {"deal_id": _id(given.get("deal_id", "")), "key": _id(given.get("key", ""))}
        if action == "answer":
            more["to"] = _answer_of(given.get("to", ""))
        await self._page.ask(request, token, action=action, **more)
        return RedirectResponse(f"{PATH}?done={action}", 303)

    async def _leave(self, request: Request, token: str) -> Response:
        check_mark(token, await fields(request))
        return self._page.seats.leave(RedirectResponse(PATH, 303))

    async def _given(self, request: Request, token: str) -> dict[str, str]:
        given = await fields(request)
        check_mark(token, given)
        if self._page.read_only:
            raise Refused("nothing can be changed here at the moment", field="read_only")
        return given

    def _view(self, token: str) -> View:
        return View(mark(token), self._page.currency)


def _own(reply: PartyReply, need_id: str) -> Need:
    """Return the need of one's own with this id; `NotFound` for any other."""
    for need in reply.needs:
        if need.need_id == need_id:
            return need
    raise NotFound(f"need_id: you have no need {need_id[:64]}", field="need_id")


def _id(text: str) -> str:
    """Return an id as the bus takes it, or raise `NotFound`: there is nothing of such a name."""
    try:
        return subject_token(text, "id")
    except InvalidInput:
        raise NotFound("there is nothing of that name", field="id") from None


def _answer_of(word: str) -> str:
    if word not in ("accepted", "declined", "active", "delivered"):
        raise InvalidInput(f"to: {word[:40]!r} is no answer", field="to")
    return word
