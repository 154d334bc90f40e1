from services.ops.escalation import ROOM, Escalation
from services.ops.record import Record


class Ear:
    def __init__(self):
        self.heard = []

    def call(self, event):
        self.heard.append(event)


def test_a_person_is_called_once_for_the_same_fault():
    record, ear = Record("here", "ops"), Ear()
    escalation = Escalation(record, ear)
    assert escalation.call("match", "hang", "it hangs", host="here")
    assert not escalation.call("match", "hang", "it still hangs", host="here")
    assert escalation.call("match", "hang", "there too", host="there")
    assert [event.host for event in ear.heard] == ["here", "there"]
    assert {event.kind for event in record.waiting} == {"escalated"}


def test_what_was_called_for_is_remembered_within_bounds():
    escalation = Escalation(Record("here", "ops"), None)
    for number in range(ROOM + 50):
        escalation.call(f"s{number}", "hang", "x")
    assert len(escalation._called) == ROOM
