from __future__ import annotations

import pytest

from casduo.authentication import Authenticated, Credential, GraceLogins, Principal, Rejected


def test_a_password_shows_in_no_representation() -> None:
    credential = Credential("ada", "analytical engine")

    assert "engine" not in f"{credential!r} {credential} {[credential]}"


def test_attributes_of_a_principal_cannot_be_changed() -> None:
    given = {"mail": ("ada@example.edu",)}
    principal = Principal("ada", given)

    given["mail"] = ("mallory@example.edu",)

    assert principal.attributes == {"mail": ("ada@example.edu",)}
    with pytest.raises(TypeError):
        principal.attributes["mail"] = ()  # type: ignore[index]


def test_equal_outcomes_are_equal() -> None:
    first = Authenticated(Principal("ada", {"mail": ("a@b.c",)}), "ldap", (GraceLogins(2),))

    assert first == Authenticated(Principal("ada", {"mail": ("a@b.c",)}), "ldap", (GraceLogins(2),))
    assert Rejected("wrong", "ldap") != Rejected("unknown", "ldap")
