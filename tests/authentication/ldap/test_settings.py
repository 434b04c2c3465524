from __future__ import annotations

import pytest

from casduo.authentication.ldap.settings import LdapSettings, Server, parse_server

SECURE = ("ldaps://ldap.example.edu",)


@pytest.mark.parametrize(
    ("url", "server", "shown"),
    [
        ("ldap://ldap.example.edu", Server("ldap.example.edu", 389, False), "ldap://ldap.example.edu:389"),
        ("ldaps://ldap.example.edu", Server("ldap.example.edu", 636, True), "ldaps://ldap.example.edu:636"),
        ("ldaps://10.0.0.1:3269/", Server("10.0.0.1", 3269, True), "ldaps://10.0.0.1:3269"),
        ("ldap://[::1]:1389", Server("::1", 1389, False), "ldap://[::1]:1389"),
    ],
)
def test_a_server_is_a_scheme_a_host_and_a_port(url: str, server: Server, shown: str) -> None:
    assert parse_server(url) == server
    assert str(server) == shown


@pytest.mark.parametrize(
    "url",
    [
        "ldap.example.edu",
        "http://ldap.example.edu",
        "ldaps://",
        "ldap://h/dc=x",
        "ldap://u:p@h",
        "ldap://h:x",
        "ldapi:///",
    ],
)
def test_what_is_no_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"is not ldap://|Port could not"):
        parse_server(url)


def test_the_password_of_the_searching_account_is_not_shown() -> None:
    assert "s3cret" not in repr(LdapSettings(SECURE, "dc=x", bind_dn="cn=reader", bind_password="s3cret"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"servers": ()}, "servers: at least one"),
        ({"servers": ("ldap://h",)}, "allow_plaintext"),
        ({"servers": (*SECURE, "ldap://h")}, "ldap://h:389 needs start_tls"),
        ({"base": ""}, "base:"),
        ({"bind_dn": "cn=reader"}, "bind_dn and bind_password"),
        ({"bind_password": "x"}, "bind_dn and bind_password"),
        ({"filter": "(uid=ada)"}, "filter:"),
        ({"filter": "uid={username}"}, "filter:"),
        ({"direct_bind_dn": "{username}@example.edu"}, "direct_bind_dn:"),
        ({"direct_bind_dn": "uid=ada,dc=x"}, "direct_bind_dn:"),
        ({"principal_attribute": ""}, "principal_attribute:"),
        ({"connect_timeout": 0}, "connect_timeout"),
        ({"receive_timeout": -1}, "receive_timeout"),
        ({"pool_size": -1}, "pool_size"),
    ],
)
def test_contradictions_are_refused_at_start(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        LdapSettings(**({"servers": SECURE, "base": "dc=x"} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"servers": ("ldap://h",), "start_tls": True},
        {"servers": ("ldap://h",), "allow_plaintext": True},
        {"direct_bind_dn": "uid={username},dc=x", "filter": ""},
        {"pool_size": 0},
    ],
)
def test_what_makes_sense_is_taken(changes: dict[str, object]) -> None:
    LdapSettings(**({"servers": SECURE, "base": "dc=x"} | changes))  # type: ignore[arg-type]


def test_what_is_read_is_the_principal_and_the_mapped_attributes_each_once() -> None:
    settings = LdapSettings(SECURE, "dc=x", attributes={"uid": ("id",), "mail": ("mail",)})

    assert settings.attributes_to_read() == ("uid", "mail")
