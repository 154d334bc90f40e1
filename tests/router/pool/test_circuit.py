from services.router.pool.circuit import Circuit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def broken(clock: Clock) -> Circuit:
    circuit = Circuit(clock)
    circuit.begin()
    circuit.failed(at_once=True)
    return circuit


def test_three_failures_in_a_row_open_it_and_a_success_between_does_not():
    circuit = Circuit(Clock())
    for outcome in (circuit.failed, circuit.failed, circuit.succeeded, circuit.failed):
        circuit.begin()
        outcome()
    assert circuit.allows
    circuit.failed()
    circuit.failed()
    assert (circuit.state, circuit.allows) == ("open", False)


def test_half_open_it_lets_one_trial_through_that_decides():
    clock = Clock()
    circuit = broken(clock)
    clock.now = 1.0
    assert (circuit.state, circuit.allows) == ("half_open", True)
    circuit.begin()
    assert not circuit.allows
    circuit.succeeded()
    assert circuit.state == "closed"


def test_a_failed_trial_opens_it_for_longer():
    clock = Clock()
    circuit = broken(clock)
    clock.now = 1.0
    circuit.begin()
    circuit.failed()
    assert 1.0 <= circuit.opens_in_s <= 2.0


def test_a_trial_that_says_nothing_is_followed_by_another():
    clock = Clock()
    circuit = broken(clock)
    clock.now = 1.0
    circuit.begin()
    circuit.undecided()
    assert circuit.allows


def test_a_good_probe_lets_the_trial_come_at_once():
    circuit = broken(Clock())
    circuit.try_again()
    assert circuit.state == "half_open"
