from __future__ import annotations

import pytest

from casduo.authentication.ldap.attributes import read_text, release
from casduo.authentication.ldap.directory import Entry


def test_attributes_get_the_names_they_are_known_by() -> None:
    entry = Entry("uid=ada", {"mail": (b"ada@example.edu", b"countess@example.edu"), "cn": (b"Ada",)})

    assert release(entry, {"Mail": ("mail", "email"), "cn": ("displayName",), "sn": ("surname",)}) == (
        {
            "mail": ("ada@example.edu", "countess@example.edu"),
            "email": ("ada@example.edu", "countess@example.edu"),
            "displayName": ("Ada",),
        },
        (),
    )


def test_attributes_of_one_name_are_joined() -> None:
    entry = Entry("uid=ada", {"mail": (b"a@example.edu",), "othermailbox": (b"b@example.edu",)})

    released, _ = release(entry, {"mail": ("mail",), "otherMailbox": ("mail",)})

    assert released == {"mail": ("a@example.edu", "b@example.edu")}


def test_values_that_are_no_text_are_left_out_and_told() -> None:
    entry = Entry("uid=ada", {"mixed": (b"text", b"\xff\xd8"), "photo": (b"\xff\xd8",)})

    assert release(entry, {"mixed": ("mixed",), "photo": ("photo",)}) == ({"mixed": ("text",)}, ("mixed", "photo"))


@pytest.mark.parametrize("value", [b"", b"\xff", b"nul\0", b"bell\x07", b"delete\x7f", b"\x1b[31m"])
def test_what_is_no_text(value: bytes) -> None:
    assert read_text(value) is None


@pytest.mark.parametrize("text", ["ada", "żółć 日本", "1 Main St\r\nLondon", "tab\tbed"])
def test_what_is_text(text: str) -> None:
    assert read_text(text.encode()) == text
