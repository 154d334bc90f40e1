import pytest

from shared.errors import InvalidSetting
from shared.settings import Settings, load


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("OLLAMA_HOST", "SOVEREIGN_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_the_environment_beats_the_file(tmp_path, monkeypatch):
    (tmp_path / "sovereign.toml").write_text("[dashboard]\nport = 9000\nname = 'Mine'\n")
    monkeypatch.setenv("SOVEREIGN_DASHBOARD__PORT", "9001")
    settings = load()
    assert (settings.dashboard.port, settings.dashboard.name) == (9001, "Mine")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SOVEREIGN_DASHBOARD__PORT", "99999"),
        ("SOVEREIGN_ENGINE", "gpt"),
        ("SOVEREIGN_NATS__REPLICAS", "2"),
        ("SOVEREIGN_HOST", "a.b"),
        ("SOVEREIGN_ROUTER__KEEP_ALIVE", "half an hour"),
    ],
)
def test_a_wrong_value_names_its_variable_in_one_line(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidSetting) as caught:
        load()
    assert variable in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("value", ["30m", "1h30m", "1.5h", "90", "-1", "0"])
def test_models_are_kept_for_a_go_duration_or_seconds(monkeypatch, value):
    monkeypatch.setenv("SOVEREIGN_ROUTER__KEEP_ALIVE", value)
    assert load().router.keep_alive == value


@pytest.mark.parametrize("variable", ["SOVEREIGN_ROUTR__MODEL", "SOVEREIGN_ROUTER__MODLE"])
def test_a_misspelt_variable_is_refused(monkeypatch, variable):
    monkeypatch.setenv(variable, "x")
    with pytest.raises(InvalidSetting, match=variable):
        load()


def test_a_misspelt_name_in_the_file_is_refused(tmp_path):
    (tmp_path / "sovereign.toml").write_text("[router]\nmodle = 'x'\n")
    with pytest.raises(InvalidSetting, match="SOVEREIGN_ROUTER__MODLE"):
        load()


def test_a_broken_file_is_one_line_that_names_it(tmp_path):
    (tmp_path / "sovereign.toml").write_text("[router\n")
    with pytest.raises(InvalidSetting, match=r"sovereign\.toml"):
        load()


def test_the_engine_may_be_set_in_the_router_group(monkeypatch):
    monkeypatch.setenv("SOVEREIGN_ROUTER__ENGINE", "offline")
    assert load().engine == "offline"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("gpu:1234", "http://gpu:1234"),
        ("https://gpu", "https://gpu:443"),
    ],
)
def test_ollama_host_is_read_as_ollama_reads_it(monkeypatch, given, url):
    monkeypatch.setenv("OLLAMA_HOST", given)
    assert Settings().ollama_url == url
