"""`sovereign access …`: who may enter the dashboard, people and programs. Needs no bus."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from cli.options import Json, Yes, group

app = group("Who may enter the dashboard and its HTTP door.", "Help")

RoleName = Literal["view", "submit", "operate"]
Name = Annotated[str, typer.Argument(help="A name of letters, digits, `_` and `-`.")]
Role = Annotated[RoleName, typer.Option("--role", help="view, submit tasks too, or operate all.")]
Days = Annotated[float | None, typer.Option("--days", min=0.001, help="Ends after so many days.")]
Password = Annotated[
    str | None,
    typer.Option("--password-file", metavar="FILE", help="Read it there; `-` is stdin."),
]


@app.command()
def add(name: Name, role: Role = "view", password_file: Password = None) -> None:
    """Add a person who logs in with a password, or give one a new password and role."""
    from cli import entering

    entering.add(name, role, password_file)


@app.command("list")
def list_access(as_json: Json = False) -> None:
    """List people and tokens with their roles; never a password or a token itself."""
    from cli import entering

    entering.show_all(as_json)


@app.command()
def remove(name: Name, yes: Yes = False) -> None:
    """Remove a person; running sessions end at once."""
    from cli import entering

    entering.remove(name, yes)


@app.command()
def token(name: Name, role: Role = "view", days: Days = None, as_json: Json = False) -> None:
    """Make a token for a program and print it once: `Authorization: Bearer TOKEN`."""
    from cli import entering

    entering.token(name, role, days, as_json)


@app.command()
def revoke(name: Name, yes: Yes = False) -> None:
    """Revoke a token at once."""
    from cli import entering

    entering.revoke(name, yes)
