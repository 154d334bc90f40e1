"""The login as a browser sends it, which says of itself what no other client says."""

import pytest

from services.dashboard.door.build import house
from services.dashboard.store import Store
from shared import access
from shared.bus import Bus
from shared.settings import Settings
from tests.dashboard.conftest import door
from tests.e2e.browser import chromium

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

PASSWORD = "correct horse battery"


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """A door without a bus, that maria may operate."""
    monkeypatch.chdir(tmp_path)
    settings = Settings(host="here", data_dir=tmp_path / "data")
    access.add_person(access.file_of(settings), "maria", "operate", PASSWORD)
    return house(settings, Bus.idle(settings, "dashboard"), Store())


async def logs_in(page, password):
    await page.goto("/openapi.json")
    await page.get_by_label("Name").fill("maria")
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Log in").click()


async def test_a_person_logs_in_with_a_browser(parts):
    async with door(parts) as client, chromium(str(client.base_url)) as page:
        await logs_in(page, "wrong")
        await page.get_by_role("alert").wait_for()
        await logs_in(page, PASSWORD)
        await page.wait_for_url("**/openapi.json")
        assert "/tasks/execute" in await page.inner_text("body")
