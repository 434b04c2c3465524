"""What tests of phones do while something is away: a person at a phone who waits, and looks at what it says."""

from __future__ import annotations

from casduo.simulators.phone import IpPhone
from tests.support.pushing import wait_for
from tests.support.ward import PHONE, Ward

PATIENCE = 5.0
"""Seconds for which a phone of these tests waits for an answer, and no longer."""
MOMENT = "One moment"
LOGGED_IN = "Logged in"
LATER = "does not work at the moment"
VERY_BUSY = "Very busy. Try again soon."
UNSURE = "cannot tell whether that worked"
NO_DUO = "Duo cannot be reached"
BEGIN_AGAIN = "Please start again"


def check_answers(ward: Ward) -> None:
    """Whatever happened, each request of a phone was answered in time by a page."""
    assert ward.phones
    for phone in ward.phones:
        assert {sent.status for sent in phone.requests} <= {200}, phone.requests
        assert phone.prompt_error == ""
        phone.check()


def by_em(ward: Ward) -> bool:
    return ward.site.composed.parts.phone_logins.has_policy


def names(ward: Ward) -> tuple[str, str, str]:
    """Return what UCM calls a login, a logout, and the question who is on a phone."""
    return ("login", "logout", "deviceUserQuery") if by_em(ward) else ("doDeviceLogin", "doDeviceLogout", "getPhone")


def approved(ward: Ward, user: str = "ada", device: str = PHONE) -> IpPhone:
    """Return a phone whose next request finds that the push was approved."""
    phone = ward.submitted(user, device, timeout=PATIENCE)
    goes_on(ward, phone, "Approve")
    ward.answer_push(user)
    return phone


def log_in(ward: Ward, user: str = "ada") -> IpPhone:
    phone = approved(ward, user)
    ward.logged_in(phone)
    return phone


def shows(phone: IpPhone, words: str) -> None:
    assert words in str(phone.screen), f"{phone.prompt_error} {phone.screen}"


def goes_on(ward: Ward, phone: IpPhone, words: str) -> None:
    """Have the phone ask until it is told something, while only real time passes."""

    def told() -> bool:
        if words not in str(phone.screen):
            phone.press("Update")
        return words in str(phone.screen)

    wait_for(told)
