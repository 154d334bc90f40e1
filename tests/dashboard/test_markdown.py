import pytest

from services.dashboard.pages.markdown import prose


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](http://evil.example/x.png)",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        '![x"](http://a/"onerror=alert(1))',
        "<iframe src=http://evil.example></iframe>",
        "| a |\n|---|\n| <b onclick=alert(1)> |",
    ],
)
def test_hostile_text_stays_text(text):
    html = prose(text)
    assert "<script" not in html
    assert "<img" not in html
    assert "<iframe" not in html
    assert "<b onclick" not in html
    assert 'href="javascript' not in html
    assert 'href="data:text/html' not in html


def test_headings_lists_and_tables_are_rendered():
    html = prose("# A\n\n- b\n\n| c |\n|---|\n| d |")
    assert all(tag in html for tag in ("<h1>A</h1>", "<li>b</li>", "<td>d</td>"))


def test_an_image_becomes_a_link():
    link = '<a href="http://a.example/x.png">image: plan</a>'
    assert link in prose("![plan](http://a.example/x.png)")
