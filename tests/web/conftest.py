"""Servers for tests of the endpoints: one without Duo in this process, and one as a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from tests.support.portal import Portal, registry_with, trusting
from tests.support.served import Served, serving_alone
from tests.support.site import Build, Site, build_site
from tests.support.ward import Ward
from tests.support.wards import Wards

REGISTRY = """
services:
  - id: library
    name: Library catalogue
    url: https://library.example.edu/**
    attributes: [mail, displayName, groups]
  - id: archive
    name: Archive
    url: https://archive.example.edu/**
  - id: solo
    name: Examination
    url: https://solo.example.edu/**
    single_sign_on: false
  - id: staff
    name: Staff room
    url: https://staff.example.edu/**
    access: {groups: [staff], reason: Staff only.}
  - id: lab
    name: Laboratory
    url: https://lab.example.edu/**
    access: {networks: [10.0.0.0/8]}
  - id: closed
    name: Old system
    url: https://closed.example.edu/**
    enabled: false
"""


@pytest.fixture(scope="module")
def open_site(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[Site]:
    """A server without Duo that a whole file of tests shares: for tests that change neither registry nor clock."""
    site = build_site(tmp_path_factory.mktemp("open"), valkey_url, float(int(time.time())), REGISTRY)
    yield site
    site.composed.close()


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """``casduo serve`` over plain http, for what only a real server and real sockets show."""
    directory = tmp_path_factory.mktemp("served")
    with serving_alone(directory) as found:
        yield found


@pytest.fixture(scope="session")
def portal_leaf(authority: CertificateAuthority) -> LeafFiles:
    return authority.issue(["portal.example.edu"])


@pytest.fixture(scope="module")
def running_portal(portal_leaf: LeafFiles) -> Iterator[Portal]:
    with Portal(portal_leaf) as found:
        yield found


@pytest.fixture
def portal(running_portal: Portal) -> Portal:
    """An application that may proxy, as new."""
    running_portal.forget()
    return running_portal


@pytest.fixture(scope="module")
def proxying_site(
    tmp_path_factory: pytest.TempPathFactory, valkey_url: str, running_portal: Portal, portal_leaf: LeafFiles
) -> Iterator[Site]:
    """A server that a whole file of tests shares, with applications that proxy: change neither registry nor clock."""
    directory = tmp_path_factory.mktemp("proxying")
    now = float(int(time.time()))
    site = build_site(directory, valkey_url, now, registry_with(running_portal), trusting(portal_leaf))
    yield site
    site.composed.close()


@pytest.fixture
def own_site(build: Build, portal: Portal, portal_leaf: LeafFiles) -> Site:
    """A server of the same kind whose registry, clock and Redis are a test's own."""
    return build(registry=registry_with(portal), settings=trusting(portal_leaf))


@pytest.fixture(scope="module")
def wards(tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority) -> Iterator[Wards]:
    """The wards with IP phones that a whole file of tests shares."""
    found = Wards(tmp_path_factory.mktemp("wards"), authority)
    yield found
    found.close()


@pytest.fixture
def ward_with(wards: Wards) -> Iterator[Callable[..., Ward]]:
    """Gives a ward by its terms, as new; at the end no phone may have met a page that a strict one refuses."""
    given: list[Ward] = []

    def give(**terms: object) -> Ward:
        given.append(wards.of(**terms))
        return given[-1]

    yield give
    for ward in given:
        ward.check_phones()


@pytest.fixture
def ward(ward_with: Callable[..., Ward]) -> Ward:
    """The ward as it is without further settings."""
    return ward_with()


@pytest.fixture(params=["emapi", "axl"])
def either_ward(request: pytest.FixtureRequest, ward_with: Callable[..., Ward]) -> Ward:
    """The ward with either back end."""
    return ward_with(em=request.param == "emapi")
