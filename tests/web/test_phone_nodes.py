"""Phones while nodes and workers die: real processes on one Redis, and phones that are sent to another node then."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.phone import IpPhone
from casduo.webflow.stands import LOST
from tests.support.waiting import until
from tests.support.ward import OTHER_PHONE, PHONE
from tests.support.ward_nodes import Hall, running_hall

LOGGED_IN = "Logged in"
BEGIN_AGAIN = "Please start again"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority) -> Iterator[Hall]:
    with running_hall(tmp_path_factory.mktemp("hall"), authority) as hall:
        yield hall


@pytest.fixture
def hall(running: Hall) -> Hall:
    running.renew()
    return running


def test_a_node_is_killed_between_push_and_approval_and_the_login_goes_on_at_another_one(hall: Hall) -> None:
    hall.crew.of(1)
    first, second = hall.nodes(2)
    hall.send_to(first)
    phone = hall.submitted()
    assert "Approve" in str(phone.screen), phone.prompt_error
    first.kill()
    hall.send_to(second)
    hall.duo.phone("ada").approve()
    hall.goes_on(phone, LOGGED_IN)
    login = hall.ucm.login_of(PHONE)
    assert login is not None
    assert (login.user, login.profile) == ("ada", "ada-ward")
    assert hall.login_writes() == 1
    assert hall.duo.requests.count("/auth/v2/auth") == 1
    phone.check()


def test_a_worker_is_killed_while_it_follows_the_push_and_another_one_takes_over(hall: Hall) -> None:
    hall.crew.of(2)
    (node,) = hall.nodes(1)
    hall.send_to(node)
    phone = hall.submitted()
    hall.crew.holder().kill()
    hall.duo.phone("ada").approve()
    hall.goes_on(phone, LOGGED_IN)
    assert hall.login_writes() == 1
    phone.check()


def test_a_node_is_killed_in_the_middle_of_a_step_and_nothing_happens_twice(hall: Hall) -> None:
    """At one phone it is about to log somebody in, at another one Duo is asked for the first time."""
    hall.crew.of(1)
    dying, other = hall.nodes(2)
    hall.send_to(dying)
    writing = hall.submitted("ada")
    hall.duo.phone("ada").approve()
    for node in hall.ucm.nodes:
        node.faults.spoil("lost_silently", "login")
    hall.duo.transport.stay_silent("/auth/v2/auth")
    with ThreadPoolExecutor(2) as pool:
        asking = pool.submit(hall.submitted, "mary", OTHER_PHONE)
        until(lambda: hall.duo.requests.count("/auth/v2/preauth") == 2, "mary's push is being sent")
        pool.submit(_until_the_write, hall, writing)
        until(lambda: hall.login_writes() == 1, "ada's login was written")
        dying.kill()
    hall.duo.transport.clear()
    for node in hall.ucm.nodes:
        node.faults.clear()
    hall.send_to(other)
    # Either phone was cut off. One asks again for where it was, at the other one the form is sent once more.
    writing.press("Update")
    lost = asking.result()
    hall.submit(lost, "mary")
    assert "One moment" in str(lost.screen), f"{lost.prompt_error} {lost.screen}"
    assert hall.goes_on(writing, BEGIN_AGAIN) < LOST + 2
    hall.goes_on(lost, BEGIN_AGAIN)
    assert hall.login_writes() == 1
    # What was written is there, and beginning again works.
    writing.press("Retry")
    assert "ada is logged in" in str(writing.screen)
    lost.press("Retry")
    hall.submit(lost, "mary")
    assert "Confirm with Duo" in str(lost.screen), str(lost.screen)
    for phone in (writing, lost):
        phone.check()


def _until_the_write(hall: Hall, phone: IpPhone) -> None:
    while not hall.login_writes() and not phone.prompt_error:
        hall.time.advance(3.0)
        phone.tick()
