"""``casduo check``: everything that is wrong with the settings, the registry and users files, at once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from casduo.authentication.users_file import users_problems
from casduo.errors import Problem
from casduo.services.file import check_registry
from casduo.settings import Settings, UsersFileHandler, find_settings, missing_to_serve, read_settings
from casduo.settings.load import NO_FILE
from casduo.weblook import look_problems

EXIT_BAD_FILE = 2
_LEVELS = ("error", "warning", "note")


def report(
    config: Path | None, registry: Path | None, environ: Mapping[str, str]
) -> tuple[list[Problem], Settings | None]:
    """Check settings, registry and users files as ``casduo serve`` would use them.

    :param config: the settings file; ``None``: where :func:`find_settings` finds it
    :param registry: the registry file; ``None``: the one that the settings name
    :param environ: the environment, which overrides the settings file
    :return: all problems, sorted by file and place with the notes last, and the settings, ``None`` when they cannot be
        used. The registry is checked even then, except for what it refers to in the settings.
    """
    path = find_settings(config, environ)
    settings, problems = read_settings(path, environ)
    if settings is not None:
        file = str(path or NO_FILE)
        problems = [*problems, *missing_to_serve(settings, file), *look_problems(settings.pages, file)]
        for handler in settings.authentication:
            if isinstance(handler, UsersFileHandler):
                problems += users_problems(handler.path)
        registry = registry or settings.registry
    elif registry is None:
        beside = (path.parent if path is not None else Path()) / "registry.yaml"
        registry = beside if beside.exists() else None
    if registry is not None:
        problems = [*problems, *check_registry(registry, settings)]
    return sorted(problems, key=lambda problem: (problem.level == "note", problem)), settings


def summary(problems: Sequence[Problem]) -> str:
    """Return a line that counts ``problems`` by level."""
    counts = [(level, sum(problem.level == level for problem in problems)) for level in _LEVELS]
    return ", ".join(f"{count or 'no'} {level}{'' if count == 1 else 's'}" for level, count in counts)


@click.command("check")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The settings file. Default: $CASDUO_CONFIG, ./casduo.yaml or /etc/casduo/casduo.yaml.",
)
@click.option(
    "--registry", type=click.Path(path_type=Path), help="The registry file. Default: the one the settings name."
)
@click.option("--strict", is_flag=True, help="Let warnings fail as errors do.")
@click.pass_context
def command(context: click.Context, config: Path | None, registry: Path | None, strict: bool) -> None:
    """Check settings, registry and users files and name every problem with its file, line and column.

    Ends with exit code 2 if there is an error (with --strict also for a warning), else with 0.
    """
    problems, _ = report(config, registry, os.environ)
    for problem in problems:
        click.echo(str(problem))
    click.echo(summary(problems))
    fatal = _LEVELS[: 2 if strict else 1]
    if any(problem.level in fatal for problem in problems):
        context.exit(EXIT_BAD_FILE)
