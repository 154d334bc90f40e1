from services.dashboard.pages.matching import buttons, matches
from shared import events as e


def score(**more):
    part = e.ScorePart(
        name="skills", view="client", value=0.9, weight=1, reason="has <b>python</b>"
    )
    given = {"need_id": "n1", "provider_id": "ada", "total": 0.8, "client_view": 0.8,
             "provider_view": 0.8, "confidence": 0.5, "parts": (part,)}  # fmt: skip
    return e.MatchScore.model_validate({**given, **more})


def test_a_match_tells_its_reasons_and_can_be_proposed():
    shown = matches(e.MatchFound(need_id="n1", scores=(score(),)), acts=True)
    assert "has &lt;b&gt;python&lt;/b&gt;" in shown
    assert 'data-act="propose" data-key="ada"' in shown
    assert "data-act" not in matches(e.MatchFound(need_id="n1", scores=(score(),)), acts=False)


def test_a_blocked_pair_says_why_and_cannot_be_proposed():
    blocked = score(blockers=("language: none in common",))
    shown = matches(e.MatchFound(need_id="n1", scores=(blocked,)), acts=True)
    assert ("none in common" in shown, "data-act" in shown) == (True, False)


def test_a_deal_offers_its_next_step():
    deal = e.Deal(
        deal_id="d1", need_id="n", client_id="c", provider_id="p", state="offered", rate="0.2"
    )
    assert 'data-key="d1/accepted"' in buttons(deal)
    assert buttons(deal.model_copy(update={"state": "closed"})) == ""
