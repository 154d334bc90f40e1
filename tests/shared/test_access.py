import stat

import pytest
from argon2 import PasswordHasher

from shared import access
from shared.access import Access, Person
from shared.errors import Conflict, InvalidInput, InvalidSetting, NotFound

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap(request, monkeypatch):
    """Argon2id at its least cost, but where the parameters are what is tested."""
    if "argon2id" not in request.node.name:
        cost = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
        monkeypatch.setattr(access, "hasher", lambda: PasswordHasher(**cost))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "dashboard" / "access.json"


def test_nobody_is_named_where_there_is_no_file(path):
    assert access.read(path) == Access()


def test_a_password_is_kept_as_an_argon2id_hash_for_the_owner_alone(path):
    access.add_person(path, "maria", "operate", PASSWORD)
    assert PASSWORD not in path.read_text()
    assert access.read(path).people[0].password.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_same_name_again_is_a_new_password(path):
    first = access.add_person(path, "maria", "operate", PASSWORD)
    second = access.add_person(path, "maria", "view", PASSWORD)
    assert access.read(path).people == (second,)
    assert first.password != second.password


@pytest.mark.parametrize("password", ["short", "x" * 1001, ""])
def test_a_bad_password_names_its_field(path, password):
    with pytest.raises(InvalidInput, match="10 to 1000"):
        access.add_person(path, "maria", "view", password)
    assert not path.exists()


def test_a_token_is_kept_as_its_digest(path):
    secret = access.add_key(path, "ci", "submit", 1)
    key = access.read(path).keys[0]
    assert secret not in path.read_text()
    assert (key.digest, key.until is not None) == (access.digest(secret), True)


def test_a_second_token_of_one_name_is_refused(path):
    access.add_key(path, "ci", "submit", None)
    with pytest.raises(Conflict, match="revoke it first"):
        access.add_key(path, "ci", "submit", None)


def test_removing_what_is_not_there_says_so(path):
    with pytest.raises(NotFound):
        access.remove_person(path, "nobody")
    with pytest.raises(NotFound):
        access.remove_key(path, "nothing")


def test_removed_is_gone(path):
    access.add_person(path, "maria", "view", PASSWORD)
    access.add_key(path, "ci", "submit", None)
    access.remove_person(path, "maria")
    access.remove_key(path, "ci")
    assert access.read(path) == Access()


def test_a_broken_file_is_an_error_and_no_open_door(path):
    path.parent.mkdir(parents=True)
    path.write_text("{broken")
    with pytest.raises(InvalidSetting, match="cannot be read"):
        access.read(path)


def test_a_person_is_found_by_name():
    one = Person(name="a", role="view", password="x")
    assert Access(people=(one,)).person("a") == one
    assert Access(people=(one,)).person("b") is None
