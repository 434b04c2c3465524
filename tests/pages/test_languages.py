"""Every page in every language: no sentence is missing, none is glued, and each says what the English one says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel import Locale

from casduo.languages import LANGUAGES, NAMES
from casduo.messages import ENGLISH, Catalogue, Plural, UnknownMessage, catalogue, phone_catalogue
from casduo.messages import __main__ as tool
from casduo.messages.formats import direction, write_moment
from casduo.messages.translations import LOCALES, path_of, translation
from casduo.messages.upkeep import TEMPLATE, TRANSLATED, problems, sentences, template, updated
from tests.pages.rendering import ALL_LANGUAGES, BACK, render
from tests.pages.states import STATES


def edited(folder: Path, old: str, new: str) -> Path:
    """Put a German file with one change into a folder of its own."""
    path = path_of("de", folder)
    path.parent.mkdir(parents=True)
    text = path_of("de").read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def wordings(found: Catalogue) -> list[tuple[str, str]]:
    return [
        (name, sentence)
        for name, message in found.messages.items()
        for sentence in (message.forms.values() if isinstance(message, Plural) else (message,))
    ]


def test_every_sentence_is_translated_and_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(["check"]) == 0, capsys.readouterr().out


def test_the_files_are_as_the_tool_writes_them() -> None:
    assert (LOCALES / TEMPLATE).read_bytes() == template()
    for language in TRANSLATED:
        assert path_of(language).read_bytes() == updated(language)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_page_renders_in_every_language(language: str) -> None:
    spoken = catalogue(language)
    for state in STATES:
        html = render(state.view, state.page, site=state.site, catalogue=spoken, error_page=state.is_error_page)
        assert f'<html lang="{language}" dir="ltr">' in html


def test_the_foot_of_a_page_has_a_button_for_each_other_language() -> None:
    for state in (state for state in STATES if state.name in ("login-service", "error", "duo_push-waiting-number")):
        html = render(
            state.view,
            state.page,
            site=state.site,
            catalogue=catalogue("fr"),
            error_page=state.is_error_page,
            languages=ALL_LANGUAGES,
        )
        foot = html.partition('<form class="languages"')[2].partition("</form>")[0]
        assert 'aria-label="Langue"' in foot
        assert f'name="back" value="{BACK}"' in foot
        assert re.findall(r'<button type="submit" name="language" value="(\w+)" lang="\1">', foot) == ["en", "de", "es"]
        assert '<span lang="fr" aria-current="true">Français</span>' in foot


def test_languages_are_called_as_they_call_themselves() -> None:
    for language, name in NAMES.items():
        own = Locale.parse(language).get_display_name() or ""
        assert name == own[0].upper() + own[1:]
        assert direction(language) == "ltr"
    assert direction("ar") == "rtl"


def test_french_has_its_spaces_and_apostrophes() -> None:
    for name, sentence in wordings(catalogue("fr")):
        shown = re.sub(r"\{[^}]*\}|https?://\S*", "", sentence)
        assert "'" not in shown, name
        assert not re.search(r"[^\s\xa0][;!?»]|[^\s\xa0\d]:", shown), name
        assert not re.search(r" [;:!?»]|« ", shown), name


def test_spanish_questions_open_and_quotes_are_those_of_the_language() -> None:
    for name, sentence in wordings(catalogue("es")):
        assert sentence.count("?") == sentence.count("¿"), name
        assert '"' not in sentence, name
    for name, sentence in wordings(catalogue("de")):
        assert '"' not in sentence, name
        assert sentence.count("„") == sentence.count("“"), name


def test_nobody_is_addressed_like_a_friend() -> None:
    familiar = {"de": r"\b(du|dich|dir|dein\w*)\b", "fr": r"\b(tu|toi|ton|tes)\b", "es": r"\b(tú|tu|tus|ti)\b"}
    for language, pattern in familiar.items():
        for name, sentence in [*wordings(catalogue(language)), *wordings(phone_catalogue(language))]:
            assert not re.search(pattern, sentence, re.IGNORECASE), name


def test_plurals_and_times_are_those_of_the_language() -> None:
    seconds = [catalogue(language).text("too_many.why", seconds=0) for language in LANGUAGES]
    assert "0 seconds" in seconds[0]
    assert "0 Sekunden" in seconds[1]
    assert "0 seconde," in seconds[2]
    assert "0 segundos" in seconds[3]
    moment = "2026-03-04T10:22:31+01:00"
    assert [catalogue(language).text("fact.moment", at=moment) for language in ("de", "fr", "es")] == [
        "4. März 2026, 10:22 UTC+01:00",
        "4 mars 2026, 10:22 UTC+01:00",
        "4 de marzo de 2026, 10:22 UTC+01:00",
    ]
    assert write_moment.__doc__


def test_a_sentence_that_is_missing_is_told_in_english(tmp_path: Path) -> None:
    path = edited(tmp_path, 'msgstr "Sie sind angemeldet"', 'msgstr ""')
    german = translation("de", ENGLISH, path)
    assert german.text("signed_in.heading") == "You are signed in"
    assert german.text("signed_in.applications") == "Ihre Anwendungen"
    with pytest.raises(UnknownMessage):
        german.text("signed_in.nothing")
    assert list(problems("de", tmp_path)) == ["signed_in.heading is not translated"]


def test_a_sentence_with_other_facts_never_reaches_a_page(tmp_path: Path) -> None:
    path = edited(tmp_path, 'msgstr "um {service} zu öffnen"', 'msgstr "um {dienst} zu öffnen"')
    assert translation("de", ENGLISH, path).text("login.to_service", service="Payroll") == "to continue to Payroll"
    assert [problem.split()[0] for problem in problems("de", tmp_path)] == ["login.to_service"]


def test_a_brace_that_is_left_open_is_named(tmp_path: Path) -> None:
    path = edited(tmp_path, 'msgstr "um {service} zu öffnen"', 'msgstr "um {service zu öffnen"')
    assert translation("de", ENGLISH, path).text("login.to_service", service="Payroll") == "to continue to Payroll"
    assert "cannot be read" in " ".join(problems("de", tmp_path))


def test_a_plural_form_that_is_missing_is_named(tmp_path: Path) -> None:
    edited(tmp_path, 'msgstr[1] "Es läuft in {days:number} Tagen ab."', 'msgstr[1] ""')
    assert list(problems("de", tmp_path)) == ["password_warning.days is not translated"]


def test_a_changed_english_sentence_marks_its_translation(tmp_path: Path) -> None:
    path = edited(tmp_path, 'msgid "You are signed in"', 'msgid "You are in"')
    assert list(problems("de", tmp_path)) == ["signed_in.heading is out of date: the English sentence has changed"]
    # Until somebody has looked at it, the English sentence is the right one.
    assert translation("de", ENGLISH, path).text("signed_in.heading") == "You are signed in"
    path.write_bytes(updated("de", tmp_path))
    text = path.read_text(encoding="utf-8")
    assert '#. formerly: You are in\n#, fuzzy\nmsgctxt "signed_in.heading"\nmsgid "You are signed in"' in text
    assert 'msgstr "Sie sind angemeldet"' in text
    assert [problem.split()[0] for problem in problems("de", tmp_path)] == ["signed_in.heading"]
    # Doing it once more changes nothing.
    assert updated("de", tmp_path) == path.read_bytes()


def test_sentences_that_are_gone_are_taken_out_and_new_ones_put_in(tmp_path: Path) -> None:
    path = edited(tmp_path, 'msgctxt "signed_in.heading"', 'msgctxt "signed_in.salute"')
    assert sorted(problems("de", tmp_path)) == ["signed_in.heading is missing", "signed_in.salute is not used"]
    path.write_bytes(updated("de", tmp_path))
    assert '#~ msgctxt "signed_in.salute"\n' in path.read_text(encoding="utf-8")
    assert list(problems("de", tmp_path)) == ["signed_in.heading is not translated"]


def test_a_sentence_that_comes_again_has_its_translation_again(tmp_path: Path) -> None:
    whole = path_of("de").read_text(encoding="utf-8")
    entry = next(part for part in whole.split("\n\n") if 'msgctxt "too_many.why"' in part)
    path = edited(tmp_path, f"\n\n{entry}", "")
    aside = "\n".join(f"#~ {line}" for line in entry.splitlines() if not line.startswith("#"))
    path.write_text(f"{path.read_text(encoding='utf-8')}{aside}\n", encoding="utf-8")
    assert list(problems("de", tmp_path)) == ["too_many.why is missing"]
    path.write_bytes(updated("de", tmp_path))
    assert list(problems("de", tmp_path)) == []
    assert '#~ msgctxt "too_many.why"' not in path.read_text(encoding="utf-8")


def test_a_new_language_begins_with_every_sentence_untranslated(tmp_path: Path) -> None:
    path = path_of("pl", tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(updated("pl", tmp_path))
    assert "nplurals=3" in path.read_text(encoding="utf-8")
    assert {problem.split(maxsplit=1)[1] for problem in problems("pl", tmp_path)} == {"is not translated"}
    assert len(list(problems("pl", tmp_path))) == len(sentences())
    assert translation("pl", ENGLISH, path).text("too_many.why", seconds=2) == ENGLISH.text("too_many.why", seconds=2)


@pytest.mark.parametrize("arguments", [[], ["translate"], ["update", "de"]])
def test_the_tool_says_how_it_is_used(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(arguments) == 2
    assert "usage:" in capsys.readouterr().err
