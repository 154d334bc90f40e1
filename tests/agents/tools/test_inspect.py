import pytest

from services.agents.tools.inspect import CHECKS, judge

BOMB = "a: &a [x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
)


@pytest.mark.parametrize(
    ("check", "text", "said"),
    [
        ("json", '{"a": 1}', "ok: valid JSON"),
        ("json", "{a: 1}", "wrong: Expecting property name"),
        ("yaml", "a: [1, 2]", "ok: valid YAML"),
        ("yaml", "a: [", "wrong: while parsing"),
        ("yaml", BOMB, "ok: valid YAML"),
        ("toml", "a = 1", "ok: valid TOML"),
        ("toml", "a 1", "wrong: Expected"),
        ("python", "x = 1", "ok: valid Python"),
        ("python", "def f(:", "wrong: invalid syntax"),
        ("python", "\0", "wrong: "),
        ("python", "(" * 5000, "wrong: "),
        ("json", "[" * 50_000, "wrong: "),
        ("length", "one two\nthree", "ok: 13 characters, 3 words, 2 lines"),
        ("contains", "", "wrong: value"),
    ],
)
def test_each_check_says_what_is_wrong_and_runs_nothing(check, text, said):
    assert judge(check, text).startswith(said)


def test_it_counts_what_it_looks_for():
    assert judge("contains", "aXbX", "X") == "ok: 'X' stands in it 2 times"


def test_every_check_stands_any_text():
    for name in CHECKS:
        assert judge(name, "\ud800 \x00 {[(", "(").startswith(("ok", "wrong"))
