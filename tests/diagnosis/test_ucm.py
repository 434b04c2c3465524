"""A UCM, with every fault that its nodes and the settings about it can have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from casduo.clock import system_clock
from casduo.diagnosis.model import Finding
from casduo.diagnosis.ucm import examine_ucm
from casduo.diagnosis.ucm_refusals import axl_of, explain
from casduo.settings import Settings
from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.simulators.ucm import UcmSimulator
from casduo.ucm.errors import UcmBusy, UcmMisconfigured, UcmUnavailable
from tests.diagnosis.clinic import Clinic

AXL_SECRET, EM_SECRET, RIS_SECRET = "engine-1843", "compiler-1952", "ward-1854"


@pytest.fixture
def ucm(authority: CertificateAuthority) -> Iterator[UcmSimulator]:
    with UcmSimulator(authority.issue(), nodes=3, authority=authority) as running:
        running.add_application_user("casduo", AXL_SECRET, {"axl-read"})
        running.add_application_user("casduo-em", EM_SECRET, {"em"})
        yield running


@dataclass
class Ward:
    """An installation that a test can make ill: AXL on the first two nodes, Extension Mobility on the last two."""

    ucm: UcmSimulator
    section: dict[str, Any]
    findings: list[Finding] = field(default_factory=list)

    def examine(self, **sections: Any) -> Ward:
        settings = Settings.model_validate({"ucm": self.section, **sections})
        self.findings = list(examine_ucm(settings, system_clock))
        for each in self.findings:
            assert (each.level == "ok") is (each.cause == "")
            for secret in (AXL_SECRET, EM_SECRET, RIS_SECRET):
                assert secret not in repr(each)
        return self

    def of(self, examined: str, node: int = 0) -> Finding:
        part = f"UCM node {self.ucm.servers[node]}"
        return next(each for each in self.findings if (each.part, each.examined) == (part, examined))

    def looked_at(self, node: int) -> list[str]:
        return [each.examined for each in self.findings if each.facts["node"] == self.ucm.servers[node]]

    @property
    def unwell(self) -> dict[tuple[int, str], str]:
        """The fixed words of everything that is not well, by node and what was looked at."""
        numbers = {server: number for number, server in enumerate(self.ucm.servers)}
        return {
            (numbers[str(each.facts["node"])], each.examined): each.detail
            for each in self.findings
            if each.level != "ok"
        }


@pytest.fixture
def ward(ucm: UcmSimulator) -> Ward:
    section = {
        "axl": {"servers": ucm.servers[:2], "username": "casduo", "password": AXL_SECRET},
        "em": {"servers": ucm.servers[1:], "username": "casduo-em", "password": EM_SECRET},
        "ca_file": str(ucm.ca_file),
        "read_timeout": "2s",
    }
    return Ward(ucm, section)


# -- well ------------------------------------------------------------------------------------------------------------


def test_a_healthy_ucm_is_well(ward: Ward) -> None:
    ward.examine()
    assert ward.unwell == {}
    assert ward.looked_at(0) == ["network", "certificate", "AXL", "PINs"]
    assert ward.looked_at(1) == ["network", "certificate", "AXL", "PINs", "EM API", "logins"]
    assert ward.looked_at(2) == ["network", "certificate", "EM API", "logins"]
    assert ward.of("AXL").facts["version"] == "14.0"
    assert str(ward.of("AXL").facts["release"]).startswith("14.")


def test_without_the_section_nothing_is_looked_at() -> None:
    assert list(examine_ucm(Settings(), system_clock)) == []


def test_nothing_is_changed_and_nobody_comes_nearer_to_being_locked_out(ward: Ward) -> None:
    ward.ucm.add_user("ada", pin="18151815", profiles=["ada-ward"])
    ward.ucm.add_phone("SEP001122334455")
    ward.ucm.log_in("SEP001122334455", "ada")
    ward.examine()
    assert ward.ucm.login_of("SEP001122334455") is not None
    assert ward.ucm.user("ada").pin.failures == 0


def test_logins_by_axl_need_the_right_to_write(ward: Ward) -> None:
    del ward.section["em"]
    finding = ward.examine().of("logins")
    assert (finding.level, finding.detail) == ("fault", "rights")
    assert "Read Only" not in finding.cause
    ward.ucm.add_application_user("casduo", AXL_SECRET, {"axl"})
    assert ward.examine().unwell == {}


# -- the way there ---------------------------------------------------------------------------------------------------


def test_a_name_that_is_not_known(ward: Ward) -> None:
    ward.section["axl"]["servers"] = "ucm1.invalid"
    (finding, *_) = ward.examine().findings
    assert (finding.part, finding.detail) == ("UCM node ucm1.invalid:8443", "dns")
    assert "ucm.axl.servers is mistyped" in finding.cause


def test_a_node_that_is_down_is_passed_over(ward: Ward) -> None:
    ward.ucm.nodes[1].stop_listening()
    ward.examine()
    assert ward.unwell == {(1, "network"): "refused"}
    assert "proxy" not in ward.of("network", 1).remedy
    assert ward.of("EM API", 2).level == "ok"


def test_a_node_that_says_nothing(ward: Ward) -> None:
    ward.section["read_timeout"] = "200ms"
    ward.ucm.nodes[0].transport.silent_connections = True
    assert ward.examine().unwell == {(0, "certificate"): "timeout"}


# -- certificates ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "detail", "remedy"),
    [
        ("other_authority", "unknown_authority", "ucm.ca_file"),
        ("wrong_name", "wrong_name", "as its certificate names it"),
        ("expired", "expired", "renew the node's certificate"),
    ],
)
def test_a_certificate_that_is_refused_ends_the_examination_of_its_node(
    ward: Ward, fault: Any, detail: str, remedy: str
) -> None:
    ward.ucm.nodes[0].show_certificate(fault)
    ward.examine()
    assert ward.unwell == {(0, "certificate"): detail}
    assert remedy in ward.of("certificate").remedy
    assert ward.ucm.calls(node=0) == 0


def test_a_node_that_vouches_for_itself_as_after_an_installation(
    authority: CertificateAuthority, tmp_path: Path, ward: Ward
) -> None:
    own = CertificateAuthority.create(tmp_path, "ucm9")
    itself = LeafFiles(own.ca_file, tmp_path / "ca.key", own.ca_file)
    with UcmSimulator(itself) as ucm:
        ward.section["axl"]["servers"] = ucm.servers
        (finding,) = (each for each in ward.examine().findings if each.examined == "certificate" and each.detail)
    assert finding.detail == "unknown_authority"
    assert "vouches for itself" in finding.cause


def test_authorities_may_stand_in_the_settings_for_all_calls(ward: Ward) -> None:
    file = ward.section.pop("ca_file")
    assert ward.examine().unwell == dict.fromkeys(
        [(0, "certificate"), (1, "certificate"), (2, "certificate")], "unknown_authority"
    )
    assert ward.examine(outbound={"ca_file": file}).unwell == {}


@pytest.mark.parametrize(("section", "setting"), [("ucm", "ucm.ca_file"), ("outbound", "outbound.ca_file")])
def test_a_file_of_authorities_that_is_missing(ward: Ward, tmp_path: Path, section: str, setting: str) -> None:
    missing = str(tmp_path / "missing.pem")
    if section == "ucm":
        ward.examine(ucm={**ward.section, "ca_file": missing})
    else:
        del ward.section["ca_file"]
        ward.examine(outbound={"ca_file": missing})
    finding = ward.of("certificate")
    assert (finding.detail, finding.remedy) == ("ca_file", f"correct {setting}")
    assert "missing.pem" in finding.cause


# -- AXL -------------------------------------------------------------------------------------------------------------


def test_a_wrong_password_is_told_once_and_not_tried_at_the_other_nodes(ward: Ward) -> None:
    ward.section["axl"]["password"] = "wrong-1"
    ward.examine()
    assert ward.unwell == {(0, "AXL"): "account", (1, "AXL"): "not_examined"}
    assert "(status 401)" in ward.of("AXL").found
    assert "ucm.axl.password" in ward.of("AXL").cause
    (account,) = (each for each in ward.ucm.application_users() if each.name == "casduo")
    assert account.password.failures == 1


def test_an_account_for_both_interfaces_is_not_tried_at_the_other_one_either(ward: Ward) -> None:
    for section in ("axl", "em"):
        ward.section[section] |= {"username": "casduo", "password": "wrong-1", "servers": ward.ucm.servers}
    ward.examine()
    assert set(ward.unwell.values()) == {"account", "not_examined"}
    assert ward.ucm.calls() == 1


def test_an_account_without_the_role(ward: Ward) -> None:
    ward.ucm.add_application_user("casduo", AXL_SECRET, {"em"})
    finding = ward.examine().of("AXL")
    assert (finding.detail, "(status 403)" in finding.found) == ("rights", True)
    assert "Standard AXL Read Only API Access" in finding.cause


def test_a_node_without_the_service(ward: Ward) -> None:
    ward.ucm.nodes[0].services.discard("axl")
    ward.ucm.nodes[2].services.discard("em")
    ward.examine()
    assert ward.unwell == {(0, "AXL"): "no_service", (2, "EM API"): "no_service"}
    assert "Cisco AXL Web Service" in ward.of("AXL").cause
    assert "Cisco Extension Mobility" in ward.of("EM API", 2).cause
    assert "ucm.em.servers" in ward.of("EM API", 2).remedy


@pytest.mark.parametrize(("offered", "newest"), [(("11.5", "12.0", "12.5"), "12.5"), (("14.0", "15.0"), "15.0")])
def test_a_version_that_is_not_offered(ward: Ward, offered: tuple[str, ...], newest: str) -> None:
    ward.section["version"] = "12.0" if newest == "15.0" else "15.0"
    ward.ucm.policy.axl_versions = offered
    finding = ward.examine().of("AXL")
    assert finding.detail == "version"
    assert finding.remedy.startswith(f"set ucm.version: '{newest}'")


def test_a_version_where_none_is_known(ward: Ward) -> None:
    ward.ucm.policy.axl_versions = ("17.0",)
    finding = ward.examine().of("AXL")
    assert (finding.detail, "two numbers of the UCM's own version" in finding.remedy) == ("version", True)


@pytest.mark.parametrize(
    ("kind", "level", "detail"),
    [
        ("unavailable", "attention", "busy"),
        ("memory", "attention", "busy"),
        ("too_large", "fault", "request"),
        ("html", "fault", "unreadable"),
        ("empty", "fault", "unreadable"),
    ],
)
def test_an_answer_that_is_none(ward: Ward, kind: Any, level: str, detail: str) -> None:
    ward.ucm.nodes[0].faults.answer(kind, "getCCMVersion")
    finding = ward.examine().of("AXL")
    assert (finding.level, finding.detail) == (level, detail)


@pytest.mark.parametrize(("kind", "detail"), [("dropped", "reset"), ("hang", "timeout"), ("cut_xml", "unreadable")])
def test_an_answer_that_does_not_come(ward: Ward, kind: Any, detail: str) -> None:
    ward.section["read_timeout"] = "300ms"
    ward.ucm.nodes[0].faults.spoil(kind, "getCCMVersion")
    ward.examine()
    ward.ucm.nodes[0].faults.clear()
    assert ward.of("AXL").detail == detail


def test_a_ucm_that_fails_within(ward: Ward) -> None:
    ward.ucm.nodes[0].faults.refuse(-239, "the database is locked", "doAuthenticateUser")
    finding = ward.examine().of("PINs")
    assert (finding.level, finding.detail) == ("fault", "failing")
    assert "(fault -239)" in finding.found


def test_a_schema_of_the_ucms_own_that_cannot_be_used(ward: Ward, tmp_path: Path) -> None:
    ward.section["wsdl"] = str(tmp_path / "AXLAPI.wsdl")
    finding = ward.examine().of("AXL")
    assert (finding.level, finding.detail) == ("fault", "wsdl_unreadable")
    assert "AXLAPI.wsdl cannot be used" in finding.found


# -- the Extension Mobility API --------------------------------------------------------------------------------------


def test_a_wrong_password_for_extension_mobility(ward: Ward) -> None:
    ward.section["em"]["password"] = "wrong-1"
    ward.examine()
    assert ward.unwell == {(1, "EM API"): "account", (2, "EM API"): "not_examined"}
    assert "(code 3)" in ward.of("EM API", 1).found
    assert "ucm.em.password" in ward.of("EM API", 1).cause


def test_an_account_that_may_not_act_for_others(ward: Ward) -> None:
    ward.ucm.add_application_user("casduo-em", EM_SECRET, {"axl"})
    finding = ward.examine().of("EM API", 1)
    assert (finding.detail, "(code 10)" in finding.found) == ("rights", True)
    assert "Standard EM Authentication Proxy Rights" in finding.cause


@pytest.mark.parametrize(
    ("code", "level", "detail"),
    [
        (2, "fault", "account"),
        (6, "fault", "failing"),
        (8, "fault", "request"),
        (9, "fault", "failing"),
        (26, "attention", "busy"),
        (28, "fault", "address"),
        (30, "fault", "proxy_off"),
    ],
)
def test_what_the_codes_mean(ward: Ward, code: int, level: str, detail: str) -> None:
    ward.ucm.nodes[2].faults.refuse(code, operation="deviceUserQuery")
    finding = ward.examine().of("EM API", 2)
    assert (finding.level, finding.detail) == (level, detail)
    assert f"(code {code})" in finding.found


@pytest.mark.parametrize("kind", [UcmUnavailable, UcmBusy, UcmMisconfigured])
@pytest.mark.parametrize(
    "detail", ["connection", "budget", "http_418", "status 500", "axl -1", "em 99", "proxy", "request"]
)
def test_there_are_words_for_whatever_else_may_come(kind: Any, detail: str) -> None:
    told = explain(kind("ucm axl ucm1:8443", detail), axl_of("ucm.axl", "casduo", writes=True))
    assert told.cause
    assert told.remedy
    assert "{" not in repr(told)


def test_a_refusal_of_the_query_is_an_answer(ward: Ward) -> None:
    ward.ucm.nodes[1].faults.refuse(4, operation="deviceUserQuery")
    assert ward.examine().unwell == {}


def test_a_right_that_only_shows_at_a_login(ward: Ward) -> None:
    ward.ucm.nodes[1].faults.refuse(10, operation="logout")
    ward.examine()
    assert ward.unwell == {(1, "logins"): "rights"}


# -- the real-time information service -------------------------------------------------------------------------------


def test_the_service_that_tells_where_phones_are_is_examined_where_it_is_set(ward: Ward) -> None:
    account = {"servers": ward.ucm.servers[:1], "username": "casduo-ris", "password": RIS_SECRET}
    ward.section["ris"] = account
    ward.ucm.add_application_user("casduo-ris", RIS_SECRET, {"ris"})
    assert ward.examine().unwell == {}
    assert ward.looked_at(0) == ["network", "certificate", "AXL", "PINs", "RIS"]
    ward.ucm.nodes[0].services.discard("ris")
    finding = ward.examine().of("RIS")
    assert (finding.detail, "Cisco RIS Data Collector" in finding.cause) == ("no_service", True)


def test_an_account_that_may_not_ask_where_phones_are(ward: Ward) -> None:
    ward.section["ris"] = {"servers": ward.ucm.servers[:1], "username": "casduo", "password": AXL_SECRET}
    finding = ward.examine().of("RIS")
    assert (finding.detail, "Standard CCM Server Monitoring" in finding.cause) == ("rights", True)


# -- the command -----------------------------------------------------------------------------------------------------


def test_the_command_tells_of_the_ucm(clinic: Clinic, ward: Ward) -> None:
    clinic.secrets |= {AXL_SECRET, EM_SECRET}
    clinic.settings["ucm"] = ward.section
    ward.ucm.nodes[1].stop_listening()
    visit = clinic.examine()
    assert visit.unwell == {"network": "refused"}
    assert visit.of("AXL", f"UCM node {ward.ucm.servers[0]}")["level"] == "ok"
    told = clinic.run().stdout
    assert f"\nUCM node {ward.ucm.servers[1]}\n  fault      network" in told
