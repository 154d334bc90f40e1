from services.dashboard.door.build import build
from services.dashboard.door.guard import Guard
from tests.dashboard.conftest import door


async def test_a_foreign_host_is_refused(parts):
    hosts = ("evil.example", "evil.example:8400", "127.0.0.1.evil.example", "[", "")
    async with door(parts) as client:
        answers = [await client.get("/health", headers={"Host": host}) for host in hosts]
    assert {answer.status_code for answer in answers} == {403}
    assert {answer.json()["error"]["field"] for answer in answers} == {"Host"}


async def test_pages_of_other_sites_change_nothing(parts):
    marks = [{"Origin": one} for one in ("http://evil.example", "null", "http://127.0.0.1:1")]
    marks.append({"Sec-Fetch-Site": "cross-site"})
    async with door(parts) as client:
        answers = [
            await client.post("/tasks/execute", json={"title": "a"}, headers=mark) for mark in marks
        ]
    assert {answer.status_code for answer in answers} == {403}
    assert {answer.json()["error"]["field"] for answer in answers} == {"Origin"}


async def test_pages_of_other_sites_are_fed_nothing(parts):
    path = "/dashboard/_nicegui_ws/socket.io/?EIO=4&transport=polling&client_id=x"
    async with door(parts) as client:
        answer = await client.get(path, headers={"Origin": "http://evil.example"})
    assert (answer.status_code, answer.json()["error"]["field"]) == (403, "Origin")


async def test_our_own_forms_name_their_origin_and_other_sites_learn_nothing(parts):
    async with door(parts) as client:
        policy = (await client.get("/health")).headers["referrer-policy"]
    assert policy == "same-origin"  # with `no-referrer` a browser sends `Origin: null`: no login


async def test_what_a_foreign_form_can_send_is_refused_without_an_origin_too(parts):
    kinds = ("application/x-www-form-urlencoded", "text/plain;charset=UTF-8", "multipart/form-data")
    async with door(parts) as client:
        answers = [
            await client.post(path, content=b'{"title": "a"}', headers={"Content-Type": kind})
            for kind in kinds
            for path in ("/tasks/execute", "/tasks/t1/cancel")
        ]
    assert {answer.status_code for answer in answers} == {415}
    assert {answer.json()["error"]["field"] for answer in answers} == {"Content-Type"}


async def test_json_with_a_charset_is_json(parts):
    async with door(parts) as client:
        headers = {"Content-Type": "Application/JSON; charset=utf-8"}
        answer = await client.post("/tasks/execute", content=b'{"title": "a"}', headers=headers)
    assert answer.status_code == 200


async def test_a_caller_that_hangs_up_in_its_body_ends_quietly(parts):
    messages = [{"type": "http.request", "body": b"[{", "more_body": True}]
    scope = {
        "type": "http", "method": "POST", "path": "/tasks/execute", "raw_path": b"/tasks/execute",
        "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")],
    }  # fmt: skip

    async def receive():
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message):
        pass

    await Guard(build(parts))(scope, receive, send)
    assert messages == []


async def test_the_name_of_a_room_leads_to_its_page(parts):
    async with door(parts) as client:
        answers = [await client.get(f"/{room}") for room in ("agents", "router", "ops")]
        data = await client.get("/tasks")
    assert [answer.headers["location"] for answer in answers] == [
        "/dashboard/agents", "/dashboard/router", "/dashboard/ops",
    ]  # fmt: skip
    assert data.headers["content-type"] == "application/json"


async def test_our_own_page_may(parts):
    async with door(parts) as client:
        origin = str(client.base_url).rstrip("/")
        answer = await client.post(
            "/tasks/execute", json={"title": "a"}, headers={"Origin": origin}
        )
    assert answer.status_code == 200


async def test_unknown_paths_and_methods_keep_the_one_form(parts):
    async with door(parts) as client:
        missing, wrong = await client.get("/nope"), await client.delete("/tasks")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "invalid_input")


async def test_the_browser_is_told_to_load_nothing_from_outside(parts):
    async with door(parts) as client:
        policy = (await client.get("/health")).headers["content-security-policy"]
    assert policy.startswith("default-src 'self'")
    assert "http" not in policy


async def test_the_interface_is_described_without_a_foreign_page(parts):
    async with door(parts) as client:
        answer = await client.get("/docs", follow_redirects=True)
    assert answer.json()["openapi"].startswith("3.")
    assert "/tasks/execute" in answer.json()["paths"]
