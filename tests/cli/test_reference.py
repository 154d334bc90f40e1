from pathlib import Path

from cli.reference import reference

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


def test_the_page_of_commands_is_what_the_code_says():
    assert PAGE.read_text(encoding="utf-8") == reference().rstrip("\n") + "\n"


def test_the_page_does_not_depend_on_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert PAGE.read_text(encoding="utf-8") == reference().rstrip("\n") + "\n"
