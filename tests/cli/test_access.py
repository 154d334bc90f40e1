import orjson

PASSWORD = "correct horse battery\n"


def test_a_person_is_added_listed_and_removed(run):
    added = run("access", "add", "maria", "--role", "operate", "--password-file", "-",
                stdin=PASSWORD)  # fmt: skip
    assert (added.exit_code, added.stdout) == (0, "maria may operate\n")
    assert "asks for a login" in added.stderr
    listed = orjson.loads(run("access", "list", "--json").stdout)
    assert (listed["people"][0]["name"], listed["people"][0]["role"]) == ("maria", "operate")
    assert run("access", "remove", "maria", "--yes").exit_code == 0
    assert "nobody is named" in run("access", "list").stdout


def test_a_token_is_printed_once(run):
    made = run("access", "token", "ci", "--role", "submit", "--days", "2")
    secret = made.stdout.strip()
    assert secret.startswith("sov_")
    assert "no person has one: name yourself with `sovereign access add" in made.stderr
    assert secret not in run("access", "list").stdout
    assert run("access", "revoke", "ci", "--yes").exit_code == 0


def test_what_is_wrong_is_one_line(run):
    for arguments, said, code in (
        (("add", "a.b", "--password-file", "-"), "name", 2),
        (("add", "maria", "--password-file", "-"), "10 to 1000", 2),
        (("add", "maria"), "--password-file", 2),
        (("remove", "nobody", "--yes"), "no person nobody", 1),
        (("revoke", "nothing"), "--yes", 2),
    ):
        done = run("access", *arguments, stdin="short\n")
        assert (done.exit_code, done.stderr.count("\n"), said in done.stderr) == (code, 1, True)
