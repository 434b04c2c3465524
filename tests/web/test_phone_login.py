"""Logging in on a phone, from the services key to the person's profile on it: casduo, UCM and Duo on real sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from casduo.account.signins import listed
from casduo.simulators.certificates import CertificateAuthority
from tests.support.site import Build
from tests.support.ward import PHONE, Ward, running_ward


@pytest.fixture(params=["emapi", "axl"])
def ward(request: pytest.FixtureRequest, build: Build, authority: CertificateAuthority) -> Iterator[Ward]:
    """A ward with either back end."""
    with running_ward(build, authority, em=request.param == "emapi") as found:
        yield found


def test_a_push_that_is_approved_logs_the_person_in(ward: Ward) -> None:
    phone = ward.submitted("ada")
    assert "Approve" in str(phone.screen)
    ward.answer_push("ada")
    ward.await_screen(phone, lambda shown: "logged in" in shown.lower())
    login = ward.ucm.login_of(PHONE)
    assert login is not None
    assert (login.user, login.profile) == ("ada", "ada-ward")
    parts = ward.site.composed.parts
    parts.later.flush()
    (line,) = listed(parts.history.of("ada"), 0)
    assert (line.told.outcome, line.told.agent, line.told.device) == ("phone", "IP phone", PHONE)
