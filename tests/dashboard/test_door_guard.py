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
