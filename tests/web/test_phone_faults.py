"""Phones while UCM is away, slow or loses its answers, and while several people are at one phone: a clear page in time,
and nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from casduo.phone.locks import LOCKED, DeviceLocks
from casduo.simulators.ucm.faults import AnswerKind, SpoilKind
from tests.support.pushing import wait_for
from tests.support.ward import PHONE, Ward, at_once
from tests.support.ward_faults import (
    LATER,
    LOGGED_IN,
    MOMENT,
    PATIENCE,
    UNSURE,
    VERY_BUSY,
    approved,
    by_em,
    check_answers,
    goes_on,
    log_in,
    names,
    shows,
)


@pytest.fixture(params=["emapi", "axl"])
def ward(request: pytest.FixtureRequest, ward_with: Callable[..., Ward]) -> Iterator[Ward]:
    """The ward with either back end."""
    found = ward_with(em=request.param == "emapi")
    yield found
    check_answers(found)


@pytest.fixture
def em_ward(ward_with: Callable[..., Ward]) -> Iterator[Ward]:
    found = ward_with(em=True)
    yield found
    check_answers(found)


# One node of UCM


def stop(ward: Ward) -> None:
    ward.ucm.nodes[0].stop_listening()


def hang(ward: Ward) -> None:
    ward.ucm.nodes[0].faults.spoil("hang")


def slow(ward: Ward) -> None:
    ward.ucm.nodes[0].faults.delay(1.0)


def say_no_tls(ward: Ward) -> None:
    ward.ucm.nodes[0].transport.silent_connections = True
    ward.ucm.nodes[0].drop_connections()


def strange_certificate(ward: Ward) -> None:
    ward.ucm.nodes[0].show_certificate("other_authority")


def cut(ward: Ward) -> None:
    for name in ("doAuthenticateUser", "getUser", "getPhone", "deviceUserQuery", "executeSQLQuery"):
        ward.ucm.nodes[0].faults.spoil("cut_xml", name)


def answering(kind: AnswerKind) -> Callable[[Ward], None]:
    def answer(ward: Ward) -> None:
        ward.ucm.nodes[0].faults.answer(kind)

    answer.__name__ = kind
    return answer


@pytest.mark.parametrize("trouble", [hang, slow, say_no_tls], ids=lambda trouble: trouble.__name__)
def test_one_node_that_takes_its_time_keeps_nobody_out(em_ward: Ward, trouble: Callable[[Ward], None]) -> None:
    trouble(em_ward)
    log_in(em_ward)
    assert em_ward.login() == ("ada", "ada-ward")
    assert em_ward.login_writes() == 1


@pytest.mark.parametrize(
    "trouble",
    [
        stop,
        strange_certificate,
        cut,
        *map(answering, ("unavailable", "unavailable_empty", "memory", "html", "empty", "not_found")),
    ],
    ids=lambda trouble: trouble.__name__,
)
def test_one_node_that_is_away_or_answers_something_else_keeps_nobody_out(
    ward: Ward, trouble: Callable[[Ward], None]
) -> None:
    trouble(ward)
    log_in(ward)
    assert ward.login() == ("ada", "ada-ward")
    assert ward.login_writes() == 1
    ward.ucm.nodes[0].show_certificate(None)


def test_a_login_that_axl_does_not_write_without_the_publisher_is_told(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(em=False)
    ward.ucm.policy.axl_writes_need_publisher = True
    stop(ward)
    phone = approved(ward)
    ward.pass_time(3.0)
    shows(phone, "The phone system does not allow this")
    assert ward.login() is None
    check_answers(ward)


# All nodes of UCM


@pytest.mark.parametrize("how", ["refuses", "hangs"])
def test_a_ucm_that_is_away_gets_a_plain_page_at_every_step_and_nothing_is_written(ward: Ward, how: str) -> None:
    waiting, at_form, new = approved(ward), ward.at_form(timeout=PATIENCE), ward.phone(timeout=PATIENCE)
    for node in ward.ucm.nodes:
        if how == "refuses":
            node.stop_listening()
        else:
            node.faults.spoil("hang")
    at_once(new.press_services, lambda: ward.submit(at_form), lambda: waiting.press("Update"))
    for phone in (new, at_form, waiting):
        shows(phone, LATER)
    assert ward.login() is None
    assert ward.login_writes() == 0
    for node in ward.ucm.nodes:
        node.faults.clear()
        if not node.listening:
            node.listen_again()
    waiting.press("Retry")
    ward.submit(waiting)
    shows(waiting, "Approve")
    ward.answer_push()
    ward.logged_in(waiting)


def throttle(ward: Ward) -> None:
    """Have UCM say that it has too much to do, each interface in its own way."""
    for node in ward.ucm.nodes:
        for operation in ("doAuthenticateUser", "getPhone"):
            node.faults.answer("memory", operation)
        for operation in ("deviceUserQuery", "login"):
            node.faults.refuse(26, operation=operation)


def test_while_ucm_throttles_phones_ask_again_by_themselves(ward: Ward) -> None:
    waiting, at_form, new = approved(ward), ward.at_form(timeout=PATIENCE), ward.phone(timeout=PATIENCE)
    throttle(ward)
    new.press_services()
    shows(new, MOMENT)
    ward.submit(at_form)
    shows(at_form, VERY_BUSY)
    waiting.press("Update")
    shows(waiting, MOMENT)
    assert ward.login_writes() == 0
    for node in ward.ucm.nodes:
        node.faults.clear()
    ward.pass_time(3.0)
    shows(waiting, LOGGED_IN)
    shows(new, "Phone in use")
    assert ward.login_writes() == 1


def test_a_wrong_account_is_tried_at_one_node_and_somebody_is_told(ward: Ward) -> None:
    for node in ward.ucm.nodes:
        node.faults.answer("unauthorized")
    phone = ward.opened(timeout=PATIENCE)
    if by_em(ward):
        # That interface has its accounts in the document; the PIN is AXL's in any case.
        shows(phone, LATER)
        for node in ward.ucm.nodes:
            node.faults.clear()
            node.faults.answer("unauthorized", "doAuthenticateUser")
        phone.press("Retry")
        ward.submit(phone)
    shows(phone, LATER)
    assert {len(ward.ucm.requests(node=number)) for number in (1, 2)} == {0}
    codes = {event.code for event in ward.site.journal.named("fault")}
    assert codes == {"UCM_MISCONFIGURED"}


def test_one_login_too_many_at_once_is_made_a_moment_later(em_ward: Ward) -> None:
    phone = approved(em_ward)
    em_ward.ucm.nodes[0].faults.refuse(26, operation="login", times=1)
    phone.press("Update")
    shows(phone, MOMENT)
    assert (em_ward.login_writes(), em_ward.login()) == (1, None)
    em_ward.pass_time(3.0)
    shows(phone, LOGGED_IN)
    assert (em_ward.login_writes(), em_ward.login()) == (2, ("ada", "ada-ward"))
    assert em_ward.pushes_sent() == 1


def test_a_session_that_ucm_has_forgotten_costs_nobody_anything(ward: Ward) -> None:
    phone = log_in(ward)
    ward.ucm.log_out(PHONE)
    ward.pass_time_unseen(ward.ucm.policy.session_seconds + 1)
    phone.exit()
    ward.phones.clear()
    log_in(ward)
    assert 404 in {record.status for record in ward.ucm.requests}
    assert ward.login() == ("ada", "ada-ward")
    assert ward.login_writes() == 2


# Answers that are lost


@pytest.mark.parametrize("how", ["lost", "lost_silently", "cut_xml"])
def test_a_login_whose_answer_is_lost_is_made_once(ward: Ward, how: SpoilKind) -> None:
    login, _, _ = names(ward)
    ward.ucm.nodes[0].faults.spoil(how, login, times=1)
    phone = approved(ward)
    ward.pass_time(3.0)
    shows(phone, MOMENT)
    ward.pass_time(2.0)
    shows(phone, LOGGED_IN)
    assert ward.login() == ("ada", "ada-ward")
    assert ward.login_writes() == 1
    (unsure,) = ward.site.journal.named("phone.unsure")
    assert unsure.device == PHONE


def test_a_login_that_got_lost_before_it_was_made_is_sent_once_more(ward: Ward) -> None:
    login, _, _ = names(ward)
    ward.ucm.nodes[0].faults.spoil("dropped", login, times=1)
    phone = approved(ward)
    ward.pass_time(3.0)
    shows(phone, MOMENT)
    ward.pass_time(2.0)
    shows(phone, LOGGED_IN)
    assert ward.login() == ("ada", "ada-ward")
    assert ward.login_writes() == 2


def test_a_login_that_gets_lost_twice_ends_with_a_plain_page(ward: Ward) -> None:
    login, _, _ = names(ward)
    for node in ward.ucm.nodes:
        node.faults.spoil("dropped", login)
    phone = approved(ward)
    for _ in range(3):
        ward.pass_time(3.0)
    shows(phone, UNSURE)
    assert ward.login() is None
    assert ward.login_writes() == 2
    for node in ward.ucm.nodes:
        node.faults.clear()
    phone.press("Retry")
    ward.submit(phone)
    ward.answer_push()
    ward.logged_in(phone)


def test_nobody_is_asked_while_what_was_lost_cannot_be_looked_at(ward: Ward) -> None:
    login, _, look = names(ward)
    ward.ucm.nodes[0].faults.spoil("lost", login, times=1)
    phone = approved(ward)
    ward.pass_time(3.0)
    for node in ward.ucm.nodes:
        node.faults.answer("html", look)
    for _ in range(3):
        ward.pass_time(3.0)
        shows(phone, MOMENT)
    for node in ward.ucm.nodes:
        node.faults.clear()
    ward.pass_time(3.0)
    shows(phone, LOGGED_IN)
    assert ward.login_writes() == 1


def test_what_was_lost_is_not_sent_again_to_a_phone_that_somebody_else_is_dealing_with(ward: Ward) -> None:
    login, _, look = names(ward)
    ward.ucm.nodes[0].faults.spoil("dropped", login, times=1)
    phone = approved(ward)
    ward.pass_time(3.0)
    for node in ward.ucm.nodes:
        node.faults.answer("html", look)
    ward.pass_time(3.0)
    # Longer than a lock is given for.
    store = ward.site.composed.parts.store
    (lock,) = store.command("KEYS", f"*{PHONE}*:lock")
    store.command("DEL", lock)
    other = DeviceLocks(store)
    token = other.take(PHONE)
    for node in ward.ucm.nodes:
        node.faults.clear()
    ward.pass_time(3.0)
    shows(phone, MOMENT)
    assert ward.login_writes() == 1
    assert other.free(PHONE, token)
    ward.pass_time(3.0)
    shows(phone, LOGGED_IN)
    assert ward.login_writes() == 2


@pytest.mark.parametrize("how", ["lost", "dropped"])
def test_a_logout_whose_answer_is_lost_is_not_sent_again(ward: Ward, how: SpoilKind) -> None:
    _, logout, _ = names(ward)
    ward.ucm.log_in(PHONE, "ada")
    ward.ucm.nodes[0].faults.spoil(how, logout, times=1)
    phone = ward.opened(timeout=PATIENCE)
    phone.press("Logout")
    phone.press("Logout")
    shows(phone, MOMENT)
    ward.pass_time(3.0)
    shows(phone, "You are logged out" if how == "lost" else UNSURE)
    assert (ward.login() is None) == (how == "lost")
    assert ward.logout_writes() == 1


@pytest.mark.parametrize("em", [True, False], ids=["emapi", "axl"])
def test_taking_over_a_phone_with_the_login_lost_logs_nobody_out_twice(
    ward_with: Callable[..., Ward], em: bool
) -> None:
    ward = ward_with(em=em, settings="phones: {other_user: take_over}\n")
    login, _, _ = names(ward)
    phone = approved(ward)
    ward.ucm.log_in(PHONE, "grace")
    ward.ucm.nodes[0].faults.spoil("dropped", login, times=1)
    ward.pass_time(3.0)
    shows(phone, MOMENT)
    assert ward.login() is None
    ward.pass_time(3.0)
    shows(phone, LOGGED_IN)
    assert ward.login() == ("ada", "ada-ward")
    assert (ward.logout_writes(), ward.login_writes()) == (1, 2)
    (out,) = ward.site.journal.named("phone.logged_out")
    assert out.cause == "taken_over"
    check_answers(ward)


# One phone, several people


def test_one_name_at_two_phones_is_one_login(ward: Ward) -> None:
    one, other = (ward.at_form(timeout=PATIENCE) for _ in range(2))
    at_once(lambda: ward.submit(one), lambda: ward.submit(other))
    for phone in (one, other):
        goes_on(ward, phone, "Approve")
    assert ward.pushes_sent() == 1
    ward.answer_push()
    at_once(*[lambda phone=phone: ward.logged_in(phone) for phone in (one, other)])
    assert ward.login_writes() == 1


def test_of_two_people_at_one_phone_one_is_logged_in(ward: Ward) -> None:
    ada, mary = approved(ward, "ada"), approved(ward, "mary")
    mary.press("Update")
    mary.pick(1)
    ada.press("Update")
    shows(ada, "mary is logged in")
    shows(mary, LOGGED_IN)
    assert ward.login() == ("mary", "mary-ward")
    assert ward.login_writes() == 1


def test_two_people_who_are_let_in_at_the_same_moment_do_not_overwrite_each_other(ward: Ward) -> None:
    ada, mary = approved(ward, "ada"), approved(ward, "mary")
    mary.press("Update")
    at_once(lambda: mary.pick(1), lambda: ada.press("Update"))
    # Whoever came a moment later asks again by itself.
    ward.pass_time(3.0)
    shown = [str(phone.screen) for phone in (ada, mary)]
    assert sum(LOGGED_IN in text for text in shown) == 1, shown
    assert sum("has to log out" in text for text in shown) == 1, shown
    assert ward.login_writes() == 1


def test_a_phone_whose_lock_somebody_died_with_is_free_again_after_half_a_minute(ward: Ward) -> None:
    store = ward.site.composed.parts.store
    assert DeviceLocks(store).take(PHONE)
    phone = approved(ward)
    ward.pass_time(3.0)
    shows(phone, MOMENT)
    assert ward.login_writes() == 0
    (lock,) = store.command("KEYS", f"*{PHONE}*:lock")
    assert 0 < store.command("PTTL", lock) <= LOCKED * 1000
    store.command("PEXPIRE", lock, 1)
    wait_for(lambda: not store.command("EXISTS", lock))
    ward.pass_time(3.0)
    shows(phone, LOGGED_IN)
    assert ward.login_writes() == 1
