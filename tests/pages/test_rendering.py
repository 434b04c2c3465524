"""Each page in each state: valid HTML, safe with hostile texts, light, and complete for those who use no script."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest
from jinja2 import UndefinedError

from casduo.messages import PROSE_LIMIT
from tests.pages.pseudo import PSEUDO
from tests.pages.rendering import (
    BARE_SITE,
    BRANDED_SITE,
    REFERENCE,
    SITE,
    STATIC,
    TIME,
    VIEWS,
    environment,
    render,
)
from tests.pages.states import (
    FLOW,
    PAYROLL,
    STATES,
    Error,
    Form,
    Service,
    State,
    duo_denied,
    duo_push,
    login,
    request,
    signed_in,
    signed_out,
)

HOSTILE = "<script>alert(1)</script> \"quoted\" 'too' & \u202eturned\u2066 \x00 {{ 7 * 7 }} " + "x" * 10_000
WEIGHT = 50 * 1024
DRAWN_WEIGHT = 120_000
"""A page with a picture for operators may weigh more."""

every_state = pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)


def rendered(state: State) -> str:
    """Render a state as the server would."""
    return render(state.view, state.page, site=state.site, error_page=state.is_error_page)


def parsed(html: str) -> Element:
    """Parse ``html`` as browsers do and fail on anything that is not valid syntax."""
    parser = html5lib.HTMLParser(strict=True, tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    tree: Element = parser.parse(html)
    return tree


def visible_text(tree: Element) -> str:
    """Return all text of the body."""
    body = tree.find("body")
    assert body is not None
    return " ".join(" ".join(body.itertext()).split())


def attributes(tree: Element, name: str) -> list[str]:
    """Return the values of one attribute over the whole document."""
    return [element.attrib[name] for element in tree.iter() if name in element.attrib]


_BEHIND_A_SIGN_IN = ("account", "admin/", "request", "requests", "approval", "approvals")
_OF_NOBODY_IN_PARTICULAR = {"admin/again", "approval_not_now"}
"""Shown also to those whose session has ended, or in the middle of a login."""


def _behind_a_sign_in(view: str) -> bool:
    return view.startswith(_BEHIND_A_SIGN_IN) and view.removesuffix(".html") not in _OF_NOBODY_IN_PARTICULAR


@every_state
def test_signing_out_is_in_sight_on_every_page_behind_a_sign_in(state: State) -> None:
    links = [link for link in parsed(rendered(state)).iterfind(".//header/a") if link.text == "Sign out"]
    assert [link.attrib["href"] for link in links] == ["/cas/logout"] * _behind_a_sign_in(state.view)


@every_state
def test_every_page_has_its_frame(state: State) -> None:
    tree = parsed(rendered(state))
    assert tree.attrib["lang"] == "en"
    assert tree.attrib["dir"] == "ltr"
    assert len(tree.findall(".//h1")) == 1
    assert [len(tree.findall(f".//{landmark}")) for landmark in ("header", "main")] == [1, 1]
    title = tree.findtext(".//title") or ""
    heading = "".join(tree.find(".//h1").itertext())  # type: ignore[union-attr]
    wrong = any(state.page.get(name) for name in ("error", "problems", "late"))
    problem = "Error: " if wrong and state.page.get("state") != "signed_in" else ""
    assert title == f"{problem}{heading} \N{EN DASH} {state.site.organisation}"
    viewport = next(meta for meta in tree.iter("meta") if meta.attrib.get("name") == "viewport")
    assert viewport.attrib["content"] == "width=device-width, initial-scale=1"


@every_state
def test_every_page_is_sound(state: State) -> None:
    tree = parsed(rendered(state))
    ids = Counter(attributes(tree, "id"))
    assert [name for name, times in ids.items() if times > 1] == []
    referred = [name for kind in ("aria-labelledby", "aria-describedby", "aria-controls", "for")
                for value in attributes(tree, kind) for name in value.split()]  # fmt: skip
    referred += [href[1:] for href in attributes(tree, "href") if href.startswith("#")]
    assert set(referred) <= ids.keys()
    labelled = set(attributes(tree, "for"))
    assert [field for field in visible_fields(tree) if field.attrib["id"] not in labelled] == []
    assert all("alt" in image.attrib for image in tree.iter("img"))
    assert all("type" in button.attrib for button in tree.iter("button"))
    # What only looks for something may be kept as an address.
    assert all(form.attrib["method"] == "post" for form in tree.iter("form") if form.attrib.get("role") != "search")
    assert len(attributes(tree, "autofocus")) <= 1
    assert all(int(index) <= 0 for index in attributes(tree, "tabindex"))
    assert len(tree.findall(".//button[@class='button primary']") + tree.findall(".//a[@class='button primary']")) <= 1


def visible_fields(tree: Element) -> Iterator[Element]:
    """Yield the fields that a person can fill in."""
    return (
        field for field in tree.iter() if field.tag in ("input", "textarea") and field.attrib.get("type") != "hidden"
    )


@every_state
def test_no_page_carries_script_or_style_of_its_own(state: State) -> None:
    tree = parsed(rendered(state))
    assert list(tree.iter("style")) == []
    assert all(script.attrib.keys() >= {"src", "nonce"} and not script.text for script in tree.iter("script"))
    names = {name for element in tree.iter() for name in element.attrib}
    assert [name for name in names if name == "style" or name.startswith("on")] == []
    loaded = attributes(tree, "src") + [link.attrib["href"] for link in tree.iter("link")]
    assert all(url.startswith(("/cas/static/", "data:image/")) for url in loaded)


@every_state
def test_every_page_is_light(state: State) -> None:
    html = rendered(state)
    files = set(re.findall(r"/cas/static/([\w.]+)", html)) - {"theme.css"}
    limit = DRAWN_WEIGHT if state.view.startswith("admin/") else WEIGHT
    assert len(html.encode()) + sum((STATIC / name).stat().st_size for name in files) < limit


@pytest.mark.parametrize("script", sorted(STATIC.glob("*.js")), ids=lambda script: script.name)
def test_scripts_are_small(script: Any) -> None:
    assert script.stat().st_size < 6_000


@every_state
def test_error_pages_say_what_to_refer_to(state: State) -> None:
    shown = visible_text(parsed(rendered(state)))
    assert (f"Reference {REFERENCE}" in shown) == state.is_error_page
    assert ("4 March 2026, 10:22 UTC+01:00" in shown) == state.is_error_page


@pytest.mark.parametrize("view", ["error.html", "duo_unavailable.html"])
def test_an_error_page_without_a_reference_is_a_mistake(view: str) -> None:
    with pytest.raises(UndefinedError, match="reference"):
        render(view, {"service": PAYROLL, "form": FLOW})


@every_state
def test_every_piece_of_page_data_is_asked_for(state: State) -> None:
    assert set(state.page) == set(re.findall(r'\bpage(?:\.|\[")(\w+)', source(state.view)))


def source(view: str) -> str:
    """Return the text of a view without its comments and the ids of texts."""
    text = (VIEWS / view).read_text(encoding="utf-8")
    if '{% extends "admin/layout.html" %}' in text:
        text += (VIEWS / "admin" / "layout.html").read_text(encoding="utf-8")
    return re.sub(r'(?s)\{#.*?#\}|"page\.\w+"', "", text)


@every_state
def test_every_sentence_comes_from_the_catalogue(state: State) -> None:
    """The pseudo-language has no Latin letters, so what is Latin must be data."""
    html = render(state.view, state.page, site=state.site, catalogue=PSEUDO, error_page=state.is_error_page)
    tree = parsed(html)
    assert (tree.attrib["lang"], tree.attrib["dir"]) == (PSEUDO.language, "rtl")
    data = f"{state.page} {asdict(state.site)} {REFERENCE} {TIME}"
    told = [
        visible_text(tree),
        *attributes(tree, "alt"),
        *attributes(tree, "aria-label"),
        *(value for element in tree.iter() for name, value in element.attrib.items() if name.startswith("data-text")),
    ]
    assert [word for text in told for word in re.findall(r"[A-Za-z]{2,}", text) if word not in data] == []


def hostile_pages() -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield every page that shows something from outside, with the worst of it."""
    service = Service(HOSTILE, HOSTILE, HOSTILE, None)
    form = Form("/cas/login", HOSTILE, HOSTILE, (("service", HOSTILE),))
    who = {"name": HOSTILE, "logout_url": "/cas/logout"}
    listed = [{"name": HOSTILE, "url": "https://payroll.example.edu/", "state": "failed"}]
    address = "https://payroll.example.edu/?\"'<>"
    yield "login.html", login(service=service, form=form, username=HOSTILE, who=who), False
    yield "login.html", login(form=form, username=HOSTILE, error=Error("login.error.credentials")), False
    yield "signed_in.html", signed_in(username=HOSTILE, display_name=HOSTILE, applications=listed), False
    yield "signed_in.html", signed_in(username=HOSTILE, display_name=None), False
    yield "warn.html", {"service": service, "form": form, "cancel_url": address}, False
    yield "post_response.html", {"service": service, "form": form}, False
    yield "signed_out.html", signed_out(continue_to={"name": HOSTILE, "url": address}, applications=listed), False
    hostile = signed_out(applications=listed, frames=(address,), again_url=address)
    yield "signed_out.html", hostile, False
    yield "service_unregistered.html", {"host": HOSTILE}, True
    yield "service_disabled.html", {"service": service, "reason": HOSTILE}, True
    group = {"reason": "service_denied.reason.group", "facts": {}, "explanation": HOSTILE, "contact": HOSTILE}
    yield "service_denied.html", {"service": service, "switch_url": address, **group}, True
    yield "duo_unavailable.html", {"service": service, "form": form}, True
    yield "duo_denied.html", duo_denied("duo_denied.reason.policy", HOSTILE, form) | {"service": service}, True
    unenrolled = {"service": service, "enrolment_url": address, "expires": 60, "continue_url": address}
    yield "duo_unenrolled.html", unenrolled, False
    yield "duo_refused.html", {"service": service, "sign_in_url": address}, True
    yield "duo_trust.html", {"service": service, "days": 30, "form": form}, False
    yield from ((view, page, False) for view, page in hostile_duo_pages(service, form, address))
    yield "duo_restart.html", {"retry_url": address}, True
    loop = {"service": service, "contact": HOSTILE, "returned": True, "retry_url": address}
    yield "ticket_loop.html", loop, True


