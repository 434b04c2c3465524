"""The job that asks what Duo would have done, with a real Redis and the simulated Duo on a socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from casduo.mfa.duo.reports import REPORTS, Reports
from casduo.simulators.duo import DuoSimulator
from casduo.worker.reports import DuoReports
from tests.worker.pushing import REGISTRY
from tests.worker.working import Site, Working, eventually, working

PREAUTH = "/auth/v2/preauth"


@pytest.fixture
def site(site: Site, duo_settings: str) -> Site:
    site.write(REGISTRY, duo_settings)
    return site


@pytest.fixture
def worker(site: Site) -> Iterator[Working]:
    with working(site, DuoReports) as found:
        yield found


def add(site: Site, *people: str, service: str = "payroll", application: str = "") -> None:
    batch = site.store.batch()
    for principal in people:
        Reports(site.store).add(batch, principal, service, application, "192.0.2.7", ("group staff", "outside"))
    batch.run()


def asked(site: Site) -> None:
    """Wait until every question is answered."""
    eventually(lambda: site.store.command("XLEN", REPORTS) == 0)


def outcomes(worker: Working) -> dict[str, tuple[str, str]]:
    return {event.principal: (event.outcome, event.detail) for event in worker.journal.named("duo.would_have")}


def test_what_duo_would_have_done_is_in_the_journal(site: Site, worker: Working) -> None:
    add(site, "ada", "grace", "linus", "alan", "nobody")
    asked(site)
    assert outcomes(worker) == {
        "ada": ("auth", ""),
        "grace": ("enroll", ""),
        "linus": ("deny", ""),
        "alan": ("allow", ""),
        "nobody": ("enroll", ""),
    }
    event = worker.journal.named("duo.would_have")[0]
    assert (event.service, event.about.address, event.reasons) == ("payroll", "192.0.2.7", "group staff; outside")


def test_nobody_is_sent_anything(site: Site, worker: Working, duo: DuoSimulator) -> None:
    add(site, "ada")
    asked(site)
    assert {request.path for request in duo.requests()} == {PREAUTH}


def test_one_person_and_service_is_asked_about_once_an_hour(site: Site, worker: Working, duo: DuoSimulator) -> None:
    for spelling in ("ada", "ADA", "ada"):
        add(site, spelling)
    add(site, "ada", service="library")
    asked(site)
    assert len(duo.requests(PREAUTH)) == 2
    (note, other) = (key for key in site.store.command("KEYS", "*") if ":asked:" in key)
    assert note != other
    assert 3_590_000 < site.store.command("PTTL", note) <= 3_600_000
    site.store.command("DEL", note, other)
    add(site, "ada")
    asked(site)
    assert len(duo.requests(PREAUTH)) == 3


def test_a_duo_that_is_down_is_an_answer_too(site: Site, worker: Working, duo: DuoSimulator) -> None:
    duo.faults.break_down()
    add(site, "ada")
    asked(site)
    assert outcomes(worker) == {"ada": ("unavailable", "server_error")}


def test_an_application_that_the_settings_do_not_name_is_no_application(site: Site, worker: Working) -> None:
    add(site, "ada", application="gone")
    asked(site)
    assert outcomes(worker) == {"ada": ("unavailable", "off")}


def test_a_login_waits_for_nothing(site: Site, duo: DuoSimulator) -> None:
    add(site, "ada", "grace")
    assert site.store.command("XLEN", REPORTS) == 2
    assert duo.requests() == []


def test_of_too_many_questions_the_oldest_are_forgotten(site: Site) -> None:
    batch = site.store.batch()
    for number in range(10_500):
        Reports(site.store).add(batch, f"person{number}", "payroll", "", "192.0.2.7", ())
    batch.run()
    assert 10_000 <= site.store.command("XLEN", REPORTS) < 10_200
    ((_, fields),) = site.store.command("XREVRANGE", REPORTS, "+", "-", "COUNT", 1)
    assert "person10499" in fields


def test_what_a_worker_died_over_is_asked_by_the_next(site: Site) -> None:
    add(site, "ada")
    site.store.command("XGROUP", "CREATE", REPORTS, "workers", "0")
    site.store.command("XREADGROUP", "GROUP", "workers", "somebody-1-x", "STREAMS", REPORTS, ">")

    def impatient(parts: object) -> DuoReports:
        return DuoReports(parts, lease=0.2)  # type: ignore[arg-type]

    with working(site, impatient) as worker:
        asked(site)
        assert outcomes(worker) == {"ada": ("auth", "")}
