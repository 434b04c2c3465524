"""A server that the tests of weaknesses share, and an application with a callback page beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.store import Store
from casduo.store.embedded import EmbeddedValkey
from casduo.store.store import client_for
from tests.security.steps import NOW, registry_beside
from tests.support.portal import Portal, trusting
from tests.support.rest import REST
from tests.support.site import Site, build_site
from tests.support.ward import Ward
from tests.support.wards import Wards


@pytest.fixture(scope="package")
def trusted(authority: CertificateAuthority) -> LeafFiles:
    """The certificate of the callback page, with the authority that servers here trust."""
    return authority.issue()


@pytest.fixture(scope="package")
def callback_page(trusted: LeafFiles) -> Iterator[Portal]:
    with Portal(trusted) as running:
        yield running


@pytest.fixture
def portal(callback_page: Portal) -> Portal:
    """The callback page of an application, as if nobody had been there before."""
    callback_page.forget()
    return callback_page


@pytest.fixture(scope="package")
def shared_site(
    tmp_path_factory: pytest.TempPathFactory,
    valkey_url: str,
    callback_page: Portal,
    trusted: LeafFiles,
) -> Iterator[Site]:
    settings = REST + trusting(trusted)
    registry = registry_beside(callback_page)
    site = build_site(tmp_path_factory.mktemp("plain"), valkey_url, NOW, registry, settings)
    yield site
    site.composed.close()


@pytest.fixture
def plain(shared_site: Site, store: Store) -> Site:
    """A server without Duo, with proxying and the REST protocol, for tests that change neither clock nor registry; with
    an empty Redis, for other tests guess passwords from the same address.
    """
    return shared_site


@pytest.fixture(scope="package")
def own_redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis for servers with a worker: what is to be told is for that worker, and for no other test."""
    with EmbeddedValkey(tmp_path_factory.mktemp("own-valkey")) as server:
        yield server.url


@pytest.fixture
def own_store(own_redis_url: str) -> Iterator[Store]:
    """That Redis, empty."""
    store = Store(client_for(own_redis_url, "", 5.0, 64, ""))
    store.command("FLUSHALL")
    yield store
    store.close()


@pytest.fixture(scope="module")
def wards(tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority) -> Iterator[Wards]:
    """The wards with IP phones that a whole file of tests shares."""
    found = Wards(tmp_path_factory.mktemp("wards"), authority)
    yield found
    found.close()


@pytest.fixture
def ward_with(wards: Wards) -> Callable[..., Ward]:
    """Gives a ward by its terms, as new."""
    return wards.of


@pytest.fixture
def ward(ward_with: Callable[..., Ward]) -> Ward:
    """The ward as it is without further settings."""
    return ward_with()
