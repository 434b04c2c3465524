"""``/healthz/detail`` about the nodes of a UCM: as the calls of late have left them, and without asking one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from casduo.outbound.budget import Budget
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.ucm import UcmSimulator
from casduo.ucm.errors import UcmUnavailable
from tests.support.site import Build, Site


@pytest.fixture
def ucm(authority: CertificateAuthority) -> Iterator[UcmSimulator]:
    with UcmSimulator(authority.issue(), nodes=2) as running:
        running.add_application_user("casduo", "secret", {"axl", "em"})
        yield running


@pytest.fixture
def site(build: Build, ucm: UcmSimulator) -> Site:
    account = "username: casduo, password: secret"
    return build(
        registry="services: [{id: library, name: Library, url: 'https://library.example.edu/**'}]\n",
        settings=f"ucm: {{ca_file: {ucm.ca_file},\n"
        f"  axl: {{servers: {json.dumps(ucm.servers)}, {account}}}, em: {{servers: {ucm.servers[1]}, {account}}}}}\n",
    )


def nodes(site: Site) -> dict[str, dict[str, Any]]:
    """What the report says of each node."""
    answer = site.browser().get("/healthz/detail", extra_environ={"REMOTE_ADDR": "127.0.0.1"})
    found = {each["examined"]: each for each in answer.json["findings"] if each["part"] == "UCM"}
    return {name.replace("localhost", ""): each for name, each in found.items()}


def ask(site: Site, times: int) -> None:
    for _ in range(times):
        site.composed.parts.user_directory.user("ada", Budget(4.0))


def test_each_node_is_listed_and_none_is_asked(site: Site, ucm: UcmSimulator) -> None:
    first, second = (node.port for node in ucm.nodes)
    found = nodes(site)
    assert list(found) == [f"axl :{first}", f"axl :{second}", f"em :{second}"]
    assert {each["level"] for each in found.values()} == {"ok"}
    assert found[f"em :{second}"]["facts"] == {
        "interface": "em",
        "node": ucm.servers[1],
        "breaker": "closed",
    }
    assert ucm.calls() == 0


def test_a_node_that_is_left_alone_is_worth_a_look_while_another_one_answers(site: Site, ucm: UcmSimulator) -> None:
    first, second = (node.port for node in ucm.nodes)
    ucm.nodes[0].stop_listening()
    ask(site, 5)
    found = nodes(site)
    told = found[f"axl :{first}"]
    assert (told["level"], told["detail"], told["facts"]["breaker"]) == ("attention", "breaker_open", "open")
    assert found[f"axl :{second}"]["level"] == "ok"


def test_where_no_node_is_left_it_is_a_fault(site: Site, ucm: UcmSimulator) -> None:
    for node in ucm.nodes:
        node.stop_listening()
    parts = site.composed.parts
    for _ in range(5):
        with pytest.raises(UcmUnavailable):
            parts.phone_logins.devices_of("ada", Budget(4.0))
    found = nodes(site)
    assert {name.split(" ")[0]: each["level"] for name, each in found.items()} == {"axl": "ok", "em": "fault"}
    assert "nobody can log in on a phone" in found[f"em :{ucm.nodes[1].port}"]["cause"]
