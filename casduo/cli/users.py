"""``casduo users``: who is in the users file, adding them and giving them passwords."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from casduo.authentication.authenticator import MAX_PASSWORD, is_password
from casduo.authentication.passwords import Argon2Settings, Passwords
from casduo.authentication.users_document import User, is_username, read_users
from casduo.authentication.users_editor import UserEditError, add_user, set_password
from casduo.authentication.users_file import UsersFileSettings
from casduo.errors import SettingsError

_COST = Argon2Settings()

_password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of standard input; do not ask."
)


@click.group("users")
@click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("users.yaml"),
    envvar="CASDUO_USERS_FILE",
    show_default=True,
    help="The users file.",
)
@click.option("--memory-kib", type=click.IntRange(min=8), default=_COST.memory_kib, help="Memory of one hash, KiB.")
@click.option("--time-cost", type=click.IntRange(min=1), default=_COST.time_cost, help="Passes of one hash.")
@click.option("--parallelism", type=click.IntRange(min=1), default=_COST.parallelism, help="Lanes of one hash.")
@click.pass_context
def users(context: click.Context, path: Path, memory_kib: int, time_cost: int, parallelism: int) -> None:
    """Users kept in a file, for small sites and for accounts that must work when LDAP does not."""
    try:
        argon2 = Argon2Settings(memory_kib, time_cost, parallelism)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    context.obj = UsersFileSettings(path, argon2=argon2)


@users.command("add")
@click.argument("username")
@click.option("--name", default="", help="The person's name, for reading.")
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=VALUE", help="May be given again.")
@click.option("--group", "groups", multiple=True, metavar="GROUP", help="A value of `groups`. May be given again.")
@_password_stdin
@click.pass_obj
def add(
    settings: UsersFileSettings,
    username: str,
    name: str,
    attributes: tuple[str, ...],
    groups: tuple[str, ...],
    password_stdin: bool,
) -> None:
    """Add a user. Asks for the password."""
    if not is_username(username):
        raise click.BadParameter("letters, digits and ._@+- only, not longer than 128", param_hint="USERNAME")
    collected = _collect([*attributes, *(f"groups={group}" for group in groups)])
    with _explained():
        password_hash = Passwords(settings.argon2).hash(_password(password_stdin))
        add_user(settings.path, username, password_hash, name=name, attributes=collected)
    click.echo(f"Added {username} to {settings.path}.")


@users.command("passwd")
@click.argument("username")
@click.option("--must-change", is_flag=True, help="The password is refused until somebody sets another one.")
@_password_stdin
@click.pass_obj
def passwd(settings: UsersFileSettings, username: str, must_change: bool, password_stdin: bool) -> None:
    """Give a user a new password, hashed at today's cost."""
    with _explained():
        password_hash = Passwords(settings.argon2).hash(_password(password_stdin))
        set_password(settings.path, username, password_hash, must_change=must_change)
    click.echo(f"Changed the password of {username} in {settings.path}.")


@users.command("list")
@click.pass_obj
def list_users(settings: UsersFileSettings) -> None:
    """List the users: name, state, groups. Never a hash."""
    try:
        text = settings.path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"cannot read {settings.path}: {error}") from None
    with _explained():
        known = read_users(text, str(settings.path))
    rows = [_row(user) for user in known.values()]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    for row in rows:
        click.echo("  ".join([*(row[column].ljust(widths[column]) for column in range(3)), row[3]]).rstrip())


def _row(user: User) -> tuple[str, str, str, str]:
    states = {"locked": user.locked, "disabled": user.disabled, "must change": user.must_change}
    words = [word for word, holds in states.items() if holds] or ["active"]
    if user.expires is not None:
        words.append(f"until {datetime.fromtimestamp(user.expires, UTC):%Y-%m-%d}")
    state = ", ".join(words)
    return user.username, user.name, state, ", ".join(user.attributes.get("groups", ()))


def _collect(assignments: list[str]) -> dict[str, tuple[str, ...]]:
    collected: dict[str, tuple[str, ...]] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not (name and equals and value):
            raise click.UsageError(f"expected NAME=VALUE, got {assignment!r}")
        collected[name] = (*collected.get(name, ()), value)
    return collected


def _password(from_stdin: bool) -> str:
    if from_stdin:
        line = sys.stdin.buffer.readline().removesuffix(b"\n").removesuffix(b"\r")
        # What is not UTF-8 becomes lone surrogates, which are no password.
        password = line.decode(errors="surrogateescape")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, type=str)
    if not is_password(password):
        raise click.ClickException(f"a password has 1 to {MAX_PASSWORD} octets of UTF-8 and no NUL")
    return password


class _BrokenFile(click.ClickException):
    exit_code = 2


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what can go wrong with the file into a message and an exit code: 2 for a broken file, 1 for the rest."""
    try:
        yield
    except SettingsError as error:
        raise _BrokenFile(str(error)) from None
    except (UserEditError, OSError) as error:
        raise click.ClickException(str(error)) from None
