import pytest
import typer

from cli.errors import report
from shared.errors import InvalidInput, InvalidSetting, NotFound, Unavailable


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InvalidInput("must be short", field="title"), 2, "sovereign: title: must be short\n"),
        (InvalidSetting("SOVEREIGN_HOST: no", field="SOVEREIGN_HOST"), 2, "SOVEREIGN_HOST: no\n"),
        (NotFound("no task x"), 1, "sovereign: no task x\n"),
        (Unavailable("nobody\x1b[2J\nhere"), 1, "nobody\\x1b[2J\\nhere\n"),
        (ExceptionGroup("g", [NotFound("inside")]), 1, "sovereign: inside\n"),
        (PermissionError(13, "Permission denied", "/etc/x"), 1, "/etc/x: Permission denied\n"),
        (typer.Abort(), 1, "nothing was done\n"),
    ],
)
def test_a_failure_is_one_line_and_a_code(capsys, error, code, line):
    assert report(error) == code
    assert capsys.readouterr().err.endswith(line)


def test_what_nobody_expected_is_raised():
    with pytest.raises(ZeroDivisionError):
        report(ZeroDivisionError())


def test_a_number_below_zero_is_told_from_an_option(run):
    refused = run("match", "bill", "charge", "acme", "-200")
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "below zero" in refused.stderr
    assert "below zero" not in run("match", "bill", "charge", "acme", "-z").stderr
