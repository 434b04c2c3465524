"""From service files of Apereo CAS to a server that signs people in with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from casduo.cli import main
from casduo.simulators.duo import DuoSimulator
from tests.support.site import Build, has_ticket, heading, ticket_of

SERVICES = Path(__file__).parent / "data" / "apereo"
PAYROLL = "https://payroll.example.edu/slips"
WIKI = "https://wiki.example.edu/start"


@pytest.fixture
def imported(tmp_path: Path) -> tuple[str, str]:
    """The registry that was written, and the report."""
    target = tmp_path / "registry.yaml"
    done = CliRunner().invoke(
        main, ["import", "apereo", str(SERVICES), "--output", str(target)], catch_exceptions=False
    )
    assert done.exit_code == 1, "survey cannot be said"
    return target.read_text(), done.stdout


def test_report_says_what_a_person_has_to_look_at(imported: tuple[str, str]) -> None:
    registry, report = imported
    assert "Survey -> survey (disabled)" in report
    assert "Portal -> portal (disabled)" in report, "the widest entry would get its address"
    assert "IS AS WIDE AS IT WAS" in report
    assert report.rstrip().endswith("WIDE      tickets go to hosts of anybody: https-and-imaps")
    for secret in ("aGVsbG93b3JsZA", "not-for-anybody"):
        assert secret not in registry + report


def test_people_sign_in_with_what_was_imported(
    imported: tuple[str, str], build: Build, duo: DuoSimulator, duo_settings: str
) -> None:
    site = build(registry=imported[0], settings=duo_settings)
    checked = CliRunner().invoke(main, ["check", "--config", str(site.settings_file)], catch_exceptions=False)
    assert checked.exit_code == 0, checked.output
    assert "no errors" in checked.output
    browser = site.browser()

    # Without Duo, with the attributes under their new names.
    answer = site.validate(ticket_of(browser.sign_in("ada", WIKI)), WIKI)
    assert "<cas:email>ada@example.edu</cas:email>" in answer.text
    assert "<cas:mail>" not in answer.text

    # Duo where the policy named it, and only then a ticket.
    prompt = browser.login_page(PAYROLL)
    assert prompt.headers["Location"].startswith(duo.base_url)
    back = browser.get(duo.visit_prompt(prompt.headers["Location"]))
    assert "<cas:user>ada</cas:user>" in site.validate(ticket_of(back), PAYROLL).text

    # Whom requiredAttributes did not name stays out, and a closed entry keeps its host to itself.
    other = site.browser()
    assert not has_ticket(other.sign_in("grace", PAYROLL))
    for service in ("https://survey.example.edu/admin", "https://portal.example.edu/callback"):
        closed = other.login_page(service)
        assert not has_ticket(closed)
        assert closed.status_int == 403
        assert heading(closed)
