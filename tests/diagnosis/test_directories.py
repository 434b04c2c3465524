"""Users files and directory servers, looked at without anybody's password."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from casduo.diagnosis.directories import examine_authentication
from casduo.diagnosis.model import Finding
from casduo.settings import Settings
from casduo.simulators.certificates import CertificateAuthority
from tests.authentication.slapd import PEOPLE, READER, READER_PASSWORD, Slapd, person
from tests.authentication.tcp import canned_ldap, server
from tests.support.ports import free_port

Examine = Callable[..., list[Finding]]


@pytest.fixture
def examine(tmp_path: Path) -> Examine:
    def run(*handlers: dict[str, Any], **sections: Any) -> list[Finding]:
        document = {"authentication": list(handlers), **sections}
        return list(examine_authentication(Settings.model_validate(document, context={"base": tmp_path})))

    return run


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority) -> Iterator[Slapd]:
    directory = tmp_path_factory.mktemp("directory") / "slapd"
    with Slapd(directory, [person("barbara", "x")], tls=authority.issue()) as running:
        yield running


def ldap(url: str, **more: Any) -> dict[str, Any]:
    return {"type": "ldap", "name": "campus", "servers": [url], "base": PEOPLE, "connect_timeout": "1s", **more}


def bound(url: str, password: str = READER_PASSWORD, **more: Any) -> dict[str, Any]:
    return ldap(url, bind_dn=READER, bind_password=password, **more)


# --- users files -----------------------------------------------------------------------------------------------------


def users(tmp_path: Path, text: str, mode: int = 0o600) -> dict[str, Any]:
    path = tmp_path / "users.yaml"
    path.write_text(text)
    path.chmod(mode)
    return {"type": "users_file", "path": "users.yaml"}


def test_a_users_file_that_can_be_read(examine: Examine, tmp_path: Path) -> None:
    (finding,) = examine(users(tmp_path, "{}\n"))
    assert finding.level == "ok"
    assert finding.found.endswith("users.yaml, 0 users")


def test_a_users_file_that_others_can_read(examine: Examine, tmp_path: Path) -> None:
    (finding,) = examine(users(tmp_path, "{}\n", 0o644))
    assert (finding.level, finding.detail) == ("attention", "shared")
    assert finding.remedy.startswith("run: chmod 600 ")


def test_a_users_file_that_is_missing(examine: Examine) -> None:
    (finding,) = examine({"type": "users_file", "path": "users.yaml"})
    assert (finding.level, finding.detail) == ("fault", "unreadable")
    assert "No such file" in finding.cause


def test_a_users_file_with_mistakes_quotes_none_of_its_secrets(examine: Examine, tmp_path: Path) -> None:
    (finding,) = examine(users(tmp_path, "ada: {password: lovelace}\n"))
    assert (finding.level, finding.detail) == ("fault", "unusable")
    assert "lovelace" not in repr(finding)


def test_a_users_file_that_is_no_text(examine: Examine, tmp_path: Path) -> None:
    handler = users(tmp_path, "")
    (tmp_path / "users.yaml").write_bytes(b"\xff\xfe")
    assert examine(handler)[0].detail == "unreadable"


# --- directory servers -----------------------------------------------------------------------------------------------


def test_a_server_that_takes_the_searching_account(
    examine: Examine, slapd: Slapd, authority: CertificateAuthority
) -> None:
    (finding,) = examine(bound(slapd.secure_url, ca_file=str(authority.ca_file)))
    assert (finding.level, finding.examined) == ("ok", slapd.secure_url)
    assert READER in finding.found


def test_the_authorities_of_all_calls_count_here_too(
    examine: Examine, slapd: Slapd, authority: CertificateAuthority
) -> None:
    (finding,) = examine(bound(slapd.url, start_tls=True), outbound={"ca_file": str(authority.ca_file)})
    assert finding.level == "ok"


def test_a_server_that_is_searched_by_anybody_is_not_asked_to_bind(examine: Examine, slapd: Slapd) -> None:
    before = slapd.binds()
    (finding,) = examine(ldap(slapd.url, allow_plaintext=True))
    assert (finding.level, finding.found) == ("ok", "takes connections; it is searched anonymously")
    assert slapd.binds() == before


def test_a_wrong_password_of_the_searching_account(examine: Examine, slapd: Slapd) -> None:
    (finding,) = examine(bound(slapd.url, "lovelace", allow_plaintext=True))
    assert (finding.level, finding.detail) == ("fault", "bind")
    assert "authentication[0].bind_password" in finding.remedy
    assert "lovelace" not in repr(finding)


def test_any_other_refusal_of_the_searching_account(examine: Examine) -> None:
    with server(canned_ldap(bind=53)) as url:
        (finding,) = examine(bound(url, allow_plaintext=True))
    assert (finding.level, finding.detail) == ("fault", "bind")
    assert "(result 53)" in finding.found


def test_a_certificate_that_nobody_vouches_for(examine: Examine, slapd: Slapd) -> None:
    (finding,) = examine(bound(slapd.secure_url))
    assert (finding.level, finding.detail) == ("fault", "certificate")
    assert "authentication[0].ca_file" in finding.remedy


def test_a_server_without_tls(examine: Examine) -> None:
    with server(canned_ldap()) as url:
        (finding,) = examine(ldap(url, start_tls=True))
    assert finding.level == "fault"


def test_every_server_is_examined_and_those_that_are_down_are_named(examine: Examine, slapd: Slapd) -> None:
    down = f"ldap://localhost:{free_port()}"
    handler = ldap(down, allow_plaintext=True)
    handler["servers"].append(slapd.url)
    first, second = examine(handler)
    assert (first.level, first.detail, first.examined) == ("fault", "unavailable", down)
    assert second.level == "ok"


def test_a_file_of_authorities_that_is_missing(examine: Examine, slapd: Slapd, tmp_path: Path) -> None:
    (finding,) = examine(bound(slapd.secure_url, ca_file=str(tmp_path / "missing.pem")))
    assert (finding.level, finding.detail) == ("fault", "ca_file")
    assert "authentication[0].ca_file" in finding.remedy


def test_handlers_that_nothing_can_be_said_about_are_left_out(examine: Examine) -> None:
    assert examine({"type": "ucm_pin"}) == []


def test_the_authorities_of_all_calls_are_named_where_they_are_what_is_missing(
    examine: Examine, slapd: Slapd, tmp_path: Path
) -> None:
    (finding,) = examine(bound(slapd.secure_url), outbound={"ca_file": str(tmp_path / "missing.pem")})
    assert finding.remedy == "correct outbound.ca_file"
