"""What people do with the dashboard, done in a real Chromium against a running system."""

import json
import re

import pytest
from playwright.async_api import expect

from tests.e2e.browser import axe, chromium, keep, opened, violations
from tests.e2e.conftest import NOTES, QUESTION

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
]

LONG = {"timeout": 60_000}
POOL = [
    {"party_id": "ada", "name": "Ada Example", "skills": [{"name": "python", "level": 0.9}],
     "languages": ["en"], "rate": {"minor": 9000, "currency": "USD"}, "available": True},
    {"need_id": "n1", "party_id": "acme", "title": "A data pipeline", "required": ["python"],
     "languages": ["en"], "budget": {"minor": 900000, "currency": "USD"}, "hours": 100},
]  # fmt: skip
PAGES = ("", "/tasks", "/agents", "/router", "/ops", "/sessions", "/match", "/bus")


async def test_the_journeys_of_a_person(system, tmp_path):
    async with chromium(system.door) as page:
        await submit_a_task_and_see_it_done(page)
        await approve_a_step(page, system)
        await search_a_session(page)
        await accept_a_match(page, system, tmp_path)
        await kill_a_service_and_see_it_heal(page, system)


async def submit_a_task_and_see_it_done(page):
    await opened(page, "/dashboard")
    await page.keyboard.press("n")
    await page.wait_for_url("**/dashboard/tasks")
    await page.wait_for_function("window.socket && window.socket.connected")
    notes = {"name": "notes.md", "mimeType": "text/markdown", "buffer": NOTES.encode()}
    await page.set_input_files("input[type=file]", notes)
    await expect(page.get_by_text("notes.md: attached")).to_be_visible(**LONG)
    await page.get_by_label("What should be done?").fill(QUESTION)
    await page.get_by_label("Session (optional)").fill("browser")
    await page.get_by_role("button", name="Hand in").click()
    await page.wait_for_url(re.compile(r"/dashboard/tasks/\w+"))
    await expect(page.get_by_text("offline: rules, no language model")).to_be_visible(**LONG)
    await expect(page.get_by_text("Renew the TLS certificate").first).to_be_visible(**LONG)
    await expect(page.get_by_text("task finished")).to_be_visible(**LONG)
    await keep(page, "task")


async def approve_a_step(page, system):
    task = {"task_id": "approved", "title": QUESTION, "agent": "analyzer", "approval": True,
            "attachments": [{"name": "n.md", "text": NOTES}]}  # fmt: skip
    assert (await system.post("/tasks/execute", task))[0] == 200
    await opened(page, "/dashboard/tasks/approved")
    await page.get_by_role("button", name="Approve").click(**LONG)
    await expect(page.locator(".word", has_text="done").first).to_be_visible(**LONG)
    assert (await system.get("/tasks/approved"))[1]["state"] == "done"
    await keep(page, "approved")


async def search_a_session(page):
    await opened(page, "/dashboard/sessions")
    await page.keyboard.press("/")
    await page.keyboard.type("certificate")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/dashboard/sessions?q=certificate")
    await (
        page.locator("a.row-item", has_text="browser").or_(page.locator("a.row-item")).first.click()
    )
    await page.wait_for_url(re.compile(r"sessions\?id="))
    await expect(page.get_by_role("heading", name="Timeline")).to_be_visible(**LONG)
    await keep(page, "session")


async def accept_a_match(page, system, tmp_path):
    file = tmp_path / "pool.json"
    file.write_text(json.dumps(POOL))
    code, _, errors = await system.cli("match", "add", "file", str(file))
    assert code == 0, errors
    await opened(page, "/dashboard/match?need=n1")
    await page.get_by_role("button", name="Propose a deal").click(**LONG)
    for button in ("Offer", "Accept"):
        await page.get_by_role("button", name=button, exact=True).click(**LONG)
    deal = page.locator("tr[id^=deal-]")
    await expect(deal.locator(".word")).to_have_text("accepted", **LONG)
    await keep(page, "match")


async def kill_a_service_and_see_it_heal(page, system):
    await opened(page, "/dashboard/ops")
    row = page.locator("#beat-match-match-1 td")
    await expect(row.nth(8)).to_have_text("0", **LONG)
    system.service("match").kill()
    await expect(row.nth(8)).to_have_text("1", **LONG)
    await expect(row.nth(1)).to_have_text("ready", **LONG)
    await expect(page.locator("tr", has_text="match-1").first).to_be_visible(**LONG)
    await keep(page, "ops")


async def test_every_page_can_be_used_by_everybody(system, tmp_path):
    source = await axe(tmp_path)
    found = {}
    async with chromium(system.door) as page:
        for path in PAGES:
            await opened(page, f"/dashboard{path}")
            for theme in ("dark", "light"):
                await page.evaluate(
                    "theme => { document.documentElement.dataset.theme = theme }", theme
                )
                found[path, theme] = await violations(page, source)
            await keep(page, f"page{path.replace('/', '-')}")
    lines = [f"{path} {theme} {line}" for (path, theme), all in found.items() for line in all]
    assert lines == []
