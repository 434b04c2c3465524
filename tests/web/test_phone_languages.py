"""Phones are spoken to in their language and their encoding."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from casduo.simulators.phone import IpPhone
from tests.support.ward import OTHER_PHONE, PHONE, Ward

KEYS = {
    "en-US": ("Exit", "Submit", "<<"),
    "de-DE": ("Beenden", "Senden", "<<"),
    "fr-FR": ("Quitter", "Valider", "<<"),
    "es-ES": ("Salir", "Enviar", "<<"),
}
LOGGED_IN = {"en-US": "Logged in", "de-DE": "Angemeldet", "fr-FR": "Session ouverte", "es-ES": "Sesión iniciada"}
LANGUAGES = list(KEYS)


def shown(phone: IpPhone) -> str:
    assert phone.screen is not None, phone.prompt_error
    return str(phone.screen)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("model", ["8845", "7960"])
def test_the_form_speaks_the_language_of_the_phone(ward: Ward, language: str, model: str) -> None:
    phone = ward.at_form(language=language, model=model)
    assert phone.screen is not None
    keys = KEYS[language]
    assert phone.screen.softkeys == (keys if model == "8845" else (keys[1], keys[2], keys[0]))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("model", ["7841", "7960", "8821"])
def test_a_whole_login_and_logout_in_each_language(ward: Ward, language: str, model: str) -> None:
    exit_key, submit, _ = KEYS[language]
    phone = ward.at_form(language=language, model=model)
    phone.type(userid="mary", pin="31415")
    phone.press(submit)
    ward.answer_push("mary")
    ward.await_screen(phone, lambda text: "mary-clinic" in text)
    phone.pick(1)
    ward.await_screen(phone, lambda text: text.startswith(LOGGED_IN[language]))
    assert ward.login() == ("mary", "mary-ward")
    phone = ward.opened(language=language, model=model)
    assert "mary" in shown(phone)
    assert phone.screen is not None
    (logout,) = (label for label in phone.screen.softkeys if label and label != exit_key)
    phone.press(logout)
    phone.press(logout)
    assert ward.login() is None


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en-US"])
def test_no_page_of_a_login_has_an_english_key(ward: Ward, language: str) -> None:
    exit_key, submit, _ = KEYS[language]
    phone = ward.at_form(language=language)
    seen = [shown(phone)]
    ward.submit(phone, "ada", "00000", key=submit)
    seen.append(shown(phone))
    ward.submit(phone, "ada", key=submit)
    cancel, passcode, update, more = phone.screen.softkeys if phone.screen is not None else ()
    for key in (update, passcode, more):
        phone.press(key)
        seen.append(shown(phone))
        if key != update:
            # Back, which is where one leaves.
            phone.press_position(1)
    ward.answer_push(reply="deny")
    ward.pass_time(3)
    seen.append(shown(phone))
    phone.press(cancel)
    seen.append(shown(phone))
    english = re.compile(r"\[(?:Submit|Exit|Cancel|Back|More|Retry|Select|Login|Logout|Passcode|Update)\]")
    assert [text for text in seen if english.search(text)] == []
    assert len(set(seen)) == len(seen)
    assert exit_key in seen[-1]


@pytest.mark.parametrize(
    ("header", "title"),
    [
        ("de_AT", "Angemeldet"),
        ("en, de", "Logged in"),
        ("it, fr;q=0.8, en;q=0.3", "Session ouverte"),
        ("ja", "Logged in"),
        ("x" * 2000, "Logged in"),
        (";;;,,,q=1", "Logged in"),
    ],
)
def test_the_best_of_our_languages_is_taken(ward: Ward, header: str, title: str) -> None:
    phone = ward.at_form(language=header)
    assert phone.screen is not None
    phone.type(userid="alan", pin="97531")
    phone.press(next(label for label in phone.screen.softkeys if label in {keys[1] for keys in KEYS.values()}))
    ward.await_screen(phone, lambda text: text.startswith(title))


def test_each_phone_of_one_ward_speaks_its_own(ward: Ward) -> None:
    one, other = ward.at_form(language="de-DE"), ward.at_form(OTHER_PHONE, language="es-ES")
    assert "Senden" in shown(one)
    assert "Enviar" in shown(other)
    assert "Senden" in shown(one)


def test_names_of_people_and_services_are_whole_on_old_phones(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(settings="phones: {show_occupant: true}\n")
    ward.hire("jürgen", profiles=["Büro Łódź"])
    phone = ward.at_form(model="7960", language="de-DE")
    phone.type(userid="jürgen", pin="24680")
    phone.press("Senden")
    assert "Profil: Büro Łódź" in shown(phone)
    assert ward.login(PHONE) == ("jürgen", "Büro Łódź")
    assert "jürgen" in shown(ward.opened(model="7960", language="de-DE"))
