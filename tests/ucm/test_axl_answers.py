"""What AXL says, and what casduo makes of it."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest

from casduo.ucm.axl_answers import (
    AxlFault,
    Unreadable,
    column,
    phone_of,
    pin_answer,
    read_answer,
    read_fault,
    user_of,
    version_of,
    was_written,
)
from casduo.ucm.model import PhoneState, PinAnswer, UcmUser
from tests.ucm.axl_bodies import AXL, answer, envelope, fault

ADA = """<user uuid="{0B5B1D9E-6F5C-4B2E-9A57-3C9D1F6E2A10}">
  <firstName>Ada</firstName><displayName>Ada Lovelace</displayName><lastName>Lovelace</lastName>
  <userid>ada</userid><mailid>ada@example.edu</mailid><department>Ward 3</department>
  <userLocale>English United States</userLocale>
  <phoneProfiles>
    <profileName uuid="{1B5B1D9E-6F5C-4B2E-9A57-3C9D1F6E2A10}">ada-ward</profileName>
    <profileName>R&amp;D &lt;"#%&#228;&gt;</profileName>
  </phoneProfiles>
  <defaultProfile uuid="{1B5B1D9E-6F5C-4B2E-9A57-3C9D1F6E2A10}">ada-ward</defaultProfile>
  <telephoneNumber>1815</telephoneNumber>
