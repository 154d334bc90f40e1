"""Hand-written notes and handoffs as typed facts, with a report of what was not understood."""
