"""``casduo doctor``: what is well and what is not, why, and what helps."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from casduo.authentication.names import MAX_USERNAME, canonical_username
from casduo.clock import system_clock
from casduo.diagnosis.model import Finding, Level, Part, worst
from casduo.diagnosis.text import as_text, as_values, heading, summary
from casduo.problems import did_you_mean
from casduo.settings import Settings, find_settings, missing_to_serve, read_settings
from casduo.settings.load import NO_FILE

EXIT_CODES: dict[Level, int] = {"ok": 0, "attention": 1, "fault": 2}


@click.command("doctor")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The settings file. Default: $CASDUO_CONFIG, ./casduo.yaml or /etc/casduo/casduo.yaml.",
)
@click.option("--user", metavar="NAME", help="Ask Duo about this person too. Nothing is sent to the person.")
@click.option(
    "--application", metavar="NAME", help="Of Duo, examine this application only. '' is the main one, section duo."
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_context
def command(
    context: click.Context, config: Path | None, user: str | None, application: str | None, as_json: bool
) -> None:
    """Examine an installation from the machine it runs on: settings and registry, Redis and worker, users files and
    directory servers, the server's own certificate, each node of a UCM, and Duo: the way there, who vouches for its
    certificate, the clocks, the keys and rights of every application.

    Each examination is a line: ok, attention, or fault with its cause and what to do. Nothing is changed, nothing is
    sent to anybody's phone, and no secret is printed.

    Ends with exit code 0 when all is well, with 1 when something should be looked at, with 2 when there is a fault.
    """
    path = find_settings(config, os.environ)
    with _quiet():
        findings = _told(_examine(path, user, application), as_json=as_json)
    level = worst(findings)
    if as_json:
        click.echo(json.dumps({"level": level, "findings": [as_values(finding) for finding in findings]}, indent=2))
    else:
        click.echo(f"\n{summary(findings)}")
    context.exit(EXIT_CODES[level])


def _examine(path: Path | None, user: str | None, application: str | None) -> Iterator[Finding]:
    # What Duo, TLS and Redis need is imported only for those who are examined.
    from casduo.diagnosis.installation import examine, judge_problems

    file = str(path or NO_FILE)
    settings, problems = read_settings(path, os.environ)
    if settings is None:
        yield judge_problems(Part("Settings"), file, problems)
        return
    problems = [*problems, *missing_to_serve(settings, file)]
    yield from examine(
        settings,
        problems,
        file,
        system_clock,
        user=_username(user, settings) if user is not None else "",
        application=_application(application, settings),
    )


def _told(findings: Iterable[Finding], *, as_json: bool) -> list[Finding]:
    """Write findings as they come, for some take seconds; return all of them."""
    told: list[Finding] = []
    for finding in findings:
        if not as_json:
            if not told or told[-1].part != finding.part:
                click.echo(heading(finding.part, first=not told), nl=False)
            click.echo(as_text(finding), nl=False)
        told.append(finding)
    return told


def _username(typed: str, settings: Settings) -> str:
    username = canonical_username(typed, settings.login.username_case)
    if not username or len(username) > MAX_USERNAME or not username.isprintable():
        raise click.BadParameter(f"{typed!r} cannot be a user name", param_hint="--user")
    if settings.duo is None:
        raise click.BadParameter("there is nobody to ask: the settings have no section duo", param_hint="--user")
    return username


def _application(name: str | None, settings: Settings) -> str | None:
    if name and name not in settings.duo_applications:
        near = did_you_mean(name, settings.duo_applications)
        raise click.BadParameter(f"the settings have no Duo application {name!r}{near}", param_hint="--application")
    return name


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the log out: it says in a server's words what the findings say in better ones."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
