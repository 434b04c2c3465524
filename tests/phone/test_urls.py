"""The addresses of a phone's login."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from casduo.phone.urls import LONGEST_BASE, LONGEST_URL, PhoneUrls, PhoneUrlTooLong

URLS = PhoneUrls("https://sso.example.edu/em", "SEP001122334455", "tok-en.1_2")
ROOT = "https://sso.example.edu/em/SEP001122334455"


def test_every_page_has_its_address() -> None:
    assert URLS.entry() == f"{ROOT}/"
    assert URLS.login() == f"{ROOT}/login"
    assert URLS.logout() == f"{ROOT}/logout"
    assert URLS.wait() == f"{ROOT}/wait?t=tok-en.1_2"
    assert URLS.passcode() == f"{ROOT}/passcode?t=tok-en.1_2"
    assert URLS.cancel() == f"{ROOT}/cancel?t=tok-en.1_2"
    assert URLS.log_out() == f"{ROOT}/logout?t=tok-en.1_2"
    assert URLS.select(3) == f"{ROOT}/select?t=tok-en.1_2&profile=3"
    assert URLS.more_profiles(98) == f"{ROOT}/select?t=tok-en.1_2&from=98"
    assert URLS.push("push:DPXXX") == f"{ROOT}/push?t=tok-en.1_2&factor=push:DPXXX"
    assert URLS.ways() == f"{ROOT}/push?t=tok-en.1_2"


def test_forms_before_a_login_have_no_query() -> None:
    assert not urlsplit(URLS.login()).query


@pytest.mark.parametrize(
    "hostile", ["a&t=other", "a#b", "a b", "a%00", "ä", '"><x>', "a+b", "a/../b", "a;b", "a\r\nX: y"]
)
def test_what_could_break_out_is_encoded(hostile: str) -> None:
    url = PhoneUrls("https://sso.example.edu/em", hostile, hostile).push(hostile)
    parts = urlsplit(url)
    assert url.isascii()
    assert not set(url) & set(' "<>\r\n')
    assert parts.path.count("/") == 3
    assert parse_qs(parts.query) == {"t": [hostile], "factor": [hostile]}
    assert not parts.fragment


def test_the_longest_base_leaves_room_for_everything() -> None:
    urls = PhoneUrls("https://" + "h" * (LONGEST_BASE - 11) + "/em", "SEP001122334455", "T" * 60)
    assert len(urls.base) == LONGEST_BASE
    made = [urls.push(f"phone:{'D' * 20}"), urls.select(999), urls.more_profiles(999), urls.passcode(), urls.log_out()]
    assert max(map(len, made)) <= LONGEST_URL < 200


def test_an_address_that_no_phone_takes_is_refused_by_its_base() -> None:
    urls = PhoneUrls("https://" + "h" * 150 + ".example.edu/em", "SEP001122334455", "T" * 60)
    with pytest.raises(PhoneUrlTooLong) as refused:
        urls.wait()
    assert refused.value.length > LONGEST_URL
    assert refused.value.code == "PHONE_URL"
    assert "T" * 10 not in str(refused.value)


def test_a_token_is_not_shown() -> None:
    assert "tok-en" not in repr(URLS)
