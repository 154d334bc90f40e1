import pytest
from markupsafe import Markup

from services.dashboard.pages.parts import empty, line, note, said


def test_what_stands_between_backticks_is_code():
    assert said("set `engine` and `host`") == "set <code>engine</code> and <code>host</code>"
    assert "<code>sovereign model pull x</code>" in note("Ollama lacks x: `sovereign model pull x`")
    assert "<code>a</code>" in empty("None", "try `a`")
    assert "try <code>a</code>" in line("try `a`")


@pytest.mark.parametrize("text", ["a ` alone", "cut off `sovereign mod…", "``", "`two\nlines`"])
def test_a_backtick_without_a_partner_stays(text):
    assert said(text) == text


def test_all_of_it_is_escaped():
    assert said("<b>`<i>`<u>") == "&lt;b&gt;<code>&lt;i&gt;</code>&lt;u&gt;"
    assert said(Markup("<b>`x`</b>")) == "<b>`x`</b>"
