import pytest

from services.router import names
from shared.errors import Refused
from shared.settings import RouterSettings


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:11434",
        "http://[::1]:11434",
        "http://localhost:1",
        "http://ollama:11434",
        "http://10.1.2.3:8000/v1",
        "http://192.168.0.9",
        "http://gpu.local:11434",
        "nats://bus.internal:4222",
    ],
)
def test_hosts_of_ones_own(url):
    assert names.is_own(url)


@pytest.mark.parametrize(
    "url", ["https://api.openai.com/v1", "http://8.8.8.8:11434", "http://evil.local.com", ""]
)
def test_hosts_of_others(url):
    assert not names.is_own(url)


CLOUDS = ["x:cloud", "gpt-oss:120b-cloud", "a/b:8b-cloud", "x:CLOUD", "x:8b-Cloud", "x: cloud\t"]


@pytest.mark.parametrize("name", CLOUDS)
def test_cloud_names_are_refused_unless_allowed(name):
    with pytest.raises(Refused) as caught:
        names.refuse_cloud(name, RouterSettings())
    assert caught.value.field == "model"
    names.refuse_cloud(name, RouterSettings(allow_remote=True))


@pytest.mark.parametrize("name", ["llama3.1:8b", "cloudy:7b", "my-cloudy", "cloud:8b"])
def test_names_that_only_look_alike_are_fine(name):
    names.refuse_cloud(name, RouterSettings())


def test_the_default_tag_is_latest():
    assert names.canonical("llama3.1") == "llama3.1:latest"
    assert names.canonical("host:5000/x/llama3.1") == "host:5000/x/llama3.1:latest"
    assert names.canonical("llama3.1:8b") == "llama3.1:8b"


def test_nothing_is_the_default_and_an_alias_may_rename_it():
    settings = RouterSettings(model="smart", aliases={"smart": "llama3.1:8b"})
    assert names.resolve("", settings) == "llama3.1:8b"
    assert names.resolve("other", settings) == "other"
