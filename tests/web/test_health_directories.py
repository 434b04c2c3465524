"""Directory servers that do not answer, as the health detail, the metrics and the page of administrators show them: by
what the sign-ins of late have left, and without asking one.
"""

from __future__ import annotations

from typing import Any

import pytest

from casduo.diagnosis.breakers import judge_directories
from casduo.outbound.breaker import BreakerState
from tests.support.site import Build, Site, words
from tests.web.admins import ADMINS, admin
from tests.web.asking import REGISTRY
from tests.web.test_metrics import value

CAMPUS = (
    "- {type: ldap, name: campus, servers: ['ldaps://127.0.0.1:1', 'ldaps://127.0.0.1:2'], base: 'dc=example',"
    " bind_dn: 'cn=a', bind_password: secret, connect_timeout: 1s}\n"
)
CLOSED, OPEN, HALF_OPEN = BreakerState


@pytest.fixture
def site(build: Build) -> Site:
    return build(registry=REGISTRY, settings=ADMINS, handlers=CAMPUS)


def directories(site: Site) -> dict[str, dict[str, Any]]:
    """What the report says of each server."""
    answer = site.browser().get("/healthz/detail", extra_environ={"REMOTE_ADDR": "127.0.0.1"})
    return {each["examined"]: each for each in answer.json["findings"] if each["part"] == "Directory (campus)"}


def breakers(site: Site) -> list[float | None]:
    measuring = site.composed.measuring
    assert measuring is not None
    measuring.meter.look()
    name = "casduo_upstream_breakers_open"
    return [value(site, name, upstream="ldap", server=server) for server in ("127.0.0.1:1", "127.0.0.1:2")]


def test_servers_that_do_not_answer_are_told_everywhere(site: Site) -> None:
    assert {name: each["level"] for name, each in directories(site).items()} == {
        "ldaps://127.0.0.1:1": "ok",
        "ldaps://127.0.0.1:2": "ok",
    }
    assert breakers(site) == [0, 0]
    browser = admin(site)
    browser.fill(site.browser().login_page(""), "nobody", "wrong")
    # A report is good for a while.
    site.clock.advance(11)
    found = directories(site)["ldaps://127.0.0.1:2"]
    assert (found["level"], found["detail"], found["facts"]["breaker"]) == ("fault", "breaker_open", "open")
    assert found["facts"]["handler"] == "campus"
    assert breakers(site) == [1, 1]
    page = words(browser.get("/admin/health"))
    assert "ldaps://127.0.0.1:1 has not answered of late" in page, page


@pytest.mark.parametrize(
    ("states", "levels"),
    [
        ((CLOSED, CLOSED), ["ok", "ok"]),
        ((OPEN, CLOSED), ["attention", "ok"]),
        ((HALF_OPEN, CLOSED), ["attention", "ok"]),
        ((OPEN, HALF_OPEN), ["fault", "fault"]),
    ],
)
def test_a_server_is_missed_less_where_another_of_its_directory_answers(
    states: tuple[BreakerState, BreakerState], levels: list[str]
) -> None:
    servers = dict(zip(("ldap://a:389", "ldap://b:389"), states, strict=True))
    found = judge_directories({"campus": servers, "other": {"ldap://c:389": CLOSED}})
    assert [each.level for each in found] == [*levels, "ok"]
    assert all(("next call" in each.found) == (state is HALF_OPEN) for each, state in zip(found, states, strict=False))
