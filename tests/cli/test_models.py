import json

from shared.clock import now
from shared.events import (
    AliasLine,
    BudgetLine,
    BudgetList,
    EngineStatus,
    HostInfo,
    HostList,
    ModelInfo,
    ModelList,
    PolicyReport,
    PullProgress,
    QualityLine,
    Suggestion,
    SuggestReply,
)
from tests.cli.conftest import answer


def progress(status, kind="progress"):
    return PullProgress(type=kind, model="m", status=status)


async def test_status_tells_what_answers(cli, bus):
    engine = EngineStatus(engine="ollama", setting="auto", state="ready", is_llm=True, model="m")
    await answer(bus, "model.status", engine)
    assert "ollama m (a language model, ready)" in (await cli("model", "status")).stdout


async def test_list_tells_which_models_leave_the_host(cli, bus):
    models = (
        ModelInfo(name="m", size=4_700_000_000),
        ModelInfo(name="c", remote_host="far", allowed=False),
    )
    await answer(bus, "model.models", ModelList(models=models))
    lines = (await cli("model", "list")).stdout.splitlines()
    assert (lines[1].split(), lines[2].split()) == (
        ["m", "4.7", "GB", "yes", "here"],
        ["c", "-", "no", "far"],
    )


async def test_hosts_tell_their_load_and_what_is_wrong(cli, bus):
    up = HostInfo(name="gpu1", url="u", state="ready", busy=1, slots=2, seconds={"m": 1.25})
    away = HostInfo(name="gpu2", url="u", state="absent", circuit="open", detail="no answer")
    await answer(bus, "model.hosts", HostList(hosts=(up, away), waiting=3, queue=256))
    shown = (await cli("model", "hosts")).stdout
    assert all(part in shown for part in ("gpu1", "1/2", "m 1.2", "absent", "no answer", "3 of"))


async def test_policy_tells_who_answers_and_why(cli, bus):
    alias = AliasLine(name="fast", models=("small", "large"), why="alias fast: the smallest")
    line = QualityLine(model="small", kind="builder", calls=90, good=0.9, surely_good=0.82)
    await answer(bus, "model.policy", PolicyReport(aliases=(alias,), quality=(line,)))
    shown = (await cli("model", "policy")).stdout
    assert all(part in shown for part in ("small, then large", "the smallest", "90%", "82%"))


async def test_budgets_tell_what_is_left(cli, bus):
    line = BudgetLine(of="caller", name="ann", period="2026-11", spent_usd="1.5",
                      reserved_usd="0", limit_usd="2", spent_tokens=7, refused=3,
                      elsewhere_usd="0.25")  # fmt: skip
    await answer(bus, "model.budgets", BudgetList(lines=(line,), routers=2))
    done = await cli("model", "budgets")
    assert all(part in done.stdout for part in ("caller ann", "2026-11", "1.5000 USD", "2", "3"))
    assert ("0.2500 USD" in done.stdout, "2 routers count" in done.stderr) == (True, True)


async def test_pull_shows_each_new_status(cli, bus):
    asked = await answer(
        bus, "model.pull", progress("layer"), progress("layer"), progress("success", "final")
    )
    done = await cli("model", "pull", "m", "--yes", "--json")
    assert (done.stderr.count("layer"), asked[0]["model"]) == (1, "m")
    assert json.loads(done.stdout)["status"] == "success"


async def test_pull_without_a_terminal_needs_yes(cli, bus):
    done = await cli("model", "pull", "m")
    assert (done.exit_code, "--yes" in done.stderr) == (2, True)


async def test_suggest_shows_what_was_asked_before(cli, bus):
    near = Suggestion(question="where is it", answer="here", model="m", similarity=0.91, at=now())
    await answer(bus, "model.suggest", SuggestReply(suggestions=(near,), known=4))
    shown = (await cli("model", "suggest", "where was it")).stdout
    assert all(part in shown for part in ("0.91", "where is it", "here"))


async def test_suggest_says_when_nothing_is_near(cli, bus):
    await answer(bus, "model.suggest", SuggestReply(known=4))
    assert "nothing near was asked before (4" in (await cli("model", "suggest", "x")).stderr
