from hypothesis import given
from hypothesis import strategies as st

from shared.mojibake import repair

EMOJI = "🌐⚡💎✅→⏳"


def test_mac_mangling_comes_back():
    mangled = "état → ok".encode().decode("mac_roman")
    assert repair(mangled) == ("état → ok", 2)


def test_windows_mangling_comes_back_too():
    assert repair("donâ€™t, cafÃ©") == ("don’t, café", 2)


@given(st.text(alphabet=EMOJI + "ab \n#*", max_size=60))
def test_any_text_with_signs_survives_the_round_trip(text):
    mangled = text.encode().decode("mac_roman")
    assert repair(mangled)[0] == text


@given(st.text(alphabet="äöüéèñçßабвгд日本語 ab", max_size=40))
def test_text_that_was_never_mangled_stays(text):
    assert repair(text) == (text, 0)


def test_a_byte_that_windows_has_no_letter_for_is_read_as_latin():
    assert repair("\u00e2\u009c\u0085 done") == ("✅ done", 1)


def test_the_number_of_repairs_is_told():
    assert repair("‚úÖ one, ‚Üí two, é") == ("✅ one, → two, é", 2)
