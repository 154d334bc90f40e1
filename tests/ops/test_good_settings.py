import pytest

from services.ops.good_settings import GoodSettings
from services.ops.record import Record
from shared.errors import Refused


@pytest.fixture
def good(tmp_path):
    (tmp_path / "sovereign.toml").write_text("engine = 'offline'\n")
    made = GoodSettings(tmp_path / "sovereign.toml", tmp_path / "data", Record("here", "test"))
    made.started("match")
    made.started("router")
    assert made.keep(["match", "router"])
    return made


def change(good, text: str = "engine = 'nonsense'\n") -> None:
    good._file.write_text(text)


def test_a_file_is_good_only_when_all_were_started_under_it(good):
    change(good, "engine = 'auto'\n")
    good.started("match")
    assert not good.keep(["match", "router"])
    good.started("router")
    assert good.keep(["match", "router"])
    assert not good.keep(["match", "router"])


def test_a_service_that_started_under_a_changed_file_is_suspect(good):
    change(good)
    assert not good.is_suspect("match")
    good.started("match")
    assert good.is_suspect("match")


def test_the_last_good_file_comes_back_and_the_bad_one_is_kept(good, tmp_path):
    change(good)
    bad = good.roll_back("match fell")
    assert (tmp_path / "sovereign.toml").read_text() == "engine = 'offline'\n"
    assert bad.read_text() == "engine = 'nonsense'\n"
    assert good._record.waiting[-1].kind == "rolled_back"
    assert bad.name in good._record.waiting[-1].outcome


def test_there_is_nothing_to_roll_back_to_twice(good):
    change(good)
    good.roll_back("match fell")
    with pytest.raises(Refused, match="no other settings file"):
        good.roll_back("match fell again")


def test_without_a_good_file_nothing_is_suspect(tmp_path):
    made = GoodSettings(tmp_path / "none.toml", tmp_path, Record("here", "test"))
    made.started("match")
    assert not made.keep(["match"])
    assert not made.is_suspect("match")


def test_copies_are_for_the_owner_alone(good, tmp_path):
    change(good)
    bad = good.roll_back("match fell")
    kept = tmp_path / "data" / "settings" / "last-good.toml"
    assert [path.stat().st_mode & 0o777 for path in (bad, kept)] == [0o600, 0o600]
