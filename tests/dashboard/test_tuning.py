from services.dashboard.pages.router import advice
from services.dashboard.pages.tuning import changes
from shared import events as e

ADVICE = e.Recommendation(
    id="keep-alive", title="Keep it warm", why="loading", applicable=True, setting="keep_alive",
    current="5m", proposed="30m",
)  # fmt: skip
CHANGE = e.TuningChange(
    id="c1", recommendation="keep-alive", title="Keep it warm", setting="keep_alive",
    before="5m", after="30m", metric="load",
)  # fmt: skip


def test_a_recommendation_is_applied_from_its_place(store):
    store.answer("model.report", e.OptimizationReport(recommendations=(ADVICE,)))
    assert 'data-act="apply" data-key="keep-alive"' in advice(store, acts=True)
    assert "5m → <b>30m</b>" in advice(store)
    assert "data-act" not in advice(store)


def test_a_change_is_rolled_back_while_it_is_in_force():
    back = CHANGE.model_copy(update={"state": "rolled_back"})
    shown = changes(e.TuningChanges(changes=(CHANGE, back)), acts=True)
    assert shown.count('data-act="rollback" data-key="c1"') == 1
    assert "measuring: load – → –" in shown


def test_hostile_words_of_a_recommendation_stay_text(store):
    bad = ADVICE.model_copy(update={"id": '"><b onclick=x>', "title": "<script>"})
    store.answer("model.report", e.OptimizationReport(recommendations=(bad,)))
    assert "<script>" not in advice(store, acts=True)
    assert "<b onclick" not in advice(store, acts=True)
