"""Explanations of how the application is dealt with otherwise, and of what has no effect yet."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from casduo.explanation import entry_for, stores_for
from casduo.explanation.model import Proxying, SignOut
from casduo.services.clients import with_client_defaults
from casduo.services.index import Registry
from casduo.services.schema import registry_schema
from tests.explanation.telling import CAMPUS, GRACE, entry, made, of, told


class TestDealings:
    def values(self, **keys: Any) -> dict[str, tuple[str, str]]:
        service = with_client_defaults(entry(**keys))
        return {value.name: (value.text, value.origin) for value in of(told(service)).dealings}

    def test_without_a_word_of_the_entry_all_of_it_is_default(self) -> None:
        assert self.values() == {
            "client": ("", "default"),
            "protocols": ("cas1, cas2, cas3, saml1, rest", "default"),
            "service_match": ("canonical", "default"),
            "response": ("get", "default"),
            "response_by_request": ("yes", "default"),
            "multivalue": ("repeat", "default"),
            "json_values": ("auto", "default"),
            "allow_http_saml": ("no", "default"),
        }

    def test_what_the_entry_says_is_its_own_even_where_it_says_the_same(self) -> None:
        keys = {
            "protocols": ["cas3"],
            "service_match": "loose",
            "response": "post",
            "response_by_request": False,
            "multivalue": "repeat",
            "json_values": "list",
            "allow_http_saml": True,
            "client": "java",
        }
        assert self.values(**keys) == {
            "client": ("java", "entry"),
            "protocols": ("cas3", "entry"),
            "service_match": ("loose", "entry"),
            "response": ("post", "entry"),
            "response_by_request": ("no", "entry"),
            "multivalue": ("repeat", "entry"),
            "json_values": ("list", "entry"),
            "allow_http_saml": ("yes", "entry"),
        }

    def test_what_the_client_brings_says_so_with_the_reason(self) -> None:
        values = self.values(client="rubycas", response_by_request=True)
        assert values["client"] == ("rubycas", "entry")
        assert values["multivalue"] == ("join:;", "client")
        assert values["response_by_request"] == ("yes", "entry")
        service = of(told(with_client_defaults(entry(client="rubycas"))))
        (multivalue,) = [value for value in service.dealings if value.name == "multivalue"]
        assert multivalue.meaning == (
            "in XML one element, values joined by ;: of an element that is repeated it keeps the last one only"
        )

    @pytest.mark.parametrize("field", ["service_match", "response", "multivalue", "json_values", "client"])
    def test_there_is_a_meaning_for_every_value(self, field: str) -> None:
        choices = registry_schema()["$defs"]["RegisteredService"]["properties"][field]
        words = choices.get("enum") or next((each["enum"] for each in choices.get("anyOf", ()) if "enum" in each), [])
        for word in words or ["repeat", "first", "join:; "]:
            (value,) = [each for each in of(told(entry(**{field: word}))).dealings if each.name == field]
            assert value.meaning

    def test_what_has_no_effect_yet_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("casduo.explanation.dealings.NOT_YET_IN_FORCE", ("client",))
        assert [value.name for value in of(told()).dealings if not value.in_force] == ["client"]

    def test_proxying(self) -> None:
        assert of(told()).proxying == Proxying(allowed=False)
        rule = {
            "allow": True,
            "callback": ["https://app.example.edu/pgt", "https://b.example.edu/**"],
            "private_addresses": True,
            "accept_status": [200, 302],
            "targets": ["mail"],
        }
        callbacks = ("https://app.example.edu/pgt", "https://b.example.edu/**")
        assert of(told(entry(proxy=rule))).proxying == Proxying(True, callbacks, True, (200, 302), ("mail",))

    def test_sign_out(self) -> None:
        assert of(told()).sign_out == SignOut("back_channel")
        rule = {"type": "front_channel", "url": "https://app.example.edu/out"}
        assert of(told(entry(logout=rule))).sign_out == SignOut("front_channel", "https://app.example.edu/out")

    def test_demands_on_the_session(self) -> None:
        service = of(told())
        assert (service.accept_remember_me, service.session_lifetime, service.session_idle) == (True, "", "")
        service = of(told(entry(accept_remember_me=False, session={"lifetime": "4h", "idle": 90})))
        assert (service.accept_remember_me, service.session_lifetime, service.session_idle) == (False, "4h", "1m30s")


class TestTheRest:
    def test_what_is_written_and_does_nothing_yet_is_named_by_its_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("casduo.services.lint.NOT_YET_IN_FORCE", ("warn", "logout.url", "attributes.*.case"))
        attributes = {"mail": {"from": "mail", "case": "lower"}, "cn": "cn"}
        assert of(told(entry(warn=True, attributes=attributes))).without_effect == ("warn", "attributes.mail.case")

    def test_who_checks_the_password_and_whether_a_session_is_enough(self) -> None:
        service = of(told(entry(single_sign_on=False, warn=True)))
        assert service.handlers == ("local",)
        assert (service.single_sign_on, service.warn) == (False, True)

    def test_an_entry_may_name_the_stores_for_it(self) -> None:
        settings = made(
            authentication=[
                {"type": "users_file", "name": "local", "path": "a.yaml"},
                {"type": "users_file", "name": "guests", "path": "b.yaml"},
            ]
        )
        assert stores_for(entry(), settings) == ("local", "guests")
        assert stores_for(entry(authentication=["guests"]), settings) == ("guests",)

    def test_the_entry_of_a_url_can_be_had_alone(self) -> None:
        registry = Registry([entry()], "v1")
        found = entry_for("https://app.example.edu/x", registry, made())
        assert found is registry.services[0]
        assert entry_for("https://other.example.edu/", registry, made()) is None
        assert entry_for("no url", registry, made()) is None

    def test_all_of_it_is_plain_enough_for_json(self) -> None:
        service = entry(requires_duo=True, access={"groups": ["staff"]}, attributes=["mail"])
        explanation = told(service, person=GRACE, address=CAMPUS)
        data = json.loads(json.dumps(asdict(explanation)))
        assert data["verdict"] == "duo"
        assert data["person"]["attributes"]["groups"] == ["staff"]
