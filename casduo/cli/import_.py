"""``casduo import``: service definitions of another CAS server become a ``registry.yaml``, with a report."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from casduo.errors import Problem, SettingsError
from casduo.filereplace import locked_directory, replace_file
from casduo.importing.apereo import import_apereo
from casduo.importing.compare import compare, marks_of
from casduo.importing.django_cas_server import import_django_cas_server
from casduo.importing.document import registry_text
from casduo.importing.mama_cas import import_mama_cas
from casduo.importing.model import Import, one_line
from casduo.importing.options import Options
from casduo.importing.reading import decoded
from casduo.importing.report import comparison_data, comparison_text, report_data, report_text
from casduo.services.file import read_registry
from casduo.yamlfile import read_bytes

EXIT_INCOMPLETE = 1
EXIT_NOTHING = 2

_SUFFIXES = (".json", ".yml", ".yaml")
_STANDARD_OUTPUT = Path("-")
_PATIENCE = 10.0
"""Seconds to wait for somebody else who writes in the same directory."""


@click.group("import")
def import_() -> None:
    """Turn service definitions of another CAS server into a registry.yaml, and report what cannot be said in it.

    What kept people out and cannot be said disables its entry. Ends with exit code 0 when everything could be said,
    with 1 when something could not (the file is written all the same), with 2 when there is nothing to write or a
    file is there. With --compare: 0 when nothing has changed, 1 when something has or could not be read.
    """


def _common(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that all of them have."""
    for option in reversed(
        (
            click.option(
                "--output",
                type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
                default=Path("registry.yaml"),
                show_default=True,
                help="Where to write the registry; - for standard output, and the report then goes to standard error.",
            ),
            click.option("--force", is_flag=True, help="Overwrite the registry and the report if they are there."),
            click.option(
                "--report",
                "report_file",
                type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
                default=_STANDARD_OUTPUT,
                show_default=True,
                help="Where to write the report.",
            ),
            click.option("--json", "as_json", is_flag=True, help="Write the report as JSON."),
            click.option(
                "--compare",
                "compare_with",
                type=click.Path(path_type=Path, dir_okay=False),
                help="Write no registry: tell which definitions changed since the import that this one was made by.",
            ),
            click.option(
                "--strict",
                is_flag=True,
                help="End with 1 also when something works in another way, or the linter warns.",
            ),
            click.option(
                "--all-attributes",
                metavar="NAME,...",
                default="",
                help="What to release where the old server released all attributes. Default: none.",
            ),
        )
    ):
        command = option(command)
    return click.pass_context(command)


@import_.command("apereo")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--handler",
    "handlers",
    multiple=True,
    metavar="OLD=NEW",
    help="What an authentication handler of the old server is called in the settings here. May be given again.",
)
@_common
def apereo(
    context: click.Context, paths: tuple[Path, ...], handlers: tuple[str, ...], all_attributes: str, **writing: Any
) -> None:
    """Take over services of Apereo CAS: JSON or YAML files, or directories of them."""
    pairs = [handler.partition("=") for handler in handlers]
    if not all(old and new for old, _, new in pairs):
        raise click.BadParameter("expected OLD=NEW", param_hint="--handler")
    options = Options(_names(all_attributes), {old: new for old, _, new in pairs})
    problems: list[Problem] = []
    files = list(_read(_service_files(paths, problems), problems))
    result = import_apereo(files, options)
    _write(context, Import(result.drafts, (*problems, *result.problems)), "Apereo CAS", **writing)


@import_.command("django-cas-server")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--username-attribute",
    metavar="NAME",
    default="",
    help="The attribute that holds the name that people sign in with, for services that let people in by name.",
)
@_common
def django_cas_server(
    context: click.Context, file: Path, username_attribute: str, all_attributes: str, **writing: Any
) -> None:
    """Take over the service patterns of django-cas-server: FILE is what 'manage.py dumpdata cas_server' wrote."""
    options = Options(_names(all_attributes), username_attribute=username_attribute.strip())
    result = import_django_cas_server(str(file), _content(file), options)
    _write(context, result, "django-cas-server", **writing)


@import_.command("mama-cas")
@click.argument("file", type=click.Path(path_type=Path))
@_common
def mama_cas(context: click.Context, file: Path, all_attributes: str, **writing: Any) -> None:
    """Take over the services of django-mama-cas: FILE is the settings module, which is read and never run, or JSON."""
    result = import_mama_cas(str(file), _content(file), Options(_names(all_attributes)))
    _write(context, result, "django-mama-cas", **writing)


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


# --- files ------------------------------------------------------------------------------------------------------------