</user>"""


def pin(inside: str) -> PinAnswer:
    return pin_answer(read_answer("doAuthenticateUser", answer("doAuthenticateUser", inside)))


def user(inside: str, asked: str = "ada") -> UcmUser:
    return user_of(read_answer("getUser", answer("getUser", inside)), asked)


def phone(inside: str) -> PhoneState:
    return phone_of(read_answer("getPhone", answer("getPhone", inside)), "SEP001122334455")


def returned(text: str) -> Element:
    return read_answer("doDeviceLogin", answer("doDeviceLogin", text))


# -- PINs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said", ["false", "f", "0", "", " ", "False", "FALSE", "no", "True", "TRUE", "yes", "2", "10", "truefalse", "nil"]
)
def test_every_text_but_three_is_a_refusal(said: str) -> None:
    assert not pin(f"<userAuthenticated>{said}</userAuthenticated><code>1</code>").right


def test_no_word_about_the_pin_is_a_refusal() -> None:
    assert not pin("<code>0</code>").right
    assert not pin("").right
    assert not pin("<inner><userAuthenticated>true</userAuthenticated></inner>").right


def test_nil_is_a_refusal() -> None:
    nil = '<userAuthenticated xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
    assert not pin(nil).right


def test_an_answer_that_contradicts_itself_is_a_refusal() -> None:
    both = "<userAuthenticated>{}</userAuthenticated><userAuthenticated>{}</userAuthenticated>"
    assert not pin(both.format("true", "false")).right
    assert not pin(both.format("false", "true")).right


@pytest.mark.parametrize("said", ["true", "t", "1", " true\n"])
def test_three_texts_say_that_the_pin_is_right(said: str) -> None:
    assert pin(f"<userAuthenticated>{said}</userAuthenticated><code>0</code>") == PinAnswer(True, "0")


def test_a_refusal_says_its_number_and_nothing_else() -> None:
    refusal = "<userAuthenticated>false</userAuthenticated><code>{}</code><daysToExpiry>3</daysToExpiry>"
    warned = "<isWarningNeeded>true</isWarningNeeded>"
    assert pin(refusal.format(-12) + warned) == PinAnswer(False, "-12")
    assert pin(refusal.format("your PIN") + warned) == PinAnswer(False)


@pytest.mark.parametrize(
    ("days", "warned", "told"),
    [("3", "true", 3), ("0", "t", 0), ("-1", "1", 0), ("3", "false", None), ("3", "", None), ("soon", "true", None)],
)
def test_a_pin_that_runs_out_is_told_when_ucm_wants_it_told(days: str, warned: str, told: int | None) -> None:
    right = "<userAuthenticated>true</userAuthenticated><code>0</code>"
    found = pin(f"{right}<daysToExpiry>{days}</daysToExpiry><isWarningNeeded>{warned}</isWarningNeeded>")
    assert found == PinAnswer(True, "0", told)


# -- Users -----------------------------------------------------------------------------------------------------------


def test_a_user_is_read() -> None:
    assert user(ADA) == UcmUser(
        userid="ada",
        first_name="Ada",
        last_name="Lovelace",
        display_name="Ada Lovelace",
        mail="ada@example.edu",
        department="Ward 3",
        telephone="1815",
        locale="English United States",
        profiles=("ada-ward", 'R&D <"#%ä>'),
        default_profile="ada-ward",
    )


def test_what_nobody_knows_hides_nothing_behind_it() -> None:
    found = user(
        "<later><mailid>eve@example.org</mailid></later><user><new>1</new><userid>ada</userid><newer><deep/></newer>"
        "<phoneProfiles><other>x</other><profileName>ada-ward</profileName></phoneProfiles>"
        "<mailid>ada@example.edu</mailid></user>"
    )
    assert (found.mail, found.profiles) == ("ada@example.edu", ("ada-ward",))


def test_the_order_of_elements_does_not_matter() -> None:
    found = user(
        "<user><telephoneNumber>1</telephoneNumber><mailid>ada@example.edu</mailid><userid>ada</userid></user>"
    )
    assert (found.mail, found.telephone) == ("ada@example.edu", "1")


def test_namespaces_do_not_matter() -> None:
    assert user(f'<x:user xmlns:x="{AXL}"><x:userid>ada</x:userid><x:mailid>a@b.c</x:mailid></x:user>').mail == "a@b.c"


def test_what_a_user_lacks_is_empty() -> None:
    empty = UcmUser("ada")
    assert user("<user><userid>ada</userid></user>") == empty
    assert user("<user><userid>ada</userid><mailid/><phoneProfiles/><defaultProfile/></user>") == empty
    assert user("<user><userid>ada</userid><phoneProfiles><profileName/></phoneProfiles></user>") == empty


def test_profiles_of_another_list_are_none() -> None:
    listed = "<ctiControlledDeviceProfiles><profileName>room</profileName></ctiControlledDeviceProfiles>"
    assert user(f"<user><userid>ada</userid>{listed}</user>").profiles == ()


def test_a_default_profile_outside_the_list_is_none() -> None:
    listed = "<phoneProfiles><profileName>one</profileName></phoneProfiles><defaultProfile>two</defaultProfile>"
    found = user(f"<user><userid>ada</userid>{listed}</user>")
    assert (found.profiles, found.default_profile) == (("one",), "")


def test_the_user_id_is_told_as_ucm_spells_it() -> None:
    assert user("<user><userid>Ada</userid></user>", asked="ADA").userid == "Ada"


@pytest.mark.parametrize("inside", ["", "<user/>", "<user><userid>grace</userid></user>", "<user><userid/></user>"])
def test_an_answer_about_nobody_or_somebody_else_is_no_answer(inside: str) -> None:
    with pytest.raises(Unreadable):
        user(inside)


# -- Phones ----------------------------------------------------------------------------------------------------------


def test_a_phone_in_use_is_read() -> None:
    found = phone(
        "<phone><loginUserId>ada</loginUserId><enableExtensionMobility>t</enableExtensionMobility>"
        "<currentProfileName>ada-ward</currentProfileName></phone>"
    )
    assert found == PhoneState("SEP001122334455", enabled=True, user="ada", profile="ada-ward")


def test_a_free_phone_has_no_profile_in_use() -> None:
    found = phone(
        "<phone><loginUserId/><enableExtensionMobility>true</enableExtensionMobility>"
        "<currentProfileName>its-own</currentProfileName></phone>"
    )
    assert found == PhoneState("SEP001122334455", enabled=True)


@pytest.mark.parametrize("said", ["false", "f", "0", "", "nonsense"])
def test_a_phone_is_open_to_logins_only_if_ucm_says_so(said: str) -> None:
    assert phone(f"<phone><enableExtensionMobility>{said}</enableExtensionMobility></phone>").enabled is False


def test_a_phone_about_which_ucm_says_nothing() -> None:
    assert phone("<phone/>") == PhoneState("SEP001122334455", enabled=None)


def test_an_answer_without_a_phone_is_no_answer() -> None:
    with pytest.raises(Unreadable):
        phone("")


# -- Logins, rows, versions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["true", "t", "1", "{0B5B1D9E-6F5C-4B2E-9A57-3C9D1F6E2A10}"])
def test_a_login_that_was_written(text: str) -> None:
    assert was_written(returned(text))


@pytest.mark.parametrize("text", ["false", "f", "0", "", "{}", "{not one}", "0B5B1D9E-6F5C-4B2E-9A57-3C9D1F6E2A10"])
def test_a_login_that_was_not_written(text: str) -> None:
    assert not was_written(returned(text))


def test_a_column_is_read() -> None:
    rows = "<row><name>SEP1</name><x>1</x></row><row><x>1</x><name>SEP2</name></row><row><name/></row><row/>"
    found = read_answer("executeSQLQuery", answer("executeSQLQuery", rows))
    assert column(found, "name") == ("SEP1", "SEP2")


def test_the_version_is_read() -> None:
    body = answer("getCCMVersion", "<componentVersion><version>14.0.1.12900-161</version></componentVersion>")
    assert version_of(read_answer("getCCMVersion", body)) == "14.0.1.12900-161"
    assert version_of(read_answer("getCCMVersion", answer("getCCMVersion", ""))) == ""


# -- What is no answer -----------------------------------------------------------------------------------------------

ENTITY = b'<!DOCTYPE e [<!ENTITY yes "true">]>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"<html><body>Service unavailable</body></html>",
        b"true",
        b"\xff\xfe\x00",
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        answer("doAuthenticateUser", "<userAuthenticated>true</userAuthenticated>")[:-20],
        envelope(""),
        answer("getUser", "<userAuthenticated>true</userAuthenticated>"),
        envelope(f'<ns:doAuthenticateUserResponse xmlns:ns="{AXL}"/>'),
        b"<doAuthenticateUserResponse><return/></doAuthenticateUserResponse>",
        ENTITY + answer("doAuthenticateUser", "<userAuthenticated>&yes;</userAuthenticated>").partition(b"?>")[2],
        fault(-1, "no"),
    ],
)
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_answer("doAuthenticateUser", body)


# -- Faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Item not valid: The specified User was not found", "no_user"),
        ("Item not valid: The specified Phone was not found", "no_device"),
        ("Item not valid: The specified Device Profile was not found", "no_profile"),
        ("Item not valid", "other"),
    ],
)
def test_what_does_not_exist(text: str, kind: str) -> None:
    found = read_fault(fault(5007, text))
    assert found is not None
    assert (found.meaning, found.missing, found.word) == ("not_found", kind, "axl 5007")


@pytest.mark.parametrize(
    ("code", "text", "meaning"),
    [
        (-1, "Maximum AXL Memory Allocation Consumed. Please retry once requests have completed", "memory"),
        (
            -1,
            "Query request too large. Total rows matched: 9000 rows. Suggestive Row Fetch: less than 800",
            "too_large",
        ),
        (None, "Unsupported AXL version", "version"),
        (-1, "The AXL schema version is not supported", "version"),
        (-1, "Something went wrong", "other"),
        (-239, "Could not insert new row - duplicate value in a UNIQUE INDEX column, conversion", "other"),
    ],
)
def test_what_a_fault_means(code: int | None, text: str, meaning: str) -> None:
    found = read_fault(fault(code, text))
    assert found is not None
    assert (found.code, found.meaning) == (code, meaning)


def test_a_fault_with_namespaces_means_the_same() -> None:
    detail = "<x:detail><x:axlError><x:axlcode>5007</x:axlcode></x:axlError></x:detail>"
    found = read_fault(envelope(f'<x:Fault xmlns:x="{AXL}"><x:faultstring>User</x:faultstring>{detail}</x:Fault>'))
    assert found == AxlFault(5007, "User")


@pytest.mark.parametrize("body", [b"", b"<html/>", answer("getUser", ADA), fault(1, "x")[:-9]])
def test_what_is_no_fault(body: bytes) -> None:
    assert read_fault(body) is None


def test_a_fault_shows_no_text_of_ucm() -> None:
    assert "secret" not in repr(AxlFault(-1, "secret"))
