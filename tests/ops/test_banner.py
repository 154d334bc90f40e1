import pytest

from services.ops import banner
from shared.events import EngineStatus
from shared.settings import DashboardSettings, NatsSettings, Settings


def engine(**fields) -> EngineStatus:
    given = {"engine": "offline", "setting": "auto", "state": "offline", "is_llm": False}
    return EngineStatus.model_validate(given | fields)


def test_there_are_four_lines_in_order():
    lines = banner.lines(Settings(), None, dashboard_here=True)
    assert [line.split()[0] for line in lines] == ["bus", "data", "engine", "dashboard"]
    assert all(line[9:11] == "  " and line[11] != " " for line in lines)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (engine(), "no Ollama at http://127.0.0.1:11434; install it and run `ollama pull"),
        (engine(setting="offline"), "offline (rules, not a language model): as set"),
        (engine(state="model_missing"), "Ollama has no llama3.1:8b"),
        (engine(state="refused", detail="would leave the host"), "would leave the host"),
        (
            engine(engine="ollama", state="ready", is_llm=True, model="m", url="http://o"),
            "ollama m at http://o",
        ),
        (None, "no router answers yet"),
    ],
)
def test_the_engine_line_says_what_answers_and_what_to_do(monkeypatch, status, said):
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    assert said in banner.engine_line(Settings(), status)


def test_the_other_lines_tell_where_things_are():
    named = Settings(nats=NatsSettings(url="nats://hub:4222"))
    assert banner.bus_line(named) == "nats://hub:4222 (as set)"
    board = Settings(dashboard=DashboardSettings(host="::1", port=8400))
    assert banner.dashboard_line(board, here=True) == "http://[::1]:8400/dashboard"
    assert banner.dashboard_line(board, here=False) == "not on this host"


def test_a_beat_without_an_engine_tells_nothing():
    assert banner.engine_of({}) is None
    assert banner.engine_of({"engine": engine().model_dump(mode="json")}).engine == "offline"


def test_the_hint_says_what_to_do_next_and_how_to_stop():
    assert banner.HINT.startswith("next: sovereign task submit ")
    assert banner.HINT.endswith("Ctrl-C stops everything")
