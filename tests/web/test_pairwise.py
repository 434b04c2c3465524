"""Pairwise ids through the whole server: at validation, at sign-in, and what is kept of their key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from casduo.compose import compose
from casduo.errors import SettingsError
from casduo.services.pairwise import pairwise_id
from casduo.settings import load_settings
from tests.support.naming import names
from tests.support.site import Build, Site, heading, ticket_of

REGISTRY = """
services:
  - {id: survey, name: Survey, url: https://survey.example.edu/**, pairwise_id: true}
  - {id: forum, name: Forum, url: https://forum.example.edu/**, pairwise_id: true}
  - {id: board, name: Board, url: https://board.example.edu/**, pairwise_id: true, username_attribute: missing}
  - {id: wiki, name: Wiki, url: https://wiki.example.edu/**}
"""
PLAIN = REGISTRY.replace(", pairwise_id: true", "")
KEY = "a key of at least thirty-two characters"
GIVEN = f"pairwise_key: {KEY}\n"


def told(site: Site, service: str, path: str = "/p3/serviceValidate") -> str:
    """Return the name that the application learns after a sign-in of ada."""
    url = f"https://{service}.example.edu/"
    answer = site.validate(ticket_of(site.browser().sign_in("ada", url)), url, path).text
    found = re.search(r"<cas:user>(.*)</cas:user>|yes\n(.*)\n", answer)
    assert found is not None, answer
    return found[1] or found[2]


def state(tmp_path: Path) -> Path:
    return tmp_path / "site-0" / "state" / "pairwise_key"


@pytest.mark.parametrize("path", ["/p3/serviceValidate", "/serviceValidate", "/validate"])
def test_every_service_is_told_a_name_of_its_own(build: Build, path: str) -> None:
    site = build(registry=REGISTRY, settings=GIVEN)
    for service in ("survey", "forum"):
        assert told(site, service, path) == pairwise_id(KEY, service, "ada")
    assert told(site, "wiki", path) == "ada"


def test_who_has_no_name_for_a_service_is_told_so_after_the_password(build: Build) -> None:
    site = build(registry=REGISTRY, settings=GIVEN)
    answer = site.browser().sign_in("ada", "https://board.example.edu/")
    assert (answer.status_int, heading(answer)) == (403, "You may not use Board")


def test_the_key_is_made_at_the_start_of_a_server_that_needs_it(build: Build, tmp_path: Path) -> None:
    site = build(registry=REGISTRY)
    key = state(tmp_path).read_text().strip()
    assert told(site, "survey") == pairwise_id(key, "survey", "ada")


def test_a_server_that_needs_none_makes_none(build: Build, tmp_path: Path) -> None:
    assert told(build(registry=PLAIN), "survey") == "ada"
    assert not state(tmp_path).exists()


def test_a_service_that_wants_them_while_the_server_runs_gets_them(build: Build, tmp_path: Path) -> None:
    site = build(registry=PLAIN)
    services = site.composed.parts.services
    services.path.write_text(REGISTRY)
    assert services.poll()
    name = told(site, "survey")
    assert name == pairwise_id(state(tmp_path).read_text().strip(), "survey", "ada")


def test_without_a_key_that_can_be_used_nobody_is_told_a_name(build: Build, tmp_path: Path) -> None:
    site = build(registry=PLAIN)
    state(tmp_path).parent.mkdir(exist_ok=True)
    state(tmp_path).write_text("short")
    services = site.composed.parts.services
    services.path.write_text(REGISTRY)
    assert services.poll()
    url = "https://survey.example.edu/"
    answer = site.validate(ticket_of(site.browser().sign_in("ada", url)), url).text
    assert 'code="INTERNAL_ERROR"' in answer
    assert not names(answer, "ada")


def test_a_server_whose_key_cannot_be_used_does_not_start(build: Build, tmp_path: Path) -> None:
    build(registry=PLAIN)
    (tmp_path / "site-0" / "registry.yaml").write_text(REGISTRY)
    state(tmp_path).parent.mkdir(exist_ok=True)
    state(tmp_path).write_text("short")
    with pytest.raises(SettingsError, match="restore it from a copy"):
        compose(load_settings(tmp_path / "site-0" / "casduo.yaml", {}), watch=False)
