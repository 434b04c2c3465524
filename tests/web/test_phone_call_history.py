"""A phone that forgets whom its last user has called, where the settings want that."""

from __future__ import annotations

from casduo.simulators.certificates import CertificateAuthority
from tests.support.site import Build
from tests.support.ward import PHONE, running_ward


def test_the_lists_of_calls_go_with_their_user(build: Build, authority: CertificateAuthority) -> None:
    with running_ward(build, authority, settings="phones: {clear_call_history: true}\n", worker=False) as ward:
        ward.ucm.log_in(PHONE, "ada", "ada-ward")
        phone = ward.phone()
        phone.press_services()
        phone.press("Logout")
        phone.press("Logout")
        assert phone.performed == ["Init:CallHistory"]
        assert "logged out" in str(phone.screen).lower()
        assert ward.ucm.login_of(PHONE) is None


def test_they_stay_where_nobody_asked_for_that(build: Build, authority: CertificateAuthority) -> None:
    with running_ward(build, authority, worker=False) as ward:
        ward.ucm.log_in(PHONE, "ada", "ada-ward")
        phone = ward.phone()
        phone.press_services()
        phone.press("Logout")
        phone.press("Logout")
        assert phone.performed == []
        assert "logged out" in str(phone.screen).lower()
