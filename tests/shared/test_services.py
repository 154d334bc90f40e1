import tomllib
from pathlib import Path

from shared.rights import USERS
from shared.services import SERVICES

ROOT = Path(__file__).parents[2]


def test_each_is_a_package_that_runs():
    assert {path.parent.name for path in ROOT.glob("services/*/__main__.py")} == set(SERVICES)


def test_each_is_an_extra_and_all_has_them_all():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert set(SERVICES) <= set(extras)
    assert extras["all"] == [f"sovereign[{','.join(name for name in extras if name != 'all')}]"]


def test_each_is_a_user_of_the_bus():
    assert set(USERS) - {"supervisor", "owner"} == set(SERVICES)
