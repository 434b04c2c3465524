"""What was seen of a server's certificates, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from casduo.diagnosis.certificates import Seen, SettingNames, judge_duo_certificate, judge_own_certificate
from casduo.diagnosis.model import Finding, Part
from casduo.outbound.tls import Certificate, Verdict

DAY = 86_400.0
NOW = 1_800_000_000.0
"""2027-01-15 08:00 UTC"""
HOST = "api-12345678.duosecurity.com"
LEAF = Certificate(
    subject="CN=*.duosecurity.com, O=Duo Security LLC",
    issuer="CN=DigiCert TLS RSA4096 G5, O=DigiCert, Inc.",
    names=("*.duosecurity.com", "duosecurity.com"),
    since=NOW - 30 * DAY,
    until=NOW + 60 * DAY,
    fingerprint="ab" * 32,
)
PROXIED = replace(LEAF, issuer="CN=Acme Web Gateway")
GATEWAY = Certificate("CN=Acme Web Gateway", "CN=Acme Root, O=Acme", (), NOW - 900 * DAY, NOW + 900 * DAY, "cd" * 32)
GOOD = Seen((LEAF,), Verdict.TRUSTED, Verdict.TRUSTED, Verdict.TRUSTED)
UNKNOWN = Seen((PROXIED, GATEWAY), *[Verdict.UNKNOWN_AUTHORITY] * 3)


def judged(seen: Seen, host: str = HOST, now: float = NOW) -> Finding:
    return judge_duo_certificate(Part("Duo"), host, seen, now, SettingNames("duo.api_host", "duo.ca_file"))


def test_a_good_certificate_is_described() -> None:
    finding = judged(GOOD)
    assert finding.level == "ok"
    assert finding.found == (
        "CN=*.duosecurity.com, O=Duo Security LLC, issued by CN=DigiCert TLS RSA4096 G5, O=DigiCert, Inc., valid until "
        "2027-03-16 (60 days); vouched for by an authority that Duo's clients pin"
    )
    assert finding.facts["names"] == LEAF.names
    assert finding.facts["valid_until"] == "2027-03-16 08:00 UTC"
    assert finding.facts["sha256"] == LEAF.fingerprint


def test_a_web_proxy_that_this_machine_trusts_is_named() -> None:
    finding = judged(replace(UNKNOWN, system=Verdict.TRUSTED))
    assert (finding.level, finding.detail) == ("fault", "in_the_middle")
    assert "whom this machine trusts and Duo's clients do not: CN=Acme Root, O=Acme" in finding.cause
    assert "Duo has changed to an authority" in finding.cause
    assert "excepted from inspection" in finding.remedy
    assert "duo.ca_file" in finding.remedy
    assert finding.facts["chain"][1] == "CN=Acme Web Gateway / CN=Acme Root, O=Acme"  # type: ignore[index]


def test_an_authority_that_nobody_knows_is_a_warning_first_of_all() -> None:
    finding = judged(UNKNOWN)
    assert (finding.level, finding.detail) == ("fault", "in_the_middle")
    assert "neither Duo's clients nor this machine know the authority CN=Acme Root, O=Acme" in finding.cause
    assert finding.remedy.startswith("find out whose CN=Acme Root, O=Acme is before anything else")


def test_a_proxy_that_was_let_in_by_the_settings_stays_worth_a_word() -> None:
    seen = replace(UNKNOWN, used=Verdict.TRUSTED)
    finding = judged(seen)
    assert (finding.level, finding.detail) == ("attention", "own_authority")
    assert "whoever has the key of CN=Acme Root, O=Acme can answer in Duo's name" in finding.cause
    assert judged(seen, "localhost").level == "ok"
    assert "vouched for by duo.ca_file" in judged(seen, "localhost").found


def test_a_certificate_for_another_name() -> None:
    finding = judged(replace(GOOD, used=Verdict.WRONG_NAME), "api-1234567.duosecurity.example")
    assert (finding.level, finding.detail) == ("fault", "wrong_name")
    assert "it is for *.duosecurity.com, duosecurity.com, not for api-1234567.duosecurity.example" in finding.cause
    assert "duo.api_host" in finding.remedy


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ((), "it is for no name at all,"),
        (("a.example", "b.example", "c.example", "d.example"), "c.example and 1 more,"),
    ],
)
def test_few_of_many_names_are_listed(names: tuple[str, ...], shown: str) -> None:
    seen = replace(GOOD, chain=(replace(LEAF, names=names),), used=Verdict.WRONG_NAME)
    assert shown in judged(seen).cause


def test_an_expired_certificate_is_not_our_clock_where_the_other_clock_agrees() -> None:
    finding = judged(replace(GOOD, used=Verdict.EXPIRED, told=NOW + 90 * DAY + 4), now=NOW + 90 * DAY)
    assert (finding.level, finding.detail) == ("fault", "expired")
    assert "it ended 2027-03-16 08:00 UTC, and here it is 2027-04-15 08:00 UTC" in finding.cause
    assert "the other side's clock agrees" in finding.cause
    assert "expired 2027-03-16" in finding.found


def test_an_expired_certificate_is_in_doubt_where_nobody_tells_the_time() -> None:
    finding = judged(replace(GOOD, used=Verdict.EXPIRED), now=NOW + 90 * DAY)
    assert finding.detail == "expired"
    assert "if this server's clock is right" in finding.cause
    assert "compare this server's clock with a watch" in finding.remedy


def test_a_clock_that_is_far_ahead_makes_certificates_look_expired() -> None:
    finding = judged(replace(GOOD, used=Verdict.EXPIRED, told=NOW), now=NOW + 365 * DAY)
    assert (finding.level, finding.detail) == ("fault", "clock")
    assert "it says 2028-01-15 08:00 UTC, the other side says 2027-01-15 08:00 UTC" in finding.cause
    assert "set this server's clock" in finding.remedy


def test_a_clock_that_is_far_behind_makes_certificates_look_unborn() -> None:
    finding = judged(replace(GOOD, used=Verdict.NOT_YET_VALID, told=NOW), now=NOW - 365 * DAY)
    assert finding.detail == "clock"


def test_a_certificate_of_the_future_without_a_witness() -> None:
    finding = judged(replace(GOOD, used=Verdict.NOT_YET_VALID), now=NOW - 365 * DAY)
    assert (finding.level, finding.detail) == ("fault", "not_yet_valid")
    assert "valid from 2026-12-16 08:00 UTC on" in finding.cause
    assert "most likely behind" in finding.remedy


def test_a_certificate_that_expired_above_the_leaf() -> None:
    seen = replace(UNKNOWN, used=Verdict.EXPIRED, chain=(LEAF, replace(GATEWAY, until=NOW - DAY)))
    assert "it ended 2027-01-14 08:00 UTC" in judged(seen).cause


def test_any_other_reason_is_a_fault_too() -> None:
    finding = judged(replace(GOOD, used=Verdict.REFUSED))
    assert (finding.level, finding.detail) == ("fault", "certificate")


# --- our own ---------------------------------------------------------------------------------------------------------


def own(verdict: Verdict = Verdict.TRUSTED, now: float = NOW) -> Finding:
    return judge_own_certificate(
        Part("This server"), "sso.example.edu", (LEAF,), verdict, now, "server.tls_certificate"
    )


@pytest.mark.parametrize(
    ("verdict", "level", "detail"),
    [
        (Verdict.TRUSTED, "ok", ""),
        (Verdict.EXPIRED, "fault", "expired"),
        (Verdict.NOT_YET_VALID, "fault", "not_yet_valid"),
        (Verdict.WRONG_NAME, "fault", "wrong_name"),
        (Verdict.UNKNOWN_AUTHORITY, "attention", "unknown_authority"),
        (Verdict.REFUSED, "fault", "certificate"),
    ],
)
def test_what_browsers_will_make_of_ours(verdict: Verdict, level: str, detail: str) -> None:
    finding = own(verdict)
    assert (finding.level, finding.detail) == (level, detail)
    assert bool(finding.cause) is (level != "ok")


@pytest.mark.parametrize(
    ("days", "level", "words"),
    [
        (14.5, "ok", ""),
        (13.5, "attention", "14 days"),
        (1.2, "attention", "1 day,"),
        (0.4, "attention", "less than a day"),
    ],
)
def test_a_certificate_that_ends_soon_is_worth_a_word(days: float, level: str, words: str) -> None:
    finding = own(now=LEAF.until - days * DAY)
    assert finding.level == level
    assert words in finding.cause


def test_a_name_that_browsers_will_miss_is_told_with_the_setting() -> None:
    finding = own(Verdict.WRONG_NAME)
    assert "browsers ask for sso.example.edu (server.url)" in finding.cause
    assert "server.tls_certificate" in finding.remedy


def test_a_missing_intermediate_is_thought_of() -> None:
    assert "intermediate certificates: append them" in own(Verdict.UNKNOWN_AUTHORITY).remedy
