"""Any order of payments, refunds, replays and moves leaves the ledger at zero, paid once."""

import sqlite3
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.match import fold, payouts, queries, store
from services.match.deal_acts import MoveDeal, OpenDeal, Terms
from services.match.money_acts import PayDeal, RefundPayment
from services.match.profile_acts import SetNeed, SetProfile
from shared.bus import encode
from shared.clock import now
from shared.errors import SovereignError
from shared.events import DealAsk, DealState, PayoutAsk
from shared.reading import Stored
from tests.match.conftest import need, provider, usd

KEYS = st.sampled_from([f"k{n}" for n in range(6)])
PAYOUTS = st.sampled_from([f"o{n}" for n in range(3)])
AMOUNTS = st.integers(1, 4000).map(usd)
DEALS = st.sampled_from(["d1", "d2"])


class LedgerMachine(RuleBasedStateMachine):
    """The read model fed by acts, as the writer feeds it; the log is its stream."""

    def __init__(self) -> None:
        super().__init__()
        self.db = self.empty()
        self.log: list[tuple[str, Stored]] = []

    def empty(self) -> sqlite3.Connection:
        db = sqlite3.connect(":memory:", isolation_level=None)
        store.prepare(db)
        return db

    def act(self, act) -> None:
        try:
            draft = act.decide(self.db)
        except SovereignError:
            return
        if draft is not None:
            seq = fold.position(self.db, draft.stream) + 1
            message = Stored(seq, draft.subject, encode(draft.body))
            assert fold.apply(self.db, draft.stream, message) is None
            self.log.append((draft.stream, message))
        act.reply(self.db)

    @initialize(rate=st.decimals(0, 1, places=3))
    def open(self, rate):
        self.act(SetProfile(provider("ana", capacity=2)))
        for name in ("d1", "d2"):
            self.act(SetNeed(need(name)))
            ask = DealAsk(
                action="open", deal_id=name, need_id=name, provider_id="ana", amount=usd(5000)
            )
            self.act(OpenDeal(ask, Terms(Decimal(rate))))
            for to in ("offered", "accepted"):
                self.act(MoveDeal(DealAsk(action="move", deal_id=name, to=to), now()))

    @rule(deal=DEALS, amount=AMOUNTS, key=KEYS)
    def pay(self, deal, amount, key):
        self.act(PayDeal(DealAsk(action="pay", deal_id=deal, amount=amount, key=key), now()))

    @rule(payment=KEYS, amount=st.none() | AMOUNTS, key=KEYS)
    def refund(self, payment, amount, key):
        ask = DealAsk(action="refund", payment=payment, amount=amount, key=key)
        self.act(RefundPayment(ask, now()))

    @rule(amount=AMOUNTS, key=PAYOUTS)
    def send(self, amount, key):
        ask = PayoutAsk(action="start", provider_id="ana", amount=amount, key=key)
        self.act(payouts.StartPayout(ask, now()))

    @rule(payout=PAYOUTS, end=st.sampled_from(["settle", "fail", "settle", "unknown"]))
    def end(self, payout, end):
        ask = PayoutAsk(action=end, payout=payout)
        self.act(
            payouts.DoubtPayout(ask) if end == "unknown" else payouts.ResolvePayout(ask, now())
        )

    @rule(deal=DEALS, to=st.sampled_from(DealState.__args__))
    def move(self, deal, to):
        self.act(MoveDeal(DealAsk(action="move", deal_id=deal, to=to), now()))

    @invariant()
    def every_entry_and_account_adds_up(self):
        sums = self.db.execute("SELECT sum(minor) FROM posting GROUP BY entry").fetchall()
        assert {row[0] for row in sums} <= {0}
        summed = "SELECT account, sum(minor) FROM posting GROUP BY 1 ORDER BY 1"
        kept = "SELECT account, minor FROM balance ORDER BY 1"
        assert self.db.execute(summed).fetchall() == self.db.execute(kept).fetchall()
        for name in ("d1", "d2") if self.log else ():
            deal = queries.deal(self.db, name)
            assert 0 <= deal.refunded.minor <= deal.paid.minor <= 5000

    @invariant()
    def what_is_under_way_is_in_transit_and_what_is_settled_left_once(self):
        by_state: dict[str, int] = {}
        for one in payouts.payouts(self.db):
            by_state[one.state] = by_state.get(one.state, 0) + one.amount.minor
        balance = dict(self.db.execute("SELECT account, minor FROM balance").fetchall())
        under_way = by_state.get("sent", 0) + by_state.get("unknown", 0)
        assert -balance.get("payout:transit", 0) == under_way
        cash = self.db.execute("SELECT coalesce(sum(cash), 0) FROM entry WHERE kind != 'payout'")
        assert balance.get("cash", 0) == cash.fetchone()[0] - by_state.get("settled", 0)

    @invariant()
    def the_sums_of_reports_are_those_of_the_entries(self):
        whole = "SELECT coalesce(sum(max(cash, 0)), 0), coalesce(sum(earned), 0) FROM entry"
        for table in ("earning", "party_earning"):
            kept = (
                f"SELECT coalesce(sum(gross), 0), coalesce(sum(earned - refunded), 0) FROM {table}"
            )
            assert self.db.execute(kept).fetchone() == self.db.execute(whole).fetchone()

    @invariant()
    def a_payment_that_went_back_left_nothing(self):
        payments = queries.rows(self.db, "SELECT entry_id, cash FROM entry WHERE kind = 'payment'")
        for row in payments:
            if queries.refunded(self.db, row["entry_id"]) == row["cash"]:
                left = self.db.execute(
                    "SELECT p.account, sum(p.minor) FROM posting p JOIN entry e ON e.seq = p.entry"
                    " WHERE ? IN (e.entry_id, e.reverses) GROUP BY 1", (row["entry_id"],)
                )  # fmt: skip
                assert {minor for _, minor in left} == {0}

    def teardown(self):
        anew = self.empty()
        for stream, message in (*reversed(self.log), *self.log):
            if message.seq == fold.position(anew, stream) + 1:
                fold.apply(anew, stream, message)
        for stream, message in self.log:
            fold.apply(anew, stream, message)
        assert store.checksum(anew) == store.checksum(self.db)
        for db in (anew, self.db):
            db.close()


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, derandomize=True
)
