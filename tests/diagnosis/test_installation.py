"""The files of an installation: settings, registry, and the certificate that the server shows."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from casduo.diagnosis.installation import examine_own_certificate, examine_registry, judge_problems
from casduo.diagnosis.model import Finding, Part
from casduo.errors import Problem
from casduo.settings import Settings
from casduo.simulators.certificates import CertificateAuthority, LeafFiles

PART = Part("Settings")


def problem(level: str, line: int = 1) -> Problem:
    return Problem("casduo.yaml", line, 1, "server.url", "is wrong", level)


def test_a_file_is_as_well_as_its_worst_problem() -> None:
    assert judge_problems(PART, "casduo.yaml", [problem("note")]) == PART.ok("file", "casduo.yaml")
    warned = judge_problems(PART, "casduo.yaml", [problem("note"), problem("warning")])
    assert (warned.level, warned.found) == ("attention", "casduo.yaml: 1 warning")
    broken = judge_problems(PART, "casduo.yaml", [problem("warning"), problem("error"), problem("error", 2)])
    assert (broken.level, broken.found) == ("fault", "casduo.yaml: 2 errors")
    assert broken.cause == (
        "casduo.yaml:1:1: error: server.url: is wrong; casduo.yaml:2:1: error: server.url: is wrong"
    )


@pytest.fixture
def registry(tmp_path: Path) -> Callable[[str], Finding]:
    def examine(text: str) -> Finding:
        (tmp_path / "registry.yaml").write_text(text)
        return examine_registry(Settings.model_validate({}, context={"base": tmp_path}))

    return examine


def test_a_registry_that_can_be_used(registry: Callable[[str], Finding]) -> None:
    finding = registry("services: [{id: wiki, name: Wiki, url: 'https://wiki.example.edu/**'}]\n")
    assert finding.level == "ok"
    assert "registry.yaml, 1 service, state " in finding.found


def test_a_registry_with_warnings_and_one_with_errors(registry: Callable[[str], Finding]) -> None:
    finding = registry("services: [{id: wiki, name: Wiki, url: 'http://wiki.example.edu/**'}]\n")
    assert (finding.level, finding.detail) == ("attention", "warnings")
    finding = registry("services: [{id: wiki, name: Wiki, url: 'https://wiki.example.edu/**', requires_duo: true}]\n")
    assert (finding.level, finding.detail) == ("fault", "unusable")
    assert "no section 'duo'" in finding.cause


def test_a_registry_that_is_missing(tmp_path: Path) -> None:
    finding = examine_registry(Settings.model_validate({}, context={"base": tmp_path}))
    assert (finding.level, finding.detail) == ("fault", "unusable")


def own(files: LeafFiles | None, ca: Path | None = None, url: str = "https://localhost/cas") -> list[Finding]:
    server: dict[str, object] = {"url": url}
    if files is not None:
        server |= {"tls_certificate": str(files.cert), "tls_key": str(files.key)}
    outbound = {"ca_file": str(ca)} if ca is not None else {}
    return list(examine_own_certificate(Settings.model_validate({"server": server, "outbound": outbound}), time.time))


def test_a_server_behind_a_proxy_has_no_certificate_of_its_own() -> None:
    assert own(None) == []


def test_the_certificate_of_the_server(authority: CertificateAuthority) -> None:
    leaf = authority.issue()
    (finding,) = own(leaf, authority.ca_file)
    assert finding.level == "ok"
    (finding,) = own(leaf)
    assert (finding.level, finding.detail) == ("attention", "unknown_authority")
    (finding,) = own(leaf, authority.ca_file, "https://sso.example.edu/cas")
    assert (finding.level, finding.detail) == ("fault", "wrong_name")
    (finding,) = own(authority.issue(expired=True), authority.ca_file)
    assert (finding.level, finding.detail) == ("fault", "expired")


def test_files_that_no_server_can_use(authority: CertificateAuthority, tmp_path: Path) -> None:
    ada, grace = authority.issue(["ada.example.edu"]), authority.issue(["grace.example.edu"])
    (finding,) = own(LeafFiles(ada.cert, grace.key, ada.ca))
    assert (finding.level, finding.detail) == ("fault", "key_mismatch")
    (finding,) = own(LeafFiles(ada.cert, tmp_path / "missing.key", ada.ca))
    assert finding.detail == "file"
    (finding,) = own(LeafFiles(ada.key, ada.key, ada.ca))
    assert finding.detail == "not_pem"
    (finding,) = own(ada, tmp_path / "missing.pem")
    assert finding.detail == "ca_file"
    assert finding.remedy == "correct outbound.ca_file"
