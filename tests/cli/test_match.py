import json

import orjson
import pytest

from shared.errors import NotFound
from shared.events import (
    Assignment,
    Deal,
    DealReply,
    MatchFound,
    MatchList,
    MatchScore,
    Money,
    Revenue,
    RevenueLine,
)
from tests.cli.conftest import answer

SCORE = MatchScore(
    need_id="n", provider_id="p", provider_name="Ann", total=0.8, client_view=0.9,
    provider_view=0.7, confidence=0.6,
)  # fmt: skip
DEAL = Deal(
    deal_id="d", need_id="n", client_id="c", provider_id="p", state="active", rate="0.2",
    amount=Money(minor=100_000, currency="USD"),
)  # fmt: skip


async def test_a_profile_is_built_from_the_words_of_the_command(cli, bus):
    asked = await answer(bus, "match.add", MatchList())
    skills = ("--skill", "python:0.9", "--skill", "c++:fast")
    await cli("match", "add", "profile", "ann", "Ann", *skills, "--rate", "80.50")
    profile = asked[0]["profile"]
    assert [(s["name"], s["level"]) for s in profile["skills"]] == [
        ("python", 0.9),
        ("c++:fast", None),
    ]
    assert profile["rate"] == {"minor": 8050, "currency": "USD"}


async def test_a_need_is_built_from_the_words_of_the_command(cli, bus):
    asked = await answer(bus, "match.add", MatchList())
    await cli("match", "add", "need", "n1", "A shop", "--client", "acme", "--budget", "500 EUR")
    need = asked[0]["need"]
    assert (need["party_id"], need["budget"]["minor"]) == ("acme", 50_000)


async def test_a_file_may_hold_many(cli, bus, tmp_path):
    rows = [{"party_id": "a", "name": "A"}, {"need_id": "n", "party_id": "c", "title": "T"}]
    (tmp_path / "pool.json").write_text(json.dumps(rows))
    asked = await answer(bus, "match.add", MatchList())
    done = await cli("match", "add", "file", str(tmp_path / "pool.json"))
    assert (done.stdout, len(asked)) == ("2 added\n", 2)
    assert asked[1]["need"]["need_id"] == "n"


async def test_one_wrong_entry_means_that_nothing_is_sent(cli, bus, tmp_path):
    (tmp_path / "pool.json").write_text('[{"party_id": "a", "name": "A"}, {"party_id": "b.c"}]')
    asked = await answer(bus, "match.add", MatchList())
    done = await cli("match", "add", "file", str(tmp_path / "pool.json"))
    assert (done.exit_code, asked) == (2, [])
    assert "party_id" in done.stderr


async def test_find_and_assign_show_the_pairs(cli, bus):
    await answer(bus, "match.find", MatchFound(need_id="n", scores=(SCORE,), considered=3))
    await answer(bus, "match.assign", Assignment(mode="stable", pairs=(SCORE,), total=0.8))
    assert "Ann (p)" in (await cli("match", "find", "n")).stdout
    assert "Ann (p)" in (await cli("match", "assign", "--mode", "stable")).stdout


async def test_an_act_carries_a_key_of_its_own_or_the_given_one(cli, bus):
    asked = await answer(bus, "match.deal", DealReply(deal=DEAL, entry_id="e1"))
    done = await cli("match", "deal", "pay", "d", "1000")
    await cli("match", "deal", "pay", "d", "1000", "--key", "mine")
    assert "pay e1" in done.stdout
    assert "sovereign match deal refund d e1" in done.stderr
    assert (len(asked[0]["key"]), asked[1]["key"]) == (26, "mine")
    assert asked[0]["amount"] == {"minor": 100_000, "currency": "USD"}


@pytest.mark.parametrize(
    "act",
    [
        ("pay", "nodeal", "5 EUR"), ("refund", "nodeal", "e", "--yes"),
        ("move", "nodeal", "offered"), ("open", "no", "body"), ("show", "nodeal"),
    ],
)  # fmt: skip
async def test_a_refused_act_fails_in_one_line(cli, bus, act):
    refused = NotFound("deal_id: no deal nodeal", field="deal_id").envelope()
    await answer(bus, "match.deal", orjson.dumps(refused))
    done = await cli("match", "deal", *act)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "sovereign: deal_id: no deal nodeal\n"


async def test_a_payment_has_one_id_whichever_way_it_is_named(cli, bus):
    asked = await answer(bus, "match.deal", DealReply(deal=DEAL, entry_id="p1"))
    await cli("match", "deal", "pay", "d", "5", "--payment", "p1")
    assert asked[0]["key"] == "p1"


@pytest.mark.parametrize("amount", ["-5", "-5 EUR", "0"])
async def test_a_payment_of_less_than_something_is_named_so(cli, bus, amount):
    done = await cli("match", "deal", "pay", "d", amount)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert f"AMOUNT: {amount} is not more than nothing" in done.stderr


def test_a_move_to_no_state_lists_the_states_and_so_does_the_help(run):
    done = run("match", "deal", "move", "d", "nope")
    assert (done.exit_code, "proposed, shortlisted, offered" in done.stderr) == (2, True)
    assert "proposed, shortlisted, offered" in run("match", "deal", "move", "--help").stdout


async def test_the_history_of_a_deal_tells_amounts_ids_and_local_times(cli, bus):
    at = "2026-11-23T15:00:35.804975+00:00"
    paid = {
        "at": at, "kind": "payment", "minor": 160_000, "currency": "EUR", "rate": "0.20",
        "entry_id": "bill-1", "reverses": None,
    }  # fmt: skip
    history = ({"at": at, "kind": "move", "from": "", "to": "proposed", "actor": "ann"}, paid)
    await answer(bus, "match.deal", DealReply(deal=DEAL.model_copy(update={"history": history})))
    done = await cli("match", "deal", "show", "d")
    for told in ("1,600.00 EUR", "20%", "bill-1", "proposed"):
        assert told in done.stdout
    assert "35.8" not in done.stdout


async def test_a_refund_without_a_terminal_needs_yes(cli, bus):
    asked = await answer(bus, "match.deal", DealReply(deal=DEAL))
    done = await cli("match", "deal", "refund", "d", "e1")
    assert (done.exit_code, asked) == (2, [])
    assert "--yes" in done.stderr
    assert (await cli("match", "deal", "refund", "d", "e1", "--yes")).exit_code == 0


async def test_a_deal_is_shown_or_not_found(cli, bus):
    await answer(bus, "match.deal", DealReply(deal=DEAL))
    assert "1,000.00 USD" in (await cli("match", "deal", "show", "d")).stdout


@pytest.mark.parametrize(("rest", "said"), [(0, "balanced"), (7, "NOT balanced")])
async def test_revenue_tells_whether_the_books_balance(cli, bus, rest, said):
    line = RevenueLine(group="2026-01", currency="USD", gross=10_000, earned=2000)
    books = {"USD": {"bank": 100, "earned": -100 + rest}}
    await answer(bus, "match.revenue", Revenue(by="month", lines=(line,), trial_balance=books))
    done = await cli("match", "revenue")
    assert "20.00 USD" in done.stdout
    assert f": {said}" in done.stderr
