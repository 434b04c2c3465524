"""``casduo keys``: which keys sign, adding one before it is needed, and retiring those that no longer are."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import click

from casduo.fieldtypes import parse_delay
from casduo.keyring import add_key, moment_text, read_ring, retire_key, signed_until
from casduo.services.file import load_registry
from casduo.settings import Settings, find_settings, key_ring, load_settings
from casduo.signing import SigningKey, signing_key_at

_LONGEST_FORM = 12 * 3600.0
"""Seconds that forms of pages may stay open at least."""


@click.group("keys")
@click.option("--config", type=click.Path(path_type=Path), help="The settings file; default as for `casduo serve`.")
@click.option(
    "--file", "path", type=click.Path(dir_okay=False, path_type=Path), help="The file of keys; default: theirs."
)
@click.pass_context
def keys(context: click.Context, config: Path | None, path: Path | None) -> None:
    """Signing keys: fingerprints and dates. No key is ever printed. Servers take a change in at SIGHUP."""
    settings = load_settings(find_settings(config, os.environ), os.environ)
    found = path or key_ring(settings)
    if found is None:
        raise click.UsageError(
            "the signing key stands in the settings (secret_key); move it to previous_secret_keys and name a file as "
            "key_ring, or give --file"
        )
    context.obj = (found, settings)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_obj
def show(given: tuple[Path, Settings], as_json: bool) -> None:
    """Say which keys there are, since when or from when they sign, and which one signs now."""
    path, _ = given
    found, now = read_ring(path), time.time()
    rows = [_row(found, key, now) for key in found]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['fingerprint']}  {row['state']:<8}  {_dates(row)}")


@keys.command("add")
@click.option(
    "--in", "delay", default="10m", show_default=True, help="When it begins to sign; until then it is accepted."
)
@click.pass_obj
def add(given: tuple[Path, Settings], delay: str) -> None:
    """Make a key. Give every node the file, and SIGHUP, before it begins to sign."""
    path, _ = given
    try:
        seconds = parse_delay(delay)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--in") from None
    key = add_key(path, time.time() + seconds)
    click.echo(
        f"{key.fingerprint} signs from {moment_text(key.signs_from)}; bring {path} to every node by then, and SIGHUP"
    )


@keys.command("retire")
@click.argument("fingerprint")
@click.option("--force", is_flag=True, help="At once, whatever it has signed: somebody else may have it.")
@click.pass_obj
def retire(given: tuple[Path, Settings], fingerprint: str, force: bool) -> None:
    """Take a key out, once nothing is about any more that it has signed. Nobody is signed out by that."""
    path, settings = given
    key = retire_key(path, fingerprint, time.time(), longest_use(settings), force=force)
    click.echo(f"{key.fingerprint} is retired; bring {path} to every node, and SIGHUP")


def longest_use(settings: Settings) -> float:
    """Return for how many seconds something may be about that was signed: forms, links, trusted browsers."""
    lasting = [
        _LONGEST_FORM,
        settings.login.form_lifetime,
        settings.login.flow_lifetime,
        settings.enrollment.link_lifetime,
    ]
    if settings.duo is not None:
        lasting += [settings.duo.trusted_browser or 0.0]
        lasting += [one.trusted_browser or 0.0 for one in settings.duo.applications.values()]
        registry = load_registry(settings.registry, settings)
        lasting += [getattr(entry.requires_duo, "trusted_browser", None) or 0.0 for entry in registry.services]
    return max(lasting)


def _row(found: tuple[SigningKey, ...], key: SigningKey, now: float) -> dict[str, object]:
    until = signed_until(found, key, now)
    state = "signs" if signing_key_at(found, now) is key else "waits" if key.signs_from > now else "accepted"
    return {
        "fingerprint": key.fingerprint,
        "state": state,
        "signs_from": moment_text(key.signs_from) if key.signs_from else None,
        "signed_until": moment_text(until) if until is not None else None,
    }


def _dates(row: dict[str, object]) -> str:
    begun = f"from {row['signs_from']}" if row["signs_from"] else "from the beginning"
    return begun + (f" to {row['signed_until']}" if row["signed_until"] else "")
