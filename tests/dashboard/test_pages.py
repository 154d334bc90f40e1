import orjson
from nicegui import ui
from nicegui.testing import user_simulation

from services.dashboard.pages import agents, match, ops, overview, router, sessions, task, tasks
from shared import events as e
from shared.bus import encode
from shared.reading import last_of
from tests.dashboard.conftest import answering, beat
from tests.dashboard.test_crew import view

OFFLINE = e.EngineStatus(engine="offline", setting="auto", state="offline", is_llm=False)
HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m"


def offline(parts) -> None:
    parts.store.apply(
        beat("router", interval_s=60.0, info={"engine": OFFLINE.model_dump(mode="json")})
    )
    parts.store.sample(bus_up=True)


async def test_an_empty_overview_teaches(parts):
    async with user_simulation(root=lambda: overview.build(parts)) as user:
        await user.open("/")
        await user.should_see("missing: bus, router, agents")
        await user.should_see("sovereign task submit")
        await user.should_see("engine unknown")


async def test_the_first_html_carries_the_numbers(parts):
    offline(parts)
    async with user_simulation(root=lambda: overview.build(parts)) as user:
        html = (await user.http_client.get("/")).text
    assert "offline rules, no language model" in html
    assert "sovereign run match" in html


async def test_offline_saves_nothing_and_says_so(parts):
    offline(parts)
    parts.store.answer("model.savings", e.Savings(reference_model="gpt-4o", offline_calls=9))
    async with user_simulation(root=lambda: overview.build(parts)) as user:
        await user.open("/")
        await user.should_see("nothing to save yet: offline")


async def test_the_page_follows_the_store(parts):
    async with user_simulation(root=lambda: overview.build(parts)) as user:
        await user.open("/")
        parts.store.fold(view("t1", title="Count the harbour cranes"))
        await user.should_see("Count the harbour cranes", retries=10)


async def test_a_lost_bus_is_said_in_words(parts):
    offline(parts)
    parts.store.sample(bus_up=False)
    async with user_simulation(root=lambda: overview.build(parts)) as user:
        await user.open("/")
        await user.should_see("bus lost")
        await user.should_see("The bus does not answer")


async def test_hostile_titles_are_text(parts):
    parts.store.fold(view("t1", title=HOSTILE))
    async with user_simulation(root=lambda: overview.build(parts)) as user:
        html = (await user.http_client.get("/")).text
    assert "<img src=x" not in html
    assert "\\u001b" not in html


async def test_a_task_is_handed_in_from_the_form(parts):
    heard = await parts.bus.nc.subscribe("task.request.normal")
    async with user_simulation(root=lambda: tasks.build(parts, None)) as user:
        await user.open("/")
        user.find("What should be done?").type("Compare the offers")
        user.find("Hand in").click()
        request = await heard.next_msg(timeout=10)
    assert orjson.loads(request.data)["title"] == "Compare the offers"


async def test_files_travel_with_the_task(parts):
    heard = await parts.bus.nc.subscribe("task.request.normal")
    async with user_simulation(root=lambda: tasks.build(parts, None)) as user:
        await user.open("/")
        upload = user.find(ui.upload).elements.pop()
        text = ui.upload.SmallFileUpload("a.md", "text/markdown", "Grüße".encode())
        other = ui.upload.SmallFileUpload("b.bin", "application/octet-stream", b"\xff\x00")
        await upload.handle_uploads([text, other])
        await user.should_see("b.bin: attached")
        user.find("What should be done?").type("Read these")
        user.find("Hand in").click()
        request = e.TaskRequest.model_validate_json((await heard.next_msg(timeout=10)).data)
    assert [one.content() for one in request.attachments] == ["Grüße".encode(), b"\xff\x00"]


async def test_an_empty_title_is_refused_in_words(parts):
    async with user_simulation(root=lambda: tasks.build(parts, None)) as user:
        await user.open("/")
        user.find("Hand in").click()
        await user.should_see("title: must not be empty")


async def test_tasks_are_filtered_by_the_address(parts):
    parts.store.fold(view("t1", "done", title="Finished one"))
    parts.store.fold(view("t2", "running", title="Busy one"))
    async with user_simulation(root=lambda: tasks.build(parts, "running")) as user:
        await user.open("/")
        await user.should_see("Busy one")
        await user.should_not_see("Finished one")


