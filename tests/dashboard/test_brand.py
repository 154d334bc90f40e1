import pytest

from services.dashboard import brand
from services.dashboard.door.build import build
from services.dashboard.pages.shell import side
from shared.errors import InvalidSetting
from shared.settings import DashboardSettings
from tests.dashboard.conftest import door

PIXEL = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


def test_without_settings_the_mark_is_ours_and_no_colour_is_set():
    assert "<svg" in brand.mark(DashboardSettings())
    assert brand.style(DashboardSettings()) == ""


def test_the_owner_has_a_name_a_colour_and_chosen_pages(busless):
    settings = busless.settings.dashboard
    settings.name, settings.accent, settings.pages = "Acme <Ops>", "#aa3366", ("tasks", "bus")
    shown = side(busless, "/dashboard")
    assert "Acme &lt;Ops&gt;" in shown
    assert ("/dashboard/bus" in shown, "/dashboard/match" in shown) == (True, False)
    assert "--accent:#aa3366" in brand.style(settings)
    assert "--on-accent:#ffffff" in brand.style(settings)


async def test_the_logo_is_served_from_here(busless, tmp_path):
    logo = tmp_path / "logo.svg"
    logo.write_bytes(PIXEL)
    busless.settings.dashboard.logo = logo
    async with door(busless, build(busless)) as client:
        answer = await client.get(brand.LOGO_URL)
    assert (answer.content, answer.headers["content-type"]) == (PIXEL, "image/svg+xml")
    assert brand.LOGO_URL in side(busless, "/dashboard")


@pytest.mark.parametrize(("name", "size"), [("logo.exe", 1), ("none.png", 0), ("big.png", 200_001)])
def test_a_wrong_logo_names_its_variable(tmp_path, name, size):
    path = tmp_path / name
    if size:
        path.write_bytes(b"x" * size)
    with pytest.raises(InvalidSetting, match="SOVEREIGN_DASHBOARD__LOGO"):
        brand.logo(path)


@pytest.mark.parametrize("colour", ["red", "#12345", "#zzzzzz", "#fff;}body{"])
def test_a_wrong_colour_is_refused(colour):
    with pytest.raises(ValueError, match="accent"):
        DashboardSettings(accent=colour)
