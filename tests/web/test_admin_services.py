from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from webtest.forms import Form
from webtest.response import TestResponse

from casduo.services.file import registry_version
from casduo.store import Store
from casduo.store.store import client_for
from tests.support.site import Browser, Site, build_site, has_ticket, heading, words

NOW = 1_800_000_000.0
SETTINGS = "admin: {without_duo: true, view: {users: [grace]}, change: {users: [ada]}}\n"


REGISTRY = """\
services:
  # The library.
  - id: library   # stable
    name: Library catalogue
    url: https://library.example.edu/**
    attributes: [mail, displayName]

  - id: staff
    name: Staff room
    url: https://staff.example.edu/**
    access: {groups: [staff], reason: Staff only.}

  - id: closed
    name: Old system
    url: https://closed.example.edu/**
    enabled: false
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[Site]:
    store = Store(client_for(valkey_url, "", 5.0, 64, ""))
    store.command("FLUSHALL")
    store.close()
    site = build_site(tmp_path_factory.mktemp("site"), valkey_url, NOW, registry=REGISTRY, settings=SETTINGS)
    yield site
    site.composed.close()


@pytest.fixture(scope="module")
def editor(kept: Site) -> Browser:
    return signed_in(kept, "ada")


@pytest.fixture(scope="module")
def viewer(kept: Site) -> Browser:
    return signed_in(kept, "grace")


@pytest.fixture
def site(kept: Site, path: Path) -> Site:
    kept.journal.events.clear()
    return kept


@pytest.fixture
def path(kept: Site) -> Iterator[Path]:
    path = kept.settings_file.parent / "registry.yaml"
    path.chmod(0o600)
    path.write_text(REGISTRY)
    look_again(kept)
    yield path
    path.chmod(0o600)


def look_again(site: Site) -> None:
    """Have the server look at its file, as the watching thread does."""
    site.composed.parts.services.poll()


def signed_in(site: Site, name: str) -> Browser:
    browser = site.browser()
    browser.sign_in(name, service="https://sso.example.edu/cas/admin/services")
    page = browser.get("/admin/services")
    assert heading(page) == "Services", words(page)
    return browser


def entry(browser: Browser, name: str) -> TestResponse:
    return browser.get(f"/admin/services/entry/{name}")


def the_form(page: TestResponse, button: str) -> Form:
    """Return the form that has a button of this value."""
    assert f'value="{button}"' in page.text, words(page)
    return next(form for form in page.forms.values() if f'value="{button}"' in form.text)


def reviewed(page: TestResponse, button: str = "form", **fields: str) -> TestResponse:
    form = the_form(page, button)
    for name, value in fields.items():
        form[name.replace("__", ".")] = value
    return form.submit("do", value=button, status="*")


def saved(page: TestResponse, reason: str = "because", **fields: str) -> TestResponse:
    form = the_save(page)
    form["reason"] = reason
    for name, value in fields.items():
        form[name] = value
    return form.submit(status="*")


def the_save(page: TestResponse) -> Form:
    return next(form for form in page.forms.values() if form.action.endswith("/services/save"))


def test_a_change_in_the_form_is_looked_at_and_saved(editor: Browser, site: Site, path: Path) -> None:
    look = reviewed(entry(editor, "library"), name="The library", owner="me", access__groups="staff\r\nfaculty\r\n")
    assert look.status_int == 200
    assert "access: {groups: [staff, faculty]}" in look.text
    assert path.read_text() == REGISTRY
    done = saved(look)
    assert done.status_int == 303
    assert path.read_text() == REGISTRY.replace("Library catalogue", "The library").replace(
        "library.example.edu/**\n    attributes: [mail, displayName]\n",
        "library.example.edu/**\n    owner: me\n    attributes: [mail, displayName]\n"
        "    access: {groups: [staff, faculty]}\n",
    )
    [event] = site.journal.named("registry.edited")
    assert (event.principal, event.service, event.change, event.reason) == ("ada", "library", "changed", "because")
    assert event.version == registry_version(path.read_bytes())
    shown = editor.follow(done)
    assert "Saved as change" in words(shown)
    assert "takes it over" in words(shown)
    look_again(site)
    assert "It is in force" in words(editor.get(done.headers["Location"].removeprefix("/cas")))


def test_an_entry_that_gets_another_id_is_shown_under_it(editor: Browser, path: Path) -> None:
    look = reviewed(
        entry(editor, "staff"), "yaml", text="- {id: room, name: Room, url: 'https://staff.example.edu/**'}"
    )
    page = editor.follow(saved(look))
    assert heading(page) == "Room"
    assert "Saved as change" in words(page)


def test_a_change_as_yaml_keeps_what_was_typed_when_it_has_mistakes(editor: Browser, site: Site, path: Path) -> None:
    typed = "- id: library\n  nmae: <script>\n  url: http//x\n  requires_duo: true\n"
    page = reviewed(entry(editor, "library"), "yaml", text=typed)
    assert page.status_int == 422
    assert page.html.title.text.startswith("Error:")
    assert page.html.select_one("#yaml").text.strip() == typed.strip()
    said = words(page)
    for part in ("Line 2", "did you mean 'name'", "Line 3", "name : is missing"):
        assert part in said
    assert page.html.select_one("#f-url-wrong")
    page = reviewed(page, "yaml", text=typed + "  x: 'a\n")
    assert "Line 5" in words(page)
    assert path.read_text() == REGISTRY


def test_the_check_button_says_what_the_linter_says(editor: Browser, site: Site) -> None:
    text = "- id: library\n  name: L\n  url: http://library.example.edu/**\n"
    page = reviewed(entry(editor, "library"), "check", text=text)
    assert page.status_int == 200
    assert "plain http" in words(page)
    assert page.html.select_one("#yaml").text.strip() == text.strip()
    fine = reviewed(page, "check", text=text.replace("http:", "https:"))
    assert "Nothing is wrong with it" in words(fine)


def test_a_change_that_keeps_people_from_other_services_is_said_before_it_is_saved(
    editor: Browser, site: Site, path: Path
) -> None:
    wide = "# moved\n- id: library\n  name: Library\n  url: https://*.example.edu/**\n"
    never = "staff , Line 7: the service can never be reached: 'library' (line 5) comes first"
    page = reviewed(entry(editor, "library"), "check", text=wide)
    assert never in words(page)
    look = reviewed(page, "yaml", text=wide)
    assert never in words(look)
    assert "closed , Line 12" in words(look)
    fields = dict(the_form(entry(editor, "library"), "yaml").submit_fields())
    told = editor.post("/admin/services/lint", {**fields, "text": wide}).json["findings"]
    assert {one["about"] for one in told if "never" in one["message"]} == {"staff", "closed"}
    assert saved(look).status_int == 303
    # What was so before is not told again, wherever its line is now.
    look_again(site)
    again = reviewed(entry(editor, "library"), "yaml", text="# one\n" + wide)
    assert "never be reached" not in words(again)
    assert "never be reached" in words(entry(editor, "staff"))
    # The last place shadows nobody; the first one does.
    path.write_text(REGISTRY)
    moved = reviewed(editor.get("/admin/services/new"), "yaml", text=wide.replace("id: library", "id: wide"), place="1")
    assert words(moved).count("never be reached") == 3


def test_the_script_is_told_the_same(editor: Browser, site: Site) -> None:
    form = the_form(entry(editor, "staff"), "yaml")
    fields = dict(form.submit_fields())
    answer = editor.post("/admin/services/lint", {**fields, "text": "- id: staff\n  name: S\n  url: [x\n"})
    assert answer.json["findings"][0]["line"] == 3
    answer = editor.post("/admin/services/lint", {**fields, "text": "- id: staff\n  nam: S\n  url: https://x.edu/a\n"})
    assert {(one["line"], one["key"], one["level"]) for one in answer.json["findings"]} == {
        (2, "nam", "error"), (1, "name", "error")
    }  # fmt: skip
    assert editor.post("/admin/services/lint", {**fields, "version": "0" * 12}).json["stale"]
    assert editor.post("/admin/services/lint", {**fields, "text": "- id: a\n- id: b"}).json["reason"]
    assert editor.post("/admin/services/lint", {**fields, "csrf": "no"}).status_int == 403


def test_two_editors_at_once_both_see_what_the_other_did(editor: Browser, site: Site, path: Path) -> None:
    first, second = entry(editor, "library"), entry(editor, "library")
    look = reviewed(second, name="Second")
    saved(reviewed(first, owner="first"))
    late = saved(look)
    assert late.status_int == 409
    assert "ada saved a change" in words(late)
    assert "owner: first" in late.text
    assert "name: Second" in late.html.select_one("#yaml").text
    assert "Second" not in path.read_text()
    form = next(form for form in late.forms.values() if "text" in form.fields)
    form["text"] = late.html.select_one("#yaml").text.replace("  url:", "  owner: first\n  url:", 1)
    done = saved(form.submit(status="*"))
    assert done.status_int == 303
    assert "name: Second" in path.read_text()
    assert "owner: first" in path.read_text()


def test_a_change_by_hand_meanwhile_is_a_conflict_for_every_kind_of_change(editor: Browser, path: Path) -> None:
    page = entry(editor, "library")
    copy = editor.get("/admin/services/new?copy=library")
    path.write_text(REGISTRY.replace("Staff room", "By hand"))
    for button in ("form", "yaml", "check", "disabled", "deleted", "down"):
        answer = reviewed(page, button, **({"name": "X"} if button == "form" else {}))
        assert answer.status_int == 409, button
        assert "by hand" in words(answer)
    assert reviewed(copy, "yaml").status_int == 409
    assert "By hand" in path.read_text()


def test_a_new_service_is_added_where_it_is_wanted(editor: Browser, path: Path) -> None:
    page = reviewed(editor.get("/admin/services/new"), id="", name="N", url="https://new.example.edu/**")
    assert page.status_int == 422
    assert "id" in words(page)
    page = reviewed(page, id="new", name="New", url="https://new.example.edu/**", place="1", enabled="on")
    assert page.status_int == 200, words(page)
    saved(page)
    assert path.read_text().startswith(
        "services:\n  - id: new\n    name: New\n    url: https://new.example.edu/**\n\n  # The"
    )
    copy = editor.get("/admin/services/new?copy=staff")
    assert "staff-2" in copy.html.select_one("#yaml").text
    assert saved(reviewed(copy, "yaml")).status_int == 303
    assert "- id: staff-2\n    name: Staff room" in path.read_text()


def test_deleting_asks_for_the_name_and_offers_to_switch_off(editor: Browser, path: Path) -> None:
    look = reviewed(entry(editor, "staff"), "deleted")
    assert look.status_int == 200
    assert "Rather switch it off" in words(look)
    wrong = saved(look, confirm="library")
    assert wrong.status_int == 422
    assert path.read_text() == REGISTRY
    assert the_save(wrong)["reason"].value == "because"
    assert saved(wrong, confirm="Staff room").status_int == 303
    assert "staff" not in path.read_text()


def test_what_was_just_written_counts_and_not_what_is_in_force_yet(editor: Browser, path: Path) -> None:
    form = reviewed(
        editor.get("/admin/services/new"), id="new", name="New", url="https://new.example.edu/**", enabled="on"
    )
    saved(form)
    assert "Rather switch it off" in words(reviewed(entry(editor, "new"), "deleted"))
    saved(reviewed(entry(editor, "new"), "disabled"))
    assert "Rather switch it off" not in words(reviewed(entry(editor, "new"), "deleted"))


def test_switching_off_and_on_and_moving(editor: Browser, path: Path) -> None:
    saved(reviewed(entry(editor, "staff"), "disabled"))
    saved(reviewed(entry(editor, "closed"), "enabled"))
    saved(reviewed(entry(editor, "closed"), "up"))
    saved(reviewed(entry(editor, "library"), "place", place="3"))
    assert re.findall("- id: (\\w+)", path.read_text()) == ["closed", "staff", "library"]
    assert path.read_text().count("enabled: false") == 1
    assert "  # The library.\n  - id: library" in path.read_text()


def test_an_earlier_version_can_be_returned_to(editor: Browser, path: Path) -> None:
    done = saved(reviewed(entry(editor, "library"), name="Wrong"))
    number = done.headers["Location"].rpartition("=")[2]
    page = editor.get(f"/admin/services/history/{number}")
    form = next(form for form in page.forms.values() if 'value="before"' in form.text)
    assert saved(form.submit("to", value="before", status="*")).status_int == 303
    assert path.read_text() == REGISTRY
    assert editor.get("/admin/services/history/99999").status_int == 404
    assert editor.get("/admin/services/history/x").status_int == 404


def test_a_broken_file_can_be_looked_at_and_put_right(editor: Browser, site: Site, path: Path) -> None:
    editor.get("/admin/services")
    path.write_text("services:\n  - id: [\n")
    look_again(site)
    page = editor.get("/admin/services")
    assert "has a mistake" in words(page)
    assert "Library catalogue" in words(page)
    assert entry(editor, "library").status_int == 422
    history = editor.get("/admin/services/history")
    assert "changed by hand" in words(history)
    newest = history.html.select_one("tbody a")["href"].removeprefix("/cas")
    form = next(form for form in editor.get(newest).forms.values() if 'value="before"' in form.text)
    assert saved(form.submit("to", value="before", status="*")).status_int == 303
    assert path.read_text() == REGISTRY


def test_a_file_that_may_not_be_written_is_shown_and_has_no_buttons(editor: Browser, path: Path) -> None:
    page = entry(editor, "library")
    path.chmod(0o444)
    shown = entry(editor, "library")
    assert "write-protected" in words(shown)
    assert 'value="form"' not in shown.text
    assert editor.get("/admin/services").status_int == 200
    answer = saved(reviewed(page, name="X"))
    assert answer.status_int == 422
    assert "write-protected" in words(answer)
    assert path.read_text() == REGISTRY


def test_who_may_only_view_sees_all_and_changes_nothing(viewer: Browser, editor: Browser, path: Path) -> None:
    page = entry(viewer, "library")
    assert "Library catalogue" in words(page)
    assert 'name="do"' not in page.text
    look = reviewed(entry(editor, "library"), name="X")
    fields = dict(the_save(look).submit_fields())
    for address in ("save", "entry/library", "new", "history/1"):
        assert viewer.post(f"/admin/services/{address}", {**fields, "reason": "x"}).status_int == 403
    assert path.read_text() == REGISTRY
    assert "Try" in words(viewer.get("/admin/services/try"))


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["library", "staff", "closed"]),
        ("q=LIBRARY", ["library"]),
        ("q=https%3A%2F%2Fstaff.example.edu%2Fx", ["staff"]),
        ("q=https%3A%2F%2Fnobody.example.edu%2F", []),
        ("enabled=no", ["closed"]),
        ("enabled=yes&q=example.edu+room", ["staff"]),
        ("sort=name&down=1", ["staff", "closed", "library"]),
        ("sort=nonsense&page=-1&duo=maybe&channel=x", ["library", "staff", "closed"]),
        ("page=99999", ["library", "staff", "closed"]),
        ("problems=yes", []),
        ("duo=yes", []),
    ],
)
def test_the_list_is_searched_filtered_and_sorted(viewer: Browser, path: Path, query: str, ids: list[str]) -> None:
    page = viewer.get(f"/admin/services?{query}")
    assert page.status_int == 200
    assert [code.text for code in page.html.select("tbody th code")] == ids


def test_a_long_list_is_paged_and_its_state_stays_in_the_address(viewer: Browser, site: Site, path: Path) -> None:
    entries = "".join(f"  - {{id: s{n}, name: 'S {n}', url: 'https://s{n}.edu/**'}}\n" for n in range(120))
    path.write_text(f"services:\n{entries}")
    look_again(site)
    page = viewer.get("/admin/services?q=edu&sort=name")
    assert len(page.html.select("tbody tr")) == 50
    following = viewer.get(page.html.select_one("a[rel=next]")["href"].removeprefix("/cas"))
    assert "Page 2 of 3" in words(following)
    assert following.html.select_one("#q")["value"] == "edu"


def test_the_list_tells_when_each_was_last_used_and_sorts_by_it(viewer: Browser, site: Site, path: Path) -> None:
    assert has_ticket(viewer.login_page("https://library.example.edu/x"))
    page = viewer.get("/admin/services?sort=used&down=1")
    rows = page.html.select("tbody tr")
    assert rows[0].select_one("th code").text == "library"
    assert rows[0].select_one("time")["datetime"].startswith("2027-01-15")
    assert "none known" in rows[1].text
    assert page.html.select_one("th[aria-sort=descending]").text.startswith("Last ticket")


def test_trying_tells_who_gets_in_and_why(viewer: Browser, path: Path) -> None:
    form = viewer.get("/admin/services/try").forms[0]
    form["url"], form["user"] = "https://staff.example.edu/x", "ada"
    page = form.submit("ask", status="*")
    assert "is refused by Staff room" in words(page)
    form["user"], form["groups"] = "", "staff"
    assert "somebody gets into Staff room" in words(form.submit("ask", status="*"))
    form["groups"] = ""
    for field, value, said in (
        ("address", "x", "not an IP"),
        ("attributes", "x", "name = value"),
        ("user", "nobody", "Nobody"),
    ):
        form[field] = value
        wrong = form.submit("ask", status="*")
        assert wrong.status_int == 422
        assert said in words(wrong)
        form[field] = ""


def test_a_text_can_be_tried_before_it_is_saved(editor: Browser, path: Path) -> None:
    form = the_form(entry(editor, "staff"), "yaml")
    form["text"] = "- id: staff\n  name: Open room\n  url: https://staff.example.edu/**\n"
    page = editor.post("/admin/services/try", form.submit_fields())
    assert "not saved" in words(page)
    again = page.forms[0]
    again["url"] = "https://staff.example.edu/x"
    assert "gets into Open room" in words(again.submit("ask", status="*"))
    broken = dict(again.submit_fields()) | {"text": "- id: staff", "ask": "1"}
    assert editor.post("/admin/services/try", broken).status_int == 422
    assert path.read_text() == REGISTRY


@pytest.mark.parametrize("name", ["nobody", "..", "%2e%2e", "a" * 200, "LIBRARY"])
def test_a_service_that_is_not_there_has_no_page(editor: Browser, path: Path, name: str) -> None:
    assert editor.get(f"/admin/services/entry/{name}").status_int in (404, 400)


@pytest.mark.parametrize(
    "tampered",
    [
        {"kind": "by_hand"}, {"kind": "x"}, {"version": "0" * 12}, {"version": "../x"}, {"entry": "nobody"},
        {"text": ""}, {"text": "- id: a\n- id: b"}, {"text": "services: []"}, {"kind": "returned", "text": "../../x"},
        {"kind": "moved", "place": "-4"}, {"kind": "moved", "place": "99999999999"}, {"reason": "x" * 3000},
        {"reason": "\u202e"}, {"kind": "deleted"}, {"text": "- id: library\n  name: 'x"}, {"text": "\x00"},
    ],
)  # fmt: skip
def test_a_tampered_form_changes_nothing(editor: Browser, path: Path, tampered: dict[str, str]) -> None:
    fields = dict(the_save(reviewed(entry(editor, "library"), name="X")).submit_fields())
    answer = editor.post("/admin/services/save", {**fields, "reason": "y", **tampered})
    assert answer.status_int in (400, 404, 409, 422, 303), answer.status
    if answer.status_int == 303:
        assert tampered in ({"reason": "\u202e"},)
    else:
        assert path.read_text() == REGISTRY


def test_the_entry_of_these_pages_is_refused_and_what_was_typed_is_kept(editor: Browser, path: Path) -> None:
    why = "is the id of the administration pages, whose entry the settings make; take another one"
    typed = "- id: casduo-admin\n  name: Mine\n  url: https://sso.example.edu/cas/admin/**\n  enabled: false\n"
    for page in (editor.get("/admin/services/new"), entry(editor, "library")):
        refused = reviewed(page, "yaml", text=typed)
        assert refused.status_int == 422
        assert why in words(refused)
        assert refused.html.select_one("#yaml").text.strip() == typed.strip()
    form = reviewed(
        editor.get("/admin/services/new"), id="casduo-admin", name="Mine", url="https://a.example.edu/**", owner="me"
    )
    assert form.status_int == 422
    assert form.html.select_one("#f-id-wrong").text == why
    kept = {name: form.html.select_one(f"#f-{name}")["value"] for name in ("id", "name", "owner")}
    assert kept == {"id": "casduo-admin", "name": "Mine", "owner": "me"}
    # Nor by a form that skips the look at the change.
    fields = dict(the_form(editor.get("/admin/services/new"), "yaml").submit_fields())
    fields |= {"kind": "added", "entry": "casduo-admin", "text": typed, "reason": "mine"}
    assert why in words(editor.post("/admin/services/save", fields))
    assert path.read_text() == REGISTRY


def test_no_saved_registry_keeps_administrators_out(editor: Browser, site: Site, path: Path) -> None:
    before = site.composed.parts.services.current().by_id("casduo-admin")
    demanding = "  access: {groups: [nobody]}\n  single_sign_on: false\n  enabled: false\n"
    for name, url in (("exact", "https://sso.example.edu/cas/admin/services"), ("wide", "https://*.example.edu/**")):
        typed = f"- id: {name}\n  name: Mine\n  url: {url}\n{demanding}"
        look = reviewed(editor.get("/admin/services/new"), "yaml", text=typed, place="1")
        assert "pages of this server (" in words(look)
        assert "on which it has no effect: their entries come first" in words(look)
        assert saved(look).status_int == 303
        look_again(site)
        assert entry(editor, name).status_int == 200
        assert signed_in(site, "ada").get("/admin/services").status_int == 200
    for name in ("exact", "wide", "library", "staff", "closed"):
        gone = reviewed(entry(editor, name), "deleted")
        assert saved(gone, confirm=name).status_int == 303
    assert path.read_text() == "services: []\n"
    look_again(site)
    assert signed_in(site, "ada").get("/admin/services").status_int == 200
    assert site.composed.parts.services.current().by_id("casduo-admin") == before
    # By hand, too: what cannot be used is not taken over.
    path.write_text("services:\n- {id: casduo-admin, name: Mine, url: 'https://sso.example.edu/cas/admin/**'}\n")
    look_again(site)
    page = signed_in(site, "ada").get("/admin/services")
    assert "is the id of the administration pages" in words(page)
    assert site.composed.parts.services.current().by_id("casduo-admin") == before


def test_a_text_that_is_too_large_says_so_and_how_to_go_on(editor: Browser, path: Path) -> None:
    form = the_form(entry(editor, "library"), "yaml")
    form["text"] = "- id: library\n" + "  # x\n" * 30_000
    page = form.submit("do", value="yaml", status="*")
    assert page.status_int == 413
    assert heading(page) == "What was sent is too large"
    for part in ("At most 64 KB", "Nothing was changed", "Go back with your browser"):
        assert part in words(page)
    assert path.read_text() == REGISTRY


def test_a_form_from_elsewhere_changes_nothing(editor: Browser, path: Path) -> None:
    fields = dict(the_save(reviewed(entry(editor, "library"), name="X")).submit_fields()) | {"reason": "x"}
    foreign = editor.post("/admin/services/save", fields, headers={"Origin": "https://evil.example"})
    assert foreign.status_int == 403
    assert editor.post("/admin/services/save", {**fields, "csrf": "x"}).status_int == 403
    assert path.read_text() == REGISTRY


def test_hostile_names_are_shown_as_text(editor: Browser, site: Site, path: Path) -> None:
    name = "</title><script>alert(1)</script>\u202eabc"
    path.write_text(f'services:\n  - id: x\n    name: "{name}"\n    url: https://x.edu/**   # </textarea><script>\n')
    look_again(site)
    for page in (editor.get("/admin/services"), entry(editor, "x"), reviewed(entry(editor, "x"), "deleted")):
        assert page.status_int == 200
        assert "<script>alert" not in page.text
        assert "</textarea><script>" not in page.text
    assert entry(editor, "x").html.select_one("#yaml").text.strip().endswith("# </textarea><script>")