def _service_files(paths: Sequence[Path], problems: list[Problem]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(_below(path, problems))
        if not found:
            problems.append(Problem(str(path), 0, 0, "", f"holds no file that ends in {', '.join(_SUFFIXES)}"))
        yield from found


def _below(directory: Path, problems: list[Problem]) -> Iterator[Path]:
    """Yield the service files below a directory, but for those of version control and editors. What is no file, or
    cannot be opened, is found out when it is read: nothing is left out in silence."""

    def unreadable(error: OSError) -> None:
        problems.append(Problem(str(error.filename), 0, 0, "", f"cannot be read: {error.strerror}"))

    for place, directories, names in os.walk(directory, onerror=unreadable):
        directories[:] = [name for name in directories if not name.startswith(".")]
        for name in directories:
            if os.path.islink(os.path.join(place, name)):
                message = "is a link to a directory, which is not followed: name it too, if it holds services"
                problems.append(Problem(os.path.join(place, name), 0, 0, "", message, "warning"))
        yield from (
            Path(place, name) for name in names if name.lower().endswith(_SUFFIXES) and not name.startswith(".")
        )


def _read(files: Iterator[Path], problems: list[Problem]) -> Iterator[tuple[str, bytes]]:
    for file in dict.fromkeys(files):
        try:
            # A name need not be text; what it is called in the report is.
            yield one_line(os.fsencode(file).decode("utf-8", "replace")), _content(file)
        except SettingsError as error:
            problems += error.problems


def _content(file: Path) -> bytes:
    """Return what a file holds. A pipe or a device is not opened: it could wait forever.

    :raises SettingsError: it cannot be read
    """
    if file.exists() and not file.is_file():
        raise _refused(file, "cannot be read: it is no file")
    return read_bytes(file)


def _write(
    context: click.Context,
    result: Import,
    origin: str,
    *,
    output: Path,
    force: bool,
    report_file: Path,
    as_json: bool,
    compare_with: Path | None,
    strict: bool,
) -> None:
    if compare_with is not None:
        _compare(context, result, compare_with, report_file, as_json=as_json, force=force)
        return
    targets = [Path(os.path.realpath(path)) for path in (output, report_file) if path != _STANDARD_OUTPUT]
    if len(set(targets)) < len(targets):
        raise click.BadParameter("names the same file as --output", param_hint="--report")
    for path in (output, report_file):
        _refuse_to_overwrite(path, force=force)
    if not result.entries:
        _report(result, (), report_file, as_json=as_json, force=force, err=output == _STANDARD_OUTPUT)
        click.echo("casduo: there is nothing to write", err=True)
        context.exit(EXIT_NOTHING)
    content = registry_text(result.drafts, origin).encode()
    reading = read_registry(content, str(output), None, with_lint=True, now=time.time())
    if output == _STANDARD_OUTPUT:
        click.echo(content.decode(), nl=False)
    else:
        _write_file(output, content, force=force)
    _report(result, reading.problems, report_file, as_json=as_json, force=force, err=output == _STANDARD_OUTPUT)
    if reading.registry is None:
        # Such as larger than a registry may be.
        context.exit(EXIT_INCOMPLETE)
    different = any(draft.of("differs") for draft in result.drafts)
    warned = any(problem.level == "warning" for problem in reading.problems)
    if not result.complete or (strict and (different or warned)):
        context.exit(EXIT_INCOMPLETE)


def _compare(
    context: click.Context, result: Import, registry: Path, report_file: Path, *, as_json: bool, force: bool
) -> None:
    """Report what has changed since an import; the registry may have been changed by hand.

    :raises SettingsError: the registry cannot be read, or was not made by an import
    """
    _refuse_to_overwrite(report_file, force=force)
    marks = marks_of(decoded(_content(registry), str(registry)))
    if not marks:
        raise _refused(registry, "has no lines '# From ...' of an import, so nothing can be compared with it")
    comparison = compare(result, marks)
    text = (
        f"{json.dumps(comparison_data(result, comparison), indent=2)}\n"
        if as_json
        else comparison_text(result, comparison)
    )
    _put(text, report_file, force=force, err=False)
    if not comparison.same or any(problem.level != "note" for problem in result.problems):
        context.exit(EXIT_INCOMPLETE)


def _refuse_to_overwrite(path: Path, *, force: bool) -> None:
    """Refuse what is there already before anything is written.

    :raises SettingsError: it is there and nobody said so, or is no file that could be replaced
    """
    if path == _STANDARD_OUTPUT or not os.path.lexists(path):
        return
    if not force:
        raise _refused(path, "is there already; give --force to overwrite it, or another --output or --report")
    if path.exists() and not path.is_file():
        raise _refused(path, "cannot be written: it is no file")


def _write_file(path: Path, content: bytes, *, force: bool) -> None:
    """Write the whole file or nothing, and never over another one unless that is wanted.

    :raises SettingsError: it is there, or cannot be written
    """
    # A link stays a link: what it points at is replaced.
    path = Path(os.path.realpath(path)) if force else path
    try:
        with locked_directory(path.parent, _PATIENCE):
            made = _take_name(path, force=force)
            try:
                replace_file(path, content)
            except BaseException:
                if made:
                    path.unlink()
                raise
    except FileExistsError:
        raise _refused(path, "is there already; give --force to overwrite it, or another name") from None
    except OSError as error:
        raise _refused(path, f"cannot be written: {error.strerror or error}") from None


def _take_name(path: Path, *, force: bool) -> bool:
    """Make an empty file with the usual permissions where none is, so that nobody else takes the name.

    :return: whether it was made
    :raises FileExistsError: one is there
    """
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        if not force:
            raise
        return False
    return True


def _report(result: Import, lint: Sequence[Problem], path: Path, *, as_json: bool, force: bool, err: bool) -> None:
    text = f"{json.dumps(report_data(result, lint), indent=2)}\n" if as_json else report_text(result, lint)
    _put(text, path, force=force, err=err)


def _put(text: str, path: Path, *, force: bool, err: bool) -> None:
    if path == _STANDARD_OUTPUT:
        click.echo(text, nl=False, err=err)
        return
    _write_file(path, text.encode("utf-8", "replace"), force=force)


def _refused(path: Path, message: str) -> SettingsError:
    return SettingsError((Problem(str(path), 0, 0, "", message),))