async def test_a_task_shows_plan_answer_and_what_made_it(parts):
    step = {"id": "s1", "agent": "builder", "title": "Weigh them", "state": "done"}
    bucket = await parts.bus.js.key_value("tasks")
    await bucket.put("t1", encode(view("t1", "done", title="Compare", steps=[step])))
    result = e.TaskResult(
        task_id="t1", title="Compare", state="done", answer="**Take** A", engine="offline"
    )
    await parts.bus.publish("agent.result.crew.t1", result, "r1")
    async with user_simulation(root=lambda: task.build(parts, "t1")) as user:
        await user.open("/")
        await user.should_see("Weigh them")
        await user.should_see("Take A")
        await user.should_see("offline: rules, no language model")


async def test_an_unknown_task_says_so(parts):
    async with user_simulation(root=lambda: task.build(parts, "nope")) as user:
        await user.open("/")
        await user.should_see("Nobody on this bus knows a task nope")


async def test_cancel_sends_the_word(parts):
    parts.store.fold(view("t1", "running"))
    async with user_simulation(root=lambda: task.build(parts, "t1")) as user:
        await user.open("/")
        user.find("Cancel").click()
        await user.should_see("cancel: sent")
    stored = await last_of(parts.bus, "TASKS_CONTROL", "task.control.t1")
    assert orjson.loads(stored.data)["action"] == "cancel"


async def test_a_waiting_step_asks_for_approval_and_names_its_step(parts):
    parts.store.fold(view("t1", "waiting"))
    parts.store.crew.take_wait("t1", "s2", e.Reason(code="approval", message="asks you first"))
    async with user_simulation(root=lambda: task.build(parts, "t1")) as user:
        await user.open("/")
        await user.should_see("s2 waits: asks you first")
        user.find("Approve").click()
        await user.should_see("approve: sent")
    stored = await last_of(parts.bus, "TASKS_CONTROL", "task.control.t1")
    assert orjson.loads(stored.data)["step"] == "s2"


async def test_a_read_only_page_has_no_form_and_no_buttons(parts):
    parts.desk.read_only = True
    parts.store.fold(view("t1", "running"))
    async with user_simulation(root=lambda: tasks.build(parts, None)) as user:
        await user.open("/")
        await user.should_not_see("Hand in", kind=ui.button)


async def test_rooms_without_news_teach(parts):
    for build, words in (
        (agents.build, "Nobody is busy"),
        (router.build, "No calls yet"),
        (ops.build, "Nothing yet"),
    ):
        async with user_simulation(root=lambda build=build: build(parts)) as user:
            await user.open("/")
            await user.should_see(words)


async def test_agents_show_their_slots(parts):
    info = {"agents": {"builder": {"busy": 1, "slots": 2}}}
    parts.store.apply(beat("agents", interval_s=60.0, info=info))
    async with user_simulation(root=lambda: agents.build(parts)) as user:
        await user.open("/")
        await user.should_see("1 of 2 slots busy")


async def test_ops_tells_its_stories(parts):
    parts.store.apply(
        e.OpsEvent(event_id="e", kind="recovered", symptom="hang", remedy="restart", cause="late")
    )
    async with user_simulation(root=lambda: ops.build(parts)) as user:
        await user.open("/")
        await user.should_see("hang → restart: late")


async def test_ops_says_why_the_house_is_ill(parts):
    why = e.OpsStatus(healthy=False, reasons=("the bus cannot write: the disk is full",))
    parts.store.answer("ops.status", why)
    async with user_simulation(root=lambda: ops.build(parts)) as user:
        await user.open("/")
        await user.should_see("the bus cannot write: the disk is full")


async def test_sessions_show_the_handoff(parts):
    handoff = e.Handoff(
        session_id="s1", namespace="main", seq=1, checksum="c", markdown="# Pending", document={}
    )
    listed = e.SessionList(sessions=(e.SessionInfo(session_id="s1", namespace="main", title="T"),))
    fact = e.StoredEvent(
        seq=1, event_id="e1", namespace="main", session_id="s1", kind="decision", title="Take A"
    )
    loaded = e.SessionLoaded(session_id="s1", namespace="main", events=(fact,))
    answers = {
        "session.handoff": (e.SessionAsk, handoff),
        "session.load": (e.SessionAsk, loaded),
        "session.list": (e.SessionListAsk, listed),
    }
    shown = user_simulation(root=lambda: sessions.build(parts, sessions.Address("s1", None, 1)))
    async with answering(parts.bus, answers), shown as user:
        await user.open("/")
        await user.should_see("Handoff of s1")
        await user.should_see("Pending")
        await user.should_see("Take A")
        await user.should_see("Both handoffs say the same")


async def test_match_says_when_nobody_answers(parts):
    async with user_simulation(root=lambda: match.build(parts)) as user:
        await user.open("/")
        await user.should_see("nobody answers on match.revenue")
