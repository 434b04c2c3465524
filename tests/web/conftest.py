"""Servers for tests of the endpoints: one without Duo in this process, and one as a process of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support.served import Served, serving
from tests.support.site import Site, build_site

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
def served(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[Served]:
    """``casduo serve`` over plain http, for what only a real server and real sockets show."""
    with serving(tmp_path_factory.mktemp("served"), valkey_url) as found:
        yield found
