"""The demo's applications: they show what they were told, and escape it."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from werkzeug.test import Client

from casduo.middleware import SessionInfo, Settings
from casduo.simulators.sample_apps import LIBRARY, PAYROLL, SAMPLE_APPS, SampleApp

TOLD = {
    "REMOTE_USER": "ada",
    "casduo.user": "ada",
    "casduo.attributes": {"displayName": ["Ada Lovelace"], "memberOf": ["staff", "faculty"]},
    "casduo.session": SessionInfo("2026-03-04T05:06:07Z", True, False, ("mfa-duo",), 0.0, 1.0),
}


def page_of(app: SampleApp, path: str = "/", told: dict[str, Any] | None = None, **options: Any) -> BeautifulSoup:
    return BeautifulSoup(Client(app).get(path, environ_overrides=told, **options).text, "html.parser")


@pytest.mark.parametrize("app", SAMPLE_APPS, ids=lambda app: app.name)
class TestBoth:
    def test_the_page_shows_who_is_signed_in_and_how(self, app: SampleApp) -> None:
        text = page_of(app, told=TOLD).get_text(" ")
        for fact in ("Ada Lovelace", "ada", "staff", "faculty", "Approved with Duo", "2026-03-04 05:06:07 UTC"):
            assert fact in text

    def test_it_does_without_attributes_name_and_second_factor(self, app: SampleApp) -> None:
        session = SessionInfo(None, False, False, (), 0.0, 1.0)
        told = {"casduo.user": "ada", "casduo.attributes": {}, "casduo.session": session}
        text = page_of(app, told=told).get_text(" ")
        assert "Hello, ada" in text
        assert "Not asked for" in text
        assert "None were released" in text

    def test_without_the_middleware_nobody_is_greeted(self, app: SampleApp) -> None:
        assert "Nobody is signed in" in page_of(app, headers={"Remote-User": "root"}).get_text()

    def test_names_and_values_are_escaped(self, app: SampleApp) -> None:
        evil = "<script>alert(1)</script>\"'"
        told = {"casduo.user": evil, "casduo.attributes": {evil: [evil], "displayName": [evil]}}
        page = page_of(app, told=told)
        assert page.find_all("script") == []
        assert evil in page.get_text()

    def test_nothing_runs_and_nothing_comes_from_elsewhere(self, app: SampleApp) -> None:
        answer = Client(app).get("/", environ_overrides=TOLD)
        page = BeautifulSoup(answer.text, "html.parser")
        assert page.find_all(["script", "style"]) == page.find_all(style=True) == []
        assert {link["href"] for link in page.find_all("link")} == {"/style.css", "/icon.svg"}
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]

    def test_signing_out_is_a_form_for_the_middleware(self, app: SampleApp) -> None:
        form = page_of(app, told=TOLD).form
        assert form is not None
        assert (form["method"], form["action"]) == ("post", app.middleware_options["logout_path"])

    def test_below_a_mount_path_every_address_is_right(self, app: SampleApp) -> None:
        page = page_of(app, told=TOLD | {"SCRIPT_NAME": "/demo/app"})
        addresses = [tag.get("href") or tag.get("action") for tag in page.find_all(["a", "link", "form"])]
        assert all(address.startswith(("/demo/app/", "#")) for address in addresses)

    @pytest.mark.parametrize(
        ("path", "status"), [("/", 200), ("/signed-out", 200), ("/style.css", 200), ("/icon.svg", 200), ("/x", 404)]
    )
    def test_every_address_answers(self, app: SampleApp, path: str, status: int) -> None:
        assert Client(app).get(path).status_code == Client(app).head(path).status_code == status

    def test_pages_are_for_reading(self, app: SampleApp) -> None:
        assert Client(app).post("/").status_code == 405

    def test_the_middleware_takes_its_options(self, app: SampleApp) -> None:
        settings = Settings.of(
            {
                "cas_url": "https://sso.example.edu/cas",
                "service_url": "https://app.example.edu",
                "secret_key": "k" * 32,
                **app.middleware_options,
            }
        )
        assert settings.app_name == app.title


def test_only_the_payroll_insists_on_duo() -> None:
    assert not LIBRARY.requires_duo
    assert "require_context" not in LIBRARY.middleware_options
    assert PAYROLL.requires_duo
    assert PAYROLL.middleware_options["require_context"] == "mfa-duo"
