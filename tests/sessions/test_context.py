import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sessions.context import tokens_of
from shared.errors import NotFound
from shared.events import SessionBranch, SessionClose, SessionContextAsk, SessionParent


async def filled(one):
    await one.add("s", "pending.add", "renew the certificate", data={"priority": "high"})
    await one.add("s", "pending.add", "water the plants", data={"priority": "low"})
    await one.add("s", "decision", "use one host", data={"why": "cost"})
    await one.add("t", "note", "certificates come from the old provider")


def ask(**more) -> SessionContextAsk:
    return SessionContextAsk(namespace="main", **more)


async def test_open_items_decisions_and_recall_come_in_this_order(room):
    async with room() as one:
        await filled(one)
        made = await one.handlers.context(ask(session_id="s", query="which certificate"))
        rows = [row.split(" `")[0] for row in made.text.splitlines()]
        assert rows == [
            "## Open items", "- [high] renew the certificate", "- [low] water the plants",
            "## Decisions", "- use one host (cost)", "## From earlier work",
            "- note, somebody: certificates come from the old provider",
        ]  # fmt: skip


@pytest.mark.parametrize("tokens", [50, 60, 80, 1000])
async def test_the_budget_is_kept(room, tokens):
    async with room() as one:
        await filled(one)
        made = await one.handlers.context(ask(session_id="s", query="certificate", tokens=tokens))
        assert len(made.text) / 4 <= made.tokens <= tokens
        assert len(made.event_ids) + made.left_out >= 4


async def test_a_session_that_is_not_there_yet_has_recall_alone(room):
    async with room() as one:
        await filled(one)
        made = await one.handlers.context(ask(session_id="new", query="certificate"))
        assert made.text.startswith("## From earlier work")


async def test_another_namespaces_session_gives_nothing(room):
    async with room() as one:
        await one.add("theirs", namespace="theirs")
        with pytest.raises(NotFound):
            await one.handlers.context(ask(session_id="theirs"))


@given(st.text(max_size=50))
def test_the_estimate_counts_the_end_of_the_line(text):
    assert tokens_of(text) * 4 >= len(text) + 1


async def test_a_session_begins_with_what_the_last_one_handed_over(room):
    async with room() as one:
        await filled(one)
        assert (await one.handlers.context(ask(session_id="next"))).text == ""
        await one.life.close(SessionClose(namespace="main", session_id="s"))
        await one.add("later", "pending.add", "not yet handed over")
        made = await one.handlers.context(ask(session_id="next"))
        assert made.text.splitlines()[:2] == [
            "## From the last handoff",
            f"- s: [high] renew the certificate `{made.event_ids[0]}`",
        ]


async def test_a_session_that_was_there_before_begins_with_nothing(room):
    async with room() as one:
        await one.add("old", "pending.add", "mine")
        await filled(one)
        await one.life.close(SessionClose(namespace="main", session_id="s"))
        assert "last handoff" not in (await one.handlers.context(ask(session_id="old"))).text


async def test_a_fork_shows_what_it_inherited_as_its_own(room):
    async with room() as one:
        await filled(one)
        parent = SessionParent(session_id="s")
        await one.life.fork(SessionBranch(namespace="main", session_id="f", parents=(parent,)))
        made = await one.handlers.context(ask(session_id="f"))
        assert made.text.startswith("## Open items\n- [high] renew the certificate")


async def test_recall_tells_values_and_reasons(room):
    async with room() as one:
        await one.add("t", "state.set", "service.mail", data={"key": "mail", "value": {"port": 25}})
        await one.add("t", "decision", "one host for mail", data={"why": "cost"})
        text = (await one.handlers.context(ask(query="mail"))).text
        assert 'service.mail: value: {"port": 25}' in text
        assert "one host for mail: why: cost" in text


async def test_the_same_question_again_is_not_answered_from_its_answer(room):
    async with room() as one:
        await one.add("t", "note", "the mail host is called Ada")
        await one.add("t", "task.done", "Which host has the mail?", body="quotes of quotes")
        again = await one.handlers.context(ask(query="Which host has the mail?"))
        other = await one.handlers.context(ask(query="which host has the mail"))
        assert ("quotes" in again.text, "quotes" in other.text) == (False, True)
