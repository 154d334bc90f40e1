from services.dashboard.pages.sessions import hits
from shared import events as e
from shared.clock import now


def found(text: str) -> str:
    hit = e.SearchHit(
        event_id="e1", session_id="s1", kind="note", title="Ship it", text=text, actor="ann",
        at=now(), score=1.0,
    )  # fmt: skip
    return hits(e.SearchReply(hits=(hit,)))


def test_a_hit_says_its_title_once_and_its_text_where_it_says_more():
    assert found("Ship it").count("Ship it") == 1
    assert "On Friday" in found("On Friday")
