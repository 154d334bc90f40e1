import pytest

from services.match import party_desk
from services.match.party_desk import PartyDesk
from shared.access import digest
from shared.errors import Conflict, InvalidInput, NotFound, Refused
from shared.events import PartyAsk, TokenAsk
from tests.match.conftest import need, provider, usd


class Counter:
    """The desk of one host, with tokens at hand."""

    def __init__(self, here) -> None:
        self.here = here
        self.desk = PartyDesk(here.handlers._room, here.handlers)

    async def token(self, party, side=None):
        reply = await self.desk.token(TokenAsk(action="issue", party_id=party, side=side))
        return reply.token

    async def ask(self, token, action="home", **more):
        return await self.desk.party(PartyAsk(token=token, action=action, **more))


@pytest.fixture
async def market(host):
    """Open a market inside the test: two clients, two providers, a counter."""

    async def stock(here):
        await here.add(provider("ana"), provider("bob", skills=[{"name": "php"}]))
        await here.add(need("n1", party_id="acme"), need("n2", party_id="zeta"))
        return Counter(here)

    return stock


async def refusal(counter, token, action, **more):
    with pytest.raises(NotFound) as caught:
        await counter.ask(token, action, **more)
    return caught.value.message


async def test_an_offer_is_made_by_the_client_and_taken_by_the_provider(host, market):
    async with host() as here:
        counter = await market(here)
        acme, ana = await counter.token("acme"), await counter.token("ana")
        found = (await counter.ask(acme, "find", need_id="n1")).found
        assert [one.provider_id for one in found.scores] == ["ana", "bob"]
        assert found.scores[1].blockers
        given = {"need_id": "n1", "provider_id": "ana", "key": "k1"}
        first = await counter.ask(acme, "accept", **given)
        again = await counter.ask(acme, "accept", **given)
        assert first.deals == again.deals
        taken = await counter.ask(ana, "answer", deal_id=first.deal_id, to="accepted")
        assert taken.deals[0].state == "accepted"
        assert (await counter.ask(acme)).deals[0].state == "accepted"


async def test_nobody_sees_or_touches_what_is_anothers(host, market):
    async with host() as here:
        counter = await market(here)
        acme, zeta = await counter.token("acme"), await counter.token("zeta")
        ana, bob = await counter.token("ana"), await counter.token("bob")
        made = await counter.ask(zeta, "accept", need_id="n2", provider_id="ana", key="theirs")
        theirs = made.deal_id
        assert [one.need_id for one in (await counter.ask(acme)).needs] == ["n1"]
        assert (await counter.ask(acme)).deals == ()
        assert (await counter.ask(bob)).deals == (await counter.ask(bob)).needs == ()
        offered = (await counter.ask(ana)).needs[0]
        assert (offered.need_id, offered.budget, offered.constraints) == ("n2", None, ())
        for token, action, more in (
            (acme, "find", {"need_id": "n2"}),
            (acme, "accept", {"need_id": "n2", "provider_id": "ana"}),
            (acme, "need", {"need_id": "n2", "need": need("n2")}),
            (acme, "accept", {"deal_id": theirs}),
            (acme, "withdraw", {"deal_id": theirs}),
            (bob, "answer", {"deal_id": theirs, "to": "accepted"}),
        ):
            missing = {name: "nothing" for name in more if name in ("need_id", "deal_id")}
            foreign = await refusal(counter, token, action, **more)
            unknown = await refusal(counter, token, action, **{**more, **missing})
            assert foreign.replace(*more_id(more)) == unknown


def more_id(more):
    return next((more[name], "nothing") for name in ("need_id", "deal_id") if name in more)


async def test_the_party_is_the_tokens_whatever_the_body_says(host, market):
    async with host() as here:
        counter = await market(here)
        acme, ana = await counter.token("acme"), await counter.token("ana")
        stated = await counter.ask(acme, "need", need=need("n2", party_id="zeta"))
        assert {one.party_id for one in stated.needs} == {"acme"}
        assert "n2" not in {one.need_id for one in stated.needs}
        kept = await counter.ask(ana, "profile", profile=provider("bob", bio="mine"))
        assert (kept.profile.party_id, kept.profile.bio) == ("ana", "mine")


async def test_a_new_need_never_takes_anothers_place(host, market):
    async with host() as here:
        counter = await market(here)
        acme = await counter.token("acme")
        zeta = await counter.token("zeta")
        mine = await counter.ask(acme, "need", need=need("n9"), key="n2")
        same = await counter.ask(zeta, "need", need=need("n9"), key="n2")
        assert len({"n2", mine.need_id, same.need_id}) == 3
        assert len(mine.needs) == len(same.needs) == 2


async def test_who_is_ruled_out_and_who_is_unknown_are_told_apart_by_nobody(host, market):
    async with host() as here:
        counter = await market(here)
        acme = await counter.token("acme")
        lines = [
            await refusal(counter, acme, "accept", need_id="n1", provider_id=name)
            for name in ("bob", "nobody")
        ]
        assert lines[0].replace("bob", "nobody") == lines[1]


async def test_forged_and_revoked_tokens_open_nothing(host, market):
    async with host() as here:
        counter = await market(here)
        acme = await counter.token("acme")
        stored = await here.book.read(lambda db: db.execute("SELECT * FROM token").fetchall())
        assert acme not in repr(stored)
        assert digest(acme) in repr(stored)
        await counter.ask(acme)
        await counter.desk.token(TokenAsk(action="revoke", party_id="acme"))
        for token in ("", "x" * 43, acme[:-1], acme.swapcase(), digest(acme), acme):
            with pytest.raises(Refused, match="token"):
                await counter.ask(token)


async def test_each_side_has_its_own_acts(host, market):
    async with host() as here:
        counter = await market(here)
        acme, ana = await counter.token("acme"), await counter.token("ana")
        for token, action in ((acme, "profile"), (acme, "answer"), (ana, "need"), (ana, "find")):
            with pytest.raises(Refused, match="action"):
                await counter.ask(token, action, need_id="n1")


async def test_a_side_that_cannot_be_told_must_be_named(host, market):
    async with host() as here:
        counter = await market(here)
        with pytest.raises(InvalidInput, match="side: nobody is not on record"):
            await counter.token("nobody")
        assert await counter.token("nobody", "provider")


async def test_tokens_and_offers_survive_a_rebuild(host, market, bus):
    async with host() as here:
        counter = await market(here)
        acme = await counter.token("acme")
        await counter.ask(acme, "accept", need_id="n1", provider_id="ana", amount=usd(99), key="k")
    async with host("elsewhere") as there:
        home = await Counter(there).ask(acme)
        assert [(one.state, one.amount, one.score) for one in home.deals] == [
            ("offered", usd(99), None)
        ]


async def test_a_client_cannot_fill_the_record_without_end(host, market, monkeypatch):
    monkeypatch.setattr(party_desk, "SHOWN", 2)
    async with host() as here:
        counter = await market(here)
        acme = await counter.token("acme")
        stated = await counter.ask(acme, "need", need=need("x"), key="k1")
        with pytest.raises(Conflict, match="2 needs already"):
            await counter.ask(acme, "need", need=need("x"), key="k2")
        await counter.ask(acme, "need", need=need("x", text="more"), need_id=stated.need_id)