def hostile_duo_pages(service: Service, form: Form, address: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the built-in Duo page with devices, services and words of Duo that mean no good."""
    listed = [{"value": f"{kind}:'\"><{kind}", "kind": kind, "device": HOSTILE, "again": kind == "push"}
              for kind in ("push", "phone", "sms")]  # fmt: skip
    bad = dict(service=service, form=form, ways=listed, status_url=address, refresh_url=address, still_url=address)
    waiting = request(device=HOSTILE, said=HOSTILE, status=HOSTILE)
    yield "duo_push.html", duo_push("waiting", request=waiting, **bad)
    yield "duo_push.html", duo_push("waiting", request=waiting | {"factor": "phone"}, **bad)
    yield "duo_push.html", duo_push("ready", default_way=listed[0]["value"], default_device=HOSTILE, **bad)
    refused = Error("duo_push.error.denied", said=HOSTILE)
    yield "duo_push.html", duo_push("denied", error=refused, **bad)
    sent = Error("duo_push.notice.sent", {"device": HOSTILE}, HOSTILE)
    yield "duo_push.html", duo_push("codes", notice=sent, **bad)
    yield "duo_push.html", duo_push("pending", other=HOSTILE, **bad)
    yield "duo_push.html", duo_push("signed_in", continue_url=address, **bad)


@pytest.mark.parametrize(("view", "page", "error_page"), list(hostile_pages()))
def test_hostile_texts_stay_texts(view: str, page: dict[str, Any], error_page: bool) -> None:
    html = render(view, page, error_page=error_page)
    without_hidden = re.sub(r'<input type="hidden"[^>]*>', "", html)
    assert "alert(1)</script>" not in html
    assert "49" not in re.findall(r">([^<]*)<", html)
    assert "x" * PROSE_LIMIT not in without_hidden
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", without_hidden)
    tree = parsed(without_hidden)
    assert [script for script in tree.iter("script") if "src" not in script.attrib] == []


def test_hidden_fields_are_carried_unchanged() -> None:
    service = "https://payroll.example.edu/?a=1&a=2&b=\"'<ü>#f"
    form = Form(execution="the-place", csrf="the-proof", hidden=(("service", service), ("renew", "true")))
    tree = parsed(render("login.html", login(form=form)))
    carried = {field.attrib["name"]: field.attrib["value"] for field in tree.iter("input")
               if field.attrib["type"] == "hidden"}  # fmt: skip
    assert carried == {"execution": "the-place", "csrf": "the-proof", "service": service, "renew": "true"}


def test_the_sign_in_form_is_what_password_managers_expect() -> None:
    tree = parsed(render("login.html", login(service=PAYROLL)))
    fields = {field.attrib["name"]: field.attrib for field in visible_fields(tree)}
    assert list(fields) == ["username", "password"]
    assert fields["username"].items() >= {
        ("type", "text"),
        ("autocomplete", "username"),
        ("autocapitalize", "none"),
        ("autocorrect", "off"),
        ("spellcheck", "false"),
    }
    assert fields["password"].items() >= {("type", "password"), ("autocomplete", "current-password")}
    assert "value" not in fields["password"]
    assert not {"maxlength", "pattern", "placeholder", "readonly"} & (fields["password"].keys() | fields["username"])


def test_the_sign_in_form_says_what_it_is_for() -> None:
    shown = visible_text(parsed(render("login.html", login(service=PAYROLL))))
    assert "Sign in to continue to Payroll" in shown
    assert "payroll.example.edu" in shown


@pytest.mark.parametrize("wrong", ["login.error.credentials", "login.error.missing"])
def test_wrong_credentials_are_told_at_the_top_and_at_the_fields(wrong: str) -> None:
    tree = parsed(render("login.html", login(username="ada", error=Error(wrong))))
    summary = tree.find(".//*[@role='alert']")
    assert summary is not None
    assert summary.attrib["tabindex"] == "-1"
    assert "autofocus" in summary.attrib
    assert [link.attrib["href"] for link in summary.iter("a")] == ["#username"]
    for field in visible_fields(tree):
        assert field.attrib["aria-invalid"] == "true"
        assert field.attrib["aria-describedby"] == "problem-text"
    assert [field.attrib.get("value") for field in visible_fields(tree)] == ["ada", None]


@pytest.mark.parametrize("reason", ["throttled", "unavailable", "busy", "disabled", "expired", "must_change"])
def test_other_reasons_do_not_blame_the_fields(reason: str) -> None:
    facts = {"seconds": 40} if reason == "throttled" else {}
    ours = reason in ("unavailable", "busy")
    tree = parsed(render("login.html", login(error=Error(f"login.error.{reason}", facts)), error_page=ours))
    assert attributes(tree, "aria-invalid") == []


@pytest.mark.parametrize(
    ("reason", "url"),
    [
        ("expired", SITE.change_password_url),
        ("must_change", SITE.change_password_url),
        ("disabled", SITE.help_url),
    ],
)
def test_a_right_password_that_does_not_help_comes_with_a_next_step(reason: str, url: str) -> None:
    page = login(error=Error(f"login.error.{reason}"))
    summary = parsed(render("login.html", page)).find(".//*[@role='alert']")
    assert summary is not None
    assert [link.attrib["href"] for link in summary.iter("a")] == [url]
    bare = parsed(render("login.html", page, site=BARE_SITE)).find(".//*[@role='alert']")
    assert bare is not None
    assert list(bare.iter("a")) == []


@pytest.mark.parametrize(
    ("changes", "focused"),
    [
        ({}, "username"),
        ({"service": PAYROLL}, "username"),
        ({"username": "ada"}, None),
        ({"notice": "login.notice.expired", "username": "ada"}, None),
        ({"who": {"name": "Ada", "logout_url": "/cas/logout"}}, None),
        ({"error": Error("login.error.credentials"), "username": "ada"}, "problem"),
    ],
)
def test_focus_starts_where_reading_should(changes: dict[str, Any], focused: str | None) -> None:
    tree = parsed(render("login.html", login(**changes)))
    assert next((e.attrib["id"] for e in tree.iter() if "autofocus" in e.attrib), None) == focused


def test_a_field_that_takes_the_focus_says_what_stands_above_it() -> None:
    tree = parsed(render("login.html", login(service=PAYROLL)))
    field = next(visible_fields(tree))
    assert field.attrib["aria-describedby"] == "to-service service"


def test_the_sentences_that_were_promised() -> None:
    unavailable = render("duo_unavailable.html", {"service": PAYROLL, "form": FLOW}, error_page=True)
    assert "There was a problem accessing to DUO" in unavailable
    page = {"service": PAYROLL, "enrolment_url": "https://kb.example.edu/duo", "expires": 60, "continue_url": "/cas/"}
    assert "You need a second factor for Payroll. You have none yet." in render("duo_unenrolled.html", page)
    refused = parsed(render("duo_refused.html", {"service": PAYROLL, "sign_in_url": "/cas/"}, error_page=True))
    assert refused.findtext(".//h1") == "Login Failed."


def test_an_unregistered_application_is_named_but_never_linked() -> None:
    tree = parsed(render("service_unregistered.html", {"host": "games.example.net"}, error_page=True))
    assert "games.example.net" in visible_text(tree)
    assert not any("games" in value for element in tree.iter() for value in element.attrib.values())


def test_where_no_session_is_left_no_way_on_is_offered() -> None:
    page = duo_denied("duo_denied.reason.policy", form=None, ended=True)
    tree = parsed(render("duo_denied.html", page, error_page=True))
    assert [element for element in tree.iter() if "button" in element.attrib.get("class", "")] == []
    assert "other applications" not in visible_text(tree)


def test_refresh_is_for_those_without_scripts() -> None:
    going_on = {"name": "Payroll", "url": "https://payroll.example.edu/bye"}
    html = render("signed_out.html", signed_out(continue_to=going_on))
    assert html.count("http-equiv") == 1
    assert re.search(r'<noscript><meta http-equiv="refresh" content="2; url=https://payroll\.example\.edu/bye">', html)


def test_signing_out_of_what_cannot_be_told_advises_to_close_windows() -> None:
    told = signed_out(applications=[{"name": "Payroll", "state": "told"}])
    failed = signed_out(applications=[{"name": "Payroll", "state": "failed"}])
    assert "close all browser windows" not in render("signed_out.html", told)
    assert "close all browser windows" in render("signed_out.html", failed)


def test_a_page_with_navigation_has_a_way_past_it() -> None:
    templates = environment().overlay()
    template = templates.from_string(
        '{% extends "layout.html" %}{% set heading = "Sessions" %}'
        '{% block navigation %}<ul><li><a href="/cas/login">Applications</a></li></ul>{% endblock %}'
    )
    tree = parsed(template.render(page={}, nonce="n"))
    body = tree.find("body")
    assert body is not None
    first = next(body.iter("a"))
    assert first.attrib["href"] == "#main"
    assert tree.find(".//nav").attrib["aria-label"] == "Pages"  # type: ignore[union-attr]


def test_a_logo_that_carries_the_name_replaces_it() -> None:
    header = parsed(render("login.html", login(), site=BRANDED_SITE)).find(".//header")
    assert header is not None
    assert [image.attrib["alt"] for image in header.iter("img")] == ["Analytical University"]
    assert "".join(header.itertext()).strip() == ""
