"""A site with its own colours, pictures, templates and files, as its people see it and its operators set it up."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from casduo.cli.check import report
from casduo.errors import SettingsError
from casduo.paths import views_directory
from casduo.settings import load_settings
from casduo.weblook import build_look
from tests.support.raw import call
from tests.support.site import LIBRARY, Site, build_site, has_ticket, heading, words, write_site

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'
SETTINGS = """
pages:
  organisation: Analytical University
  logo: logo.svg
  logo_dark: dark.svg
  logo_alt: {en: Crest, de: Wappen}
  accent_colour: "#8a1538"
  accent_colour_dark: "#e7a3b5"
  footer_links: [{text: Imprint, url: "https://www.example.edu/imprint"}]
  templates: views
  static: files
"""
REGISTRY = """
services:
  - {id: library, name: Library catalogue, url: "https://library.example.edu/**"}
"""
FAILING = '{% extends "casduo/not_found.html" %}{% block main %}{{ page.nix }}{% endblock %}'
WHOLE = """
{% extends "layout.html" %}
{% from "macros.html" import hidden_fields %}
{% set heading = t("login.heading") %}
{% block main %}
{% include "banner.html" %}
<form method="post">{{ hidden_fields(page.form) }}</form>
{% endblock %}
"""
LOGIN = """
{% extends "casduo/login.html" %}
{% block before_heading %}
<p class="note info">The library is closed on Friday.</p>
{{ super() }}
{% endblock %}
{% block head %}
{{ super() }}
<link rel="stylesheet" href="{{ static("brand.css") }}">
{% endblock %}
"""


def furnish(directory: Path, **templates: str) -> None:
    for name in ("logo.svg", "dark.svg"):
        (directory / name).write_text(SVG)
    (directory / "files").mkdir()
    (directory / "files" / "brand.css").write_text("body { letter-spacing: 0 }")
    (directory / "views").mkdir()
    for name, text in templates.items():
        (directory / "views" / f"{name}.html").write_text(text)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("looks")
    furnish(directory, login=LOGIN, not_found=FAILING)
    found = build_site(directory, valkey_url, float(int(time.time())), REGISTRY, SETTINGS)
    yield found
    found.composed.close()


def test_a_replaced_page_is_shown_and_signs_people_in(site: Site) -> None:
    browser = site.browser()
    page = browser.login_page()
    assert "The library is closed on Friday." in words(page)
    assert heading(page) == "Sign in"
    assert has_ticket(browser.fill(page, "ada"))
    german = site.browser().get("/login", headers={"Accept-Language": "de"})
    assert "The library is closed on Friday." in words(german)
    assert heading(german) == "Anmelden"


def test_a_template_of_the_site_can_work_with_every_value_that_it_is_given(tmp_path: Path, valkey_url: str) -> None:
    (tmp_path / "views").mkdir()
    (tmp_path / "views" / "login.html").write_text(
        '{% extends "casduo/login.html" %}{% block before_heading %}'
        '<a id="help" href="https://help.example.edu/?at={{ back|urlencode }}">Help</a>{{ super() }}{% endblock %}'
    )
    site = build_site(tmp_path, valkey_url, float(int(time.time())), REGISTRY, "pages: {templates: views}\n")
    page = site.browser().login_page("https://library.example.edu/", renew="true")
    assert page.html.find(id="help")["href"] == (
        "https://help.example.edu/?at=/cas/login%3Fservice%3Dhttps%253A%252F%252Flibrary.example.edu%252F%26renew%3Dtrue"
    )
    site.composed.close()


def test_files_of_the_site_are_served_beside_ours(site: Site) -> None:
    page = site.browser().login_page()
    sheet = next(link["href"] for link in page.html.find_all("link") if "brand.css" in link["href"])
    answer = call(site, path=sheet.partition("?")[0])
    assert (answer.status, answer.header("Content-Type")) == (200, "text/css; charset=utf-8")
    assert answer.body == b"body { letter-spacing: 0 }"


def test_the_logo_has_one_for_dark_screens_and_words_in_the_language_of_the_page(site: Site) -> None:
    page = site.browser().get("/login", headers={"Accept-Language": "de"})
    picture = page.html.find("picture")
    assert picture.find("source")["media"] == "(prefers-color-scheme: dark)"
    assert "/organisation-dark.svg" in picture.find("source")["srcset"]
    assert picture.find("img")["alt"] == "Wappen"
    answer = call(site, path=picture.find("img")["src"].partition("?")[0])
    assert answer.header("Content-Type") == "image/svg+xml; charset=utf-8"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert "sandbox" in answer.header("Content-Security-Policy")
    assert "default-src 'none'" in answer.header("Content-Security-Policy")
    assert "Imprint" in words(page)


def test_colours_of_the_site_are_in_its_style_sheet(site: Site) -> None:
    theme = call(site, path="/cas/static/theme.css").body
    assert b"--accent:#8a1538" in theme
    assert b"--accent:#e7a3b5" in theme


def test_a_template_that_fails_gives_way_to_ours_and_the_log_names_it(site: Site) -> None:
    with capture_logs() as lines:
        answer = call(site, path="/cas/nothing")
    assert answer.status == 404
    assert b"There is no such page" in answer.body
    failed = next(line for line in lines if line["event"] == "template_failed")
    assert (failed["template"], failed["line"], failed["error"]) == ("not_found.html", 1, "UndefinedError")
    assert failed["reference"].encode() in answer.body or failed["reference"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("\n{{ t('page.nix') }}", "UnknownMessage"),
        ("\n{{ static('nix.css') }}", "KeyError"),
        ("\n{% from 'macros.html' import nix %}{{ nix() }}", "UndefinedError"),
        ("{% for i in range(10 ** 12) %}{% endfor %}", "OverflowError"),
        ("{% for i in range(99999) %}{% for j in range(99999) %}for ever{% endfor %}{% endfor %}", "OverflowError"),
        ("{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}", "RecursionError"),
    ],
)
def test_a_template_that_cannot_be_filled_in_or_never_ends_gives_way_to_ours(
    tmp_path: Path, valkey_url: str, text: str, error: str
) -> None:
    furnish(tmp_path, not_found=text)
    found = build_site(tmp_path, valkey_url, float(int(time.time())), REGISTRY, SETTINGS)
    try:
        with capture_logs() as lines:
            answer = call(found, path="/cas/nothing")
        assert (answer.status, b"There is no such page" in answer.body) == (404, True)
        failed = next(line for line in lines if line["event"] == "template_failed")
        assert (failed["template"], failed["error"]) == ("not_found.html", error)
        if text.startswith("\n"):
            assert (Path(failed["file"]).name, failed["line"]) == ("not_found.html", 2)
    finally:
        found.composed.close()


def test_a_fixed_scheme_leaves_one_picture_and_one_set_of_colours(tmp_path: Path, valkey_url: str) -> None:
    furnish(tmp_path)
    dark = build_site(tmp_path, valkey_url, float(int(time.time())), REGISTRY, SETTINGS + "  scheme: dark\n")
    try:
        page = dark.browser().get("/login")
        assert page.html.find("picture") is None
        assert "/organisation-dark.svg" in page.html.find("header").find("img")["src"]
        assert page.html.find("meta", attrs={"name": "color-scheme"})["content"] == "dark"
        assert b"prefers-color-scheme" not in call(dark, path="/cas/static/casduo.css").body
    finally:
        dark.composed.close()


def checked(directory: Path) -> list[tuple[str, int, str, str]]:
    """Return what ``casduo check`` says of the files for pages: the file, the line, the level and the sentence."""
    problems, _ = report(directory / "casduo.yaml", None, {})
    return [
        (Path(problem.file).name, problem.line, problem.level, problem.message)
        for problem in problems
        if problem.path.startswith("pages") or problem.file.endswith(".html")
    ]


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        (
            "login",
            "{% extends 'casduo/login.html' %}\n\n{% block main %}",
            ("login.html", 3, "error", "Unexpected end"),
        ),
        ("login", "{{ page.csrf|shout }}", ("login.html", 1, "error", "No filter named 'shout'")),
        ("login", "{{ " + "(" * 3_000, ("login.html", 0, "error", "cannot be read: parentheses")),
        (
            "login",
            "{% if a %}" * 150 + "{% endif %}" * 150,
            ("login.html", 0, "error", "cannot be read: parentheses or blocks"),
        ),
        (
            "login",
            "\n{% extends 'frame.html' %}{# csrf #}",
            ("login.html", 2, "error", "refers to 'frame.html'"),
        ),
        (
            "login",
            "<form method=post></form>",
            ("login.html", 0, "warning", "lacks the hidden fields (execution, csrf)"),
        ),
        ("logn", "<p>", ("logn.html", 0, "warning", "takes the place of no page")),
        ("error", "<h1>\n{{ organization }}", ("error.html", 2, "warning", "knows no 'organization'")),
        (
            "error",
            "{% extends 'casduo/error.html' %}\n{% block mian %}{% block inner %}{% endblock %}{% endblock %}",
            ("error.html", 2, "warning", "block 'mian' is in no template that this one extends"),
        ),
        (
            "layout",
            "".join(f"{{% block {block} %}}{{% endblock %}}" for block in ("head", "navigation", "before_heading")),
            ("layout.html", 0, "warning", "has no block 'main': what pages put there is not shown"),
        ),
        (
            "error",
            "{# extends what it is #}\n{% extends 'error.html' %}",
            ("error.html", 2, "error", "extends itself; to change ours, extend 'casduo/error.html'"),
        ),
        (
            "layout",
            "{% extends 'casduo/error.html' %}",
            ("layout.html", 1, "error", "extends itself, by way of 'casduo/error.html'"),
        ),
        ("error", "\n{{ t('error.nix') }}", ("error.html", 2, "warning", "t('error.nix') is no text of casduo")),
        (
            "error",
            "\n{{ t('page.title', what='x') }}{{ t('page.title', **page) }}{{ t(page.text) }}",
            ("error.html", 2, "warning", "t('page.title') wants organisation, what, and is given what"),
        ),
        (
            "error",
            "{{ static('casduo.css') }}{{ static('theme.css') }}{{ static('brand.css') }}\n{{ static('brnd.css') }}",
            ("error.html", 2, "warning", "static('brnd.css'): there is no such file"),
        ),
        (
            "error",
            "\n{% from 'macros.html' import moment, outsied with context %}",
            ("error.html", 2, "warning", "there is no 'outsied' in 'macros.html'"),
        ),
        (
            "error",
            "{% import 'macros.html' as all %}{{ all.moment(time) }}\n{{ all.mument(time) ~ range(3) }}",
            ("error.html", 2, "warning", "there is no 'mument' in 'macros.html'"),
        ),
    ],
)
def test_a_template_is_checked_before_it_is_used(
    tmp_path: Path, name: str, text: str, found: tuple[str, int, str, str]
) -> None:
    furnish(tmp_path, **{name: text})
    settings = load_settings(write_site(tmp_path, "redis://localhost", REGISTRY, SETTINGS), {})
    (problem,) = checked(tmp_path)
    assert problem[:3] == found[:3]
    assert problem[3].startswith(found[3])
    if found[2] == "error":
        with pytest.raises(SettingsError, match=rf"{name}\.html"):
            build_look(settings.pages)
    else:
        build_look(settings.pages)


def test_parts_of_templates_and_whole_pages_of_one_s_own_are_fine(tmp_path: Path) -> None:
    furnish(tmp_path, login=WHOLE, banner="<p>{{ site.organisation }}</p>")
    write_site(tmp_path, "redis://localhost", REGISTRY, SETTINGS)
    assert checked(tmp_path) == []


def test_templates_that_say_what_ours_say_are_fine(tmp_path: Path) -> None:
    furnish(tmp_path)
    for name in ("layout", "macros", "account_parts", "account", "duo_push", "approval"):
        shutil.copy(views_directory() / f"{name}.html", tmp_path / "views")
    write_site(tmp_path, "redis://localhost", REGISTRY, SETTINGS)
    assert checked(tmp_path) == []


def test_files_that_are_missing_are_named_all_at_once(tmp_path: Path) -> None:
    settings = load_settings(write_site(tmp_path, "redis://localhost", REGISTRY, SETTINGS), {})
    assert [line[3].rpartition(": ")[2] for line in checked(tmp_path)] == [
        "No such file or directory",
        "No such file or directory",
        "No such file or directory",
        f"{tmp_path}/views is not a folder",
    ]
    with pytest.raises(SettingsError) as refused:
        build_look(settings.pages)
    assert len(refused.value.problems) == 4


def test_nothing_above_the_folders_is_served_or_read(site: Site) -> None:
    for path in ("/cas/static/../casduo.yaml", "/cas/static/..%2fcasduo.yaml", "/cas/static/login.html"):
        assert call(site, path=path).status == 404
    assert LIBRARY
