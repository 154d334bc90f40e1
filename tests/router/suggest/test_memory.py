"""Questions near in meaning."""

from services.router.suggest.memory import KEPT, TENANTS, Asked, Memory
from shared.clock import now


def asked(question: str) -> Asked:
    return Asked(question, f"answer to {question}", "m", now())


def test_the_nearest_comes_first_and_the_far_not_at_all():
    memory = Memory()
    for question, vector in (("east", (1.0, 0.0)), ("north", (0.0, 1.0)), ("ne", (0.6, 0.8))):
        memory.keep("a", vector, asked(question))
    told = memory.nearest("a", (0.0, 1.0), 5, 0.5)
    assert [(each.question, each.similarity) for each in told] == [("north", 1.0), ("ne", 0.8)]


def test_no_tenant_sees_what_another_asked():
    memory = Memory()
    memory.keep("a", (1.0, 0.0), asked("secret"))
    assert memory.nearest("b", (1.0, 0.0), 5, -1.0) == ()
    assert memory.count("b") == 0


def test_vectors_of_another_model_are_not_compared():
    memory = Memory()
    memory.keep("a", (1.0, 0.0), asked("old"))
    assert memory.nearest("a", (1.0, 0.0, 0.0), 5, -1.0) == ()


def test_the_same_question_is_kept_once_with_its_last_answer():
    memory = Memory()
    memory.keep("a", (1.0,), asked("again"))
    memory.keep("a", (1.0,), Asked("again", "newer", "m", now()))
    assert [each.answer for each in memory.nearest("a", (1.0,), 5, 0.0)] == ["newer"]


def test_it_stays_bounded():
    memory = Memory()
    for number in range(KEPT + 10):
        memory.keep("a", (1.0,), asked(str(number)))
    for number in range(TENANTS):
        memory.keep(f"t{number}", (1.0,), asked("x"))
    assert memory.count("t0") == 1 and memory.count("a") == 0
