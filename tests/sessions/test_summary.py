from services.sessions.summary import checked, section, summarise
from shared.bus import encode
from shared.events import ChatReply, SessionAsk

IDS = {"e1", "e2"}


def reply(content, **more) -> ChatReply:
    given = {"engine": "ollama", "model": "llama", "is_llm": True} | more
    return ChatReply(request_id="r", content=content, **given)


def test_sentences_without_a_citation_are_dropped():
    made = checked(reply("The DNS is open [e1]. All is well. Ask Bob [e2]."), IDS)
    assert (made.text, made.kept, made.dropped) == ("The DNS is open [e1]. Ask Bob [e2].", 2, 1)


def test_a_sentence_that_cites_what_is_not_there_is_dropped():
    made = checked(reply("One thing [e1, e9].\n- Another [`e2`]"), IDS)
    assert made.text == "Another [`e2`]"


def test_a_citation_after_the_full_stop_belongs_to_its_sentence():
    assert checked(reply("It is open. [e1] It is late. [e7]"), IDS).text == "It is open. [e1]"


def test_the_section_says_who_wrote_it_and_what_is_missing():
    text = section(checked(reply("Nothing cited."), IDS))
    assert "## Summary by llama (ollama), outside the checksum" in text
    assert "1 sentences without" in text


async def test_without_a_model_the_section_says_so_and_the_document_is_the_same(room):
    async with room() as one:
        await one.add(event_id="e1")
        plain = await one.handlers.handoff(SessionAsk(namespace="main", session_id="s"))
        ask = SessionAsk(namespace="main", session_id="s", summary=True)
        made = await one.handlers.handoff(ask)
        assert made.summary.notice.startswith("no summary: nobody answers")
        assert made.markdown.startswith(plain.markdown)
        assert (made.checksum, made.document) == (plain.checksum, plain.document)


async def test_a_models_summary_stands_below_the_document(room):
    async with room() as one:
        await one.add(event_id="e1")
        answer = encode(reply("A note was made [e1]. It was great."))

        async def say(message):
            await message.respond(answer)

        await one.bus.nc.subscribe("model.chat", cb=say)
        document = await one.handlers.handoff(SessionAsk(namespace="main", session_id="s"))
        made = await summarise(one.bus, await one.handlers.heads.of("main", "s"), document)
        assert (made.text, made.dropped) == ("A note was made [e1].", 1)
