"""What `/api/ps` tells of the models in memory."""

import pytest

from services.router.pool.memory import memory
from shared.settings import RouterSettings

SETTINGS = RouterSettings(num_ctx=8192, embed_model="vectors")


def entry(name="m", size=100, size_vram=100, context_length=8192):
    return {"name": name, "size": size, "size_vram": size_vram, "context_length": context_length}


@pytest.mark.parametrize(
    ("told", "notes"),
    [
        (entry(), ()),
        ({"name": "m"}, ()),
        (entry(size_vram=75), ("m:latest runs for 25% on the CPU",)),
        (entry(size_vram=0), ("m:latest runs on the CPU alone",)),
        (entry(context_length=4096),
         ("m:latest takes 4096 tokens, not the 8192 of SOVEREIGN_ROUTER__NUM_CTX",)),
        (entry("vectors", context_length=512), ()),
    ],
)  # fmt: skip
def test_what_is_amiss_with_a_model_in_memory_is_told(told, notes):
    assert memory({"models": [told]}, SETTINGS).notes == notes


def test_names_have_their_tags_and_nothing_is_no_list():
    assert memory({"models": [entry("m"), entry("n:1")]}, SETTINGS).models == {"m:latest", "n:1"}
    assert memory({"models": None}, SETTINGS).models == frozenset()
    with pytest.raises(TypeError):
        memory({"models": 7}, SETTINGS)
