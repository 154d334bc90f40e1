"""Small documents of the kinds that people have."""

REPORT = """# Report on the bakery

## Summary
The oven was replaced in March and now bakes 400 loaves a day. Sales rose by 12 % since April.

## Done
- Replaced the oven
- Repainted the shop

## Open points

### High priority

**1. Hire a second baker**
- Interviews start on Monday
- **Budget:** 2,400 EUR a month

**2. Repair the cooling room**
- Can start once the parts arrive

### Low priority

**3. Print new menus**

## Facts
- **Owner:** Mia Klein
- **Opening hours:** 06:00 to 14:00
- **Status:** healthy

```
TODO: this is code, not work
```
"""
MEETING = """Meeting notes
Attendees: Anna, Bob

Action items:
- Anna: send the offer by Friday (high)
- Bob: fix the login, blocked by the missing API key
* Dan books the venue - done

Open questions
1) Who pays for the venue?

We depend on a single supplier. The new office has no problems so far.
"""
TODO = """TODO
[x] buy milk
[ ] call the landlord
[ ] P1: renew passport
fix bike
"""
TABLE = """# Incident

| Task | Owner | Priority | Status |
|---|---|---|---|
| Renew certificate | Mia | low | done |
| Add alert | Jo | P1 | in progress |
| Review the rest | Mia | critical | open |
"""
CSV = """id;task;status;priority
1;Ship beta;open;low
2;Hire tester;done;high
3;"Fix crash; at start";blocked;critical
"""
GERMAN = """# Statusbericht
Die Schnittstelle ist noch nicht getestet.

## Erledigt
- Login

## Offene Punkte
### Hoch
1. Schnittstelle testen
### Niedrig
2. Handbuch drucken

## Risiken
- Der Hoster hat nichts zugesagt.
"""
PROSE = (
    "The migration went well. We still need to move the archive. Marta has to sign the contract "
    "before July. Everyone likes the new page. If the contract is late, we pay twice."
)
MANGLED = """# \u201a\u00fa\u00d6 What is done
- \u201a\u00fa\u00d6 Own server

# \uf8ff\u00fc\u00f6\u00df Pending Items
- \u201a\u00e8\u2265 Community
"""
