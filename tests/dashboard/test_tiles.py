import re

from services.dashboard.pages.services import services_table
from services.dashboard.pages.tiles import home, services
from shared import events as e
from shared.services import SERVICES
from tests.dashboard.conftest import beat


def test_six_services_are_counted_and_the_supervisor_stands_apart(store):
    for name in (*SERVICES, "supervisor"):
        store.apply(beat(name))
    store.sample(bus_up=True)
    assert "6<small>/ 6</small>" in services(store)
    table = services_table(store)
    first, apart = table.split("Beside the services")
    assert "beat-supervisor" in apart
    assert "beat-supervisor" not in first


def test_the_buttons_of_a_service_stay_within_a_phone(store):
    store.apply(beat("router"))
    table = services_table(store, acts=True)
    kept = [kind for kind in re.findall(r'<th class="([^"]*)"', table) if "late" not in kind]
    assert len(kept) == 3  # service, state, buttons


def test_a_lost_bus_is_missing_but_no_service(store):
    for name in SERVICES:
        store.apply(beat(name))
    store.sample(bus_up=False)
    assert "missing: bus" in services(store)


def test_no_score_is_a_dash_with_its_reason(store):
    store.answer("model.sovereignty", e.Sovereignty(score=None))
    tile = home(store)
    assert "not enough measured yet" in tile
    assert "–" in tile
    assert "100" not in tile
