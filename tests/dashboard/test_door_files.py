"""Large attachments come in as streams, artifacts go out; names lead nowhere else."""

from services.dashboard.door import guard
from tests.dashboard.conftest import door

TRICKS = (
    ("/tasks/t1/artifacts/nothing.md", 404),
    ("/tasks/t1/artifacts/..", 404),
    ("/tasks/t1/artifacts/..%2f..%2fetc%2fpasswd", 404),
    ("/tasks/t1/artifacts/%2e%2e%5cx", 422),
    ("/tasks/t1/artifacts/.hidden", 422),
    ("/tasks/t1/artifacts/a..b", 422),
    ("/tasks/t1/artifacts/a%0d%0aX-Y:%20z", 422),
    ("/tasks/t1.t2/artifacts/secret.md", 422),
)
OCTETS = {"Content-Type": "application/octet-stream"}


async def put(parts, name, data):
    await (await parts.bus.js.object_store("artifacts")).put(name, data)


async def test_a_large_file_is_kept_for_a_task(parts):
    data = b"line\n" * 600_000
    async with door(parts) as client:
        answer = await client.post("/attachments?name=big.txt", content=data, headers=OCTETS)
        kept = answer.json()
        task = {"title": "a", "attachments": [{k: kept[k] for k in ("name", "object")}]}
        taken = await client.post("/tasks/execute", json=task)
    store = await parts.bus.js.object_store("attachments")
    assert (answer.status_code, kept["size"], kept["media_type"]) == (201, len(data), "text/plain")
    assert (await store.get(kept["object"])).data == data
    assert taken.status_code == 200


async def test_a_bad_name_of_an_attachment_is_refused(parts):
    async with door(parts) as client:
        for name in ("../x", "a/b", "a\\b", "a\x00b", ""):
            answer = await client.post(
                "/attachments", params={"name": name}, content=b"x", headers=OCTETS
            )
            assert (answer.status_code, answer.json()["error"]["field"]) == (422, "name")


async def test_an_empty_file_a_form_and_too_much_are_refused(parts, monkeypatch):
    monkeypatch.setattr(guard, "UPLOAD_LIMIT", 1000)
    async with door(parts) as client:
        empty = await client.post("/attachments?name=a", content=b"", headers=OCTETS)
        form = await client.post("/attachments?name=a", files={"file": b"x"})
        large = await client.post("/attachments?name=a", content=b"x" * 1001, headers=OCTETS)
    assert (empty.status_code, form.status_code, large.status_code) == (422, 415, 413)


async def test_an_artifact_is_handed_over_as_a_file(parts):
    await put(parts, "t1.report.md", b"# Hello")
    await put(parts, "t1.page.html", b"<script>alert(1)</script>")
    async with door(parts) as client:
        text = await client.get("/tasks/t1/artifacts/report.md")
        page = await client.get("/tasks/t1/artifacts/page.html")
    assert (text.text, text.headers["content-type"]) == ("# Hello", "text/markdown; charset=utf-8")
    assert text.headers["content-disposition"] == 'attachment; filename="report.md"'
    assert page.headers["content-type"] == "application/octet-stream"


async def test_tricks_with_paths_lead_nowhere(parts):
    await put(parts, "t2.secret.md", b"secret")
    async with door(parts) as client:
        for path, status in TRICKS:
            answer = await client.get(path)
            assert (path, answer.status_code, b"secret" in answer.content[:6]) == (
                path, status, False,
            )  # fmt: skip
