"""The page of clients and providers over a real match, as a browser without scripts sends it."""

import re
from contextlib import asynccontextmanager

from services.dashboard.client.seat import mark
from services.match.party_desk import PartyDesk
from shared import rpc
from shared.events import PartyAsk, TokenAsk
from tests.dashboard.conftest import door
from tests.match.conftest import hosting, need, provider

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@asynccontextmanager
async def market(bus, settings, parts):
    """A match with two clients and two providers, behind the door."""
    async with hosting(bus, settings) as here:
        desk = PartyDesk(here.handlers._room, here.handlers)
        await here.add(provider("ana"), provider("bob", skills=[{"name": "php"}]))
        await here.add(need("n1", party_id="acme"), need("n2", party_id="zeta"))

        async def token(party):
            reply = await desk.token(TokenAsk(action="issue", party_id=party))
            return reply.token

        async with serving(bus, desk), door(parts) as client:
            yield client, token


@asynccontextmanager
async def serving(bus, desk):
    import anyio

    async with anyio.create_task_group() as tasks:
        endpoints = await rpc.register(bus, "match", "1.0.0", {}, tasks)
        await endpoints.answer("match.party", PartyAsk, desk.party)
        await bus.nc.flush()
        yield
        await endpoints.stop()
        tasks.cancel_scope.cancel()


async def enter(client, token):
    client.cookies.clear()
    return await client.post("/match/enter", data={"token": token})


async def send(client, token, path, **given):
    return await client.post(f"/match/{path}", data={"form": mark(token), **given})


def key_in(html):
    return re.search(r'name="key" value="([^"]+)"', html)[1]


async def test_a_need_is_stated_matched_offered_and_answered(bus, settings, parts):
    async with market(bus, settings, parts) as (client, token):
        acme, ana = await token("acme"), await token("ana")
        entered = await enter(client, acme)
        cookie = entered.headers["set-cookie"].lower()
        assert all(word in cookie for word in ("httponly", "samesite=lax", "path=/match"))
        given = {"title": "An <b>API</b>", "required": "python", "budget": "60", "key": "k1"}
        stated = await send(client, acme, "need", **given)
        page = (await client.get(stated.headers["location"])).text
        assert "An &lt;b&gt;API&lt;/b&gt;" in page
        assert "Ruled out" in page and "skill python is needed" in page
        assert "if the rate is at most 60.00 USD" in page
        offer = {"provider_id": "ana", "amount-ana": "1600 EUR", "key": key_in(page)}
        need_id = stated.headers["location"].split("?")[0].split("/")[-1]
        for _ in range(2):
            told = await send(client, acme, "accept", need_id=need_id, **offer)
            assert told.status_code == 303
        assert (await client.get("/match")).text.count("waits for the provider") == 1
        await enter(client, ana)
        page = (await client.get("/match")).text
        assert "1,600.00 EUR from acme, of which 20 % is commission" in page
        deal_id = re.search(r'name="deal_id" value="([^"]+)"', page)[1]
        await send(client, ana, "answer", deal_id=deal_id, to="accepted", key="k2")
        assert "you said yes" in (await client.get("/match")).text


async def test_a_provider_keeps_its_profile(bus, settings, parts):
    async with market(bus, settings, parts) as (client, token):
        ana = await token("ana")
        await enter(client, ana)
        given = {"name": "Ana", "skills": "python: 0.9\nGo", "rate": "80.50 EUR", "capacity": "2"}
        kept = await send(client, ana, "profile", **given)
        assert (kept.status_code, kept.headers["location"]) == (303, "/match?done=profile")
        page = (await client.get("/match/profile")).text
        assert "python: 0.9\nGo" in page and 'value="80.50 EUR"' in page
        wrong = await send(client, ana, "profile", **{**given, "rate": "-5"})
        assert wrong.status_code == 422
        assert "rate: -5 is not more than nothing" in wrong.text and 'value="-5"' in wrong.text


async def test_others_things_and_missing_things_look_alike(bus, settings, parts):
    async with market(bus, settings, parts) as (client, token):
        acme = await token("acme")
        await enter(client, acme)
        pages = [
            (await client.get(path.format(one)), await client.get(path.format("nothing")))
            for path in ("/match/need/{}", "/match/need/{}/edit")
            for one in ("n2",)
        ]
        assert {page.status_code for pair in pages for page in pair} == {404}
        assert all(one.text.replace("n2", "nothing") == other.text for one, other in pages)
        for given in ({"need_id": "n2", "provider_id": "ana", "amount-ana": "5", "key": "k"},):
            assert (await send(client, acme, "accept", **given)).status_code == 404
        assert "zeta" not in (await client.get("/match")).text


async def test_a_forged_token_opens_nothing(bus, settings, parts):
    async with market(bus, settings, parts) as (client, _):
        for token in ("", "x", "x" * 43, "' OR 1=1 --", "é" * 43):
            answer = await enter(client, token)
            assert answer.status_code == 403
            assert "Come in" in answer.text and "not known here" in answer.text
        held = {"cookie": f"sovereign_match_{settings.dashboard.port}={'x' * 43}"}
        assert (await client.get("/match", headers=held)).status_code == 403


async def test_a_form_without_the_holders_mark_changes_nothing(bus, settings, parts):
    async with market(bus, settings, parts) as (client, token):
        acme, zeta = await token("acme"), await token("zeta")
        await enter(client, acme)
        for given in ({}, {"form": ""}, {"form": mark(zeta)}, {"form": "é"}):
            answer = await client.post("/match/need", data={"title": "x", "key": "k", **given})
            assert (answer.status_code, "not from this page" in answer.text) == (403, True)
        foreign = {"Origin": "http://evil.example"}
        refused = await client.post("/match/enter", data={"token": acme}, headers=foreign)
        assert refused.status_code == 403
        assert (await client.get("/match")).text.count("<h2>") == 1


async def test_guessing_is_slowed_down_but_not_for_who_is_in(bus, settings, parts):
    async with market(bus, settings, parts) as (client, token):
        acme = await token("acme")
        await enter(client, acme)
        seat = dict(client.cookies)
        codes = [(await enter(client, f"{'x' * 41}{n}")).status_code for n in range(10, 40)]
        assert set(codes) == {403, 429}
        client.cookies.update(seat)
        assert (await client.get("/match")).status_code == 200


async def test_the_page_runs_no_script_and_fetches_nothing_from_outside(bus, settings, parts):
    async with market(bus, settings, parts) as (client, token):
        await enter(client, await token("acme"))
        for path in ("/match", "/match/need", "/match/need/n1", "/match/match.css"):
            answer = await client.get(path)
            assert answer.status_code == 200
            shown = answer.text.replace('xmlns="http://www.w3.org/2000/svg"', "")
            assert not re.search(r"<script|style=|https?://|//[a-z]", shown), path
        assert (
            "default-src 'none'" in (await client.get("/match")).headers["content-security-policy"]
        )


async def test_without_match_the_page_says_so(parts):
    async with door(parts) as client:
        answer = await enter(client, "x" * 43)
        assert (answer.status_code, "nobody answers" in answer.text) == (503, True)
