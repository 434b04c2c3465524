"""Acting as a proxy: proxy-granting tickets arrive, stay where they belong, and buy proxy tickets."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from werkzeug.test import Client

from casduo.middleware import CasUnavailable, InvalidResponse, MemoryGrants, MemorySessions, Proxy, ProxyRefused
from tests.middleware.conftest import failure
from tests.middleware.proxying_cas import ProxyingCas

APP = "https://app.example.edu"
CALLBACK = f"{APP}/cas/pgt"
TARGET = "https://library.example.edu/loans"
FORM = "application/x-www-form-urlencoded"

PGT = "PGT-1-stranger.abcdefghijklmnop"
IOU = "PGTIOU-1-stranger.abcdefghijklmnop"


def desk(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """The application: buys a proxy ticket for the target and says what it got."""
    told: dict[str, Any] = {"user": environ.get("casduo.user"), "proxy": "casduo.proxy" in environ}
    if environ["PATH_INFO"] == "/buy":
        try:
            told["ticket"] = environ["casduo.proxy"].proxy_ticket(TARGET)
        except (ProxyRefused, CasUnavailable, InvalidResponse) as error:
            told["error"] = [error.code, str(error)]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]


@pytest.fixture
def cas() -> Iterator[ProxyingCas]:
    server = ProxyingCas(targets={TARGET})
    yield server
    server.close()


@pytest.fixture
def portal(cas: ProxyingCas, browse: Any, protect: Any) -> Callable[..., Any]:
    """Return a function that makes a browser in front of an application that is a proxy, which the server reaches."""

    def make(app: Any = desk, **options: Any) -> Any:
        browser = browse(protect(app, **({"session": "memory", "proxy_callback": "/cas/pgt"} | options)))
        cas.apps[APP] = browser.client.application
        return browser

    return make


@pytest.fixture(params=["memory", "redis"])
def browser(request: pytest.FixtureRequest, portal: Any) -> Any:
    session = "memory" if request.param == "memory" else request.getfixturevalue("redis_url")
    return portal(session=session)


def call_back(browser: Any, method: str = "GET", path: str = "/cas/pgt", **options: Any) -> Any:
    """As anybody can: no cookies, no session."""
    client = Client(browser.client.application, use_cookies=False)
    return client.open(path, method=method, base_url="http://10.1.2.3:8080", **options)


class TestBuying:
    def test_a_signed_in_person_gets_a_ticket_for_the_target(self, browser: Any, cas: ProxyingCas) -> None:
        told = browser.visit("/buy").json
        service, identity = cas.proxy_tickets[told["ticket"]]
        assert (service, identity.user, identity.proxies) == (TARGET, "ada", (CALLBACK,))
        assert cas.validations[0]["pgtUrl"] == [CALLBACK]
        assert cas.callbacks == [(CALLBACK, 200)]

    def test_each_ticket_is_a_new_one(self, browser: Any) -> None:
        browser.visit("/")
        assert len({browser.request("/buy").json["ticket"] for _ in range(3)}) == 3

    def test_people_never_get_one_anothers_tickets(self, portal: Any, cas: ProxyingCas, browse: Any) -> None:
        app = portal().client.application
        bought: dict[str, str] = {}

        def live(user: str) -> None:
            browser = browse(app)
            browser.request("/")
            browser.request(f"/?ticket={cas.issue(f'{APP}/', user)}")
            ticket = browser.request("/buy").json["ticket"]
            bought[user] = cas.proxy_tickets[ticket][1].user

        people = [f"person{number}" for number in range(16)]
        threads = [threading.Thread(target=live, args=(user,)) for user in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert bought == {user: user for user in people}

    def test_a_refusal_carries_the_servers_code(self, browser: Any, cas: ProxyingCas) -> None:
        browser.visit("/")
        cas.targets.clear()
        assert browser.request("/buy").json["error"] == ["PROXY_REFUSED", "UNAUTHORIZED_SERVICE"]
        cas.end_session("ada")
        assert browser.request("/buy").json["error"] == ["PROXY_REFUSED", "INVALID_TICKET"]

    def test_a_server_that_is_away_is_an_error_of_its_own(self, browser: Any, cas: ProxyingCas) -> None:
        browser.visit("/")
        cas.close()
        browser.client.application._client._http.close()
        assert browser.request("/buy").json["error"] == ["CAS_UNAVAILABLE", "unreachable"]

    def test_an_answer_that_may_not_be_believed_is_one_too(self, browser: Any, cas: ProxyingCas) -> None:
        browser.visit("/")
        cas.answer = lambda path, query: failure("INVALID_TICKET")  # type: ignore[method-assign]
        assert browser.request("/buy").json["error"] == ["INVALID_RESPONSE", "neither success nor failure"]

    def test_strangers_are_told_of_no_proxy(self, portal: Any) -> None:
        browser = portal(public_paths=["/"])
        assert browser.request("/").json["proxy"] is False
        browser.visit("/loans")
        assert browser.request("/").json["proxy"] is True

    def test_an_application_that_is_no_proxy_asks_for_nothing(self, browse: Any, protect: Any, cas: Any) -> None:
        browser = browse(protect(desk))
        assert browser.visit("/").json["proxy"] is False
        assert "pgtUrl" not in cas.validations[0]
        assert browser.request("/cas/pgt").json["user"] == "ada"

    def test_a_client_cannot_plant_a_proxy(self, portal: Any) -> None:
        browser = portal(public_paths=["/"])
        assert browser.request("/", environ_overrides={"casduo.proxy": "mine"}).json["proxy"] is False

    def test_the_application_may_keep_its_proxy_beyond_the_request(self, portal: Any, cas: ProxyingCas) -> None:
        kept: list[Proxy] = []

        def app(environ: Any, start_response: Any) -> list[bytes]:
            kept.append(environ["casduo.proxy"])
            start_response("200 OK", [])
            return [b""]

        portal(app).visit("/")
        assert kept[0].proxy_ticket(TARGET) in cas.proxy_tickets
        assert not any(secret in repr(kept[0]) for secret in cas.confidential)


class TestWhereTheServerCalls:
    def test_a_prefix_that_a_reverse_proxy_takes_off_is_part_of_the_address(self, portal: Any, cas: Any) -> None:
        browser = portal(service_url=f"{APP}/portal", cookie_secure=True)
        delivered: list[str] = []

        def deliver(callback: str, fields: dict[str, str]) -> int:
            delivered.append(callback)
            return int(call_back(browser, query_string=fields).status_code)

        cas.deliver = deliver
        browser.request("/")
        browser.request(f"/?ticket={cas.issue(f'{APP}/portal/')}")
        assert delivered == [f"{APP}/portal/cas/pgt"]
        assert "ticket" in browser.request("/buy").json

    @pytest.mark.parametrize("address", [CALLBACK, "https://inner.example.edu:8443/cas/pgt"])
    def test_a_whole_address_is_given_as_it_is(self, portal: Any, cas: ProxyingCas, address: str) -> None:
        browser = portal(proxy_callback=address)
        cas.apps[address.removesuffix("/cas/pgt")] = browser.client.application
        assert "ticket" in browser.visit("/buy").json
        assert cas.callbacks == [(address, 200)]

    def test_an_application_with_several_names_is_called_at_one(self, portal: Any, cas: ProxyingCas) -> None:
        browser = portal(allowed_hosts=["app.example.edu", "portal.example.edu"], proxy_callback=CALLBACK)
        assert "ticket" in browser.visit("/buy").json

    def test_a_mount_point_is_part_of_the_path(self, portal: Any, cas: ProxyingCas) -> None:
        browser = portal(proxy_callback="/mounted/pgt")
        mounted = {"SCRIPT_NAME": "/mounted", "PATH_INFO": "/pgt"}
        assert call_back(browser, environ_overrides=mounted).status_code == 200


class TestTheCallback:
    def test_a_form_does_as_well_as_a_query(self, portal: Any, cas: ProxyingCas) -> None:
        browser = portal()
        cas.deliver = lambda callback, fields: call_back(browser, "POST", data=fields).status_code
        assert "ticket" in browser.visit("/buy").json

    @pytest.mark.parametrize("fields", [{}, {"pgtId": PGT}, {"pgtIou": IOU}, {"pgtId": "", "pgtIou": ""}])
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_a_call_that_brings_nothing_is_welcome(self, portal: Any, method: str, fields: dict[str, str]) -> None:
        grants = MemoryGrants()
        options = {"query_string": fields} if method == "GET" else {"data": fields}
        answer = call_back(portal(proxy_grants=grants), method, **options)
        assert (answer.status_code, answer.data) == (200, b"")
        assert grants._kept == {}

    def test_a_head_request_brings_nothing(self, portal: Any) -> None:
        grants = MemoryGrants()
        browser = portal(proxy_grants=grants)
        answer = call_back(browser, "HEAD", query_string={"pgtId": PGT, "pgtIou": IOU})
        assert answer.status_code == 200
        assert grants._kept == {}

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
    def test_other_methods_mean_nothing(self, portal: Any, method: str) -> None:
        answer = call_back(portal(), method, query_string={"pgtId": PGT, "pgtIou": IOU})
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "GET, HEAD, POST"

    @pytest.mark.parametrize(
        ("pgt", "iou"),
        [
            ("PGT-<script>", IOU),
            ("PGT-a b", IOU),
            ("PGT-a_b", IOU),
            ("PGT-ä", IOU),
            ("PGT-a\r\nX: y", IOU),
            ("PGT-a\n", IOU),
            ("PGT-", IOU),
            ("pgt-abc", IOU),
            ("ST-abc", IOU),
            (IOU, IOU),
            (PGT, PGT),
            (PGT, "PGTIOU-"),
            (PGT, "PGTIOU-a&b=c"),
            (PGT, "PGTIOU-a:b"),
            ("PGT-" + "a" * 253, IOU),
            (PGT, "PGTIOU-" + "a" * 250),
        ],
    )
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_what_is_no_ticket_is_refused(
        self, portal: Any, caplog: pytest.LogCaptureFixture, method: str, pgt: str, iou: str
    ) -> None:
        grants, fields = MemoryGrants(), {"pgtId": pgt, "pgtIou": iou}
        options: Any = {"query_string": fields} if method == "GET" else {"data": fields}
        answer = call_back(portal(proxy_grants=grants), method, **options)
        assert answer.status_code == 400
        assert grants._kept == {}
        assert "proxy callback refused" in caplog.text
        assert pgt not in caplog.text + answer.text
        assert iou not in caplog.text + answer.text

    @pytest.mark.parametrize(
        "query",
        [
            f"pgtId={PGT}&pgtId={PGT}x&pgtIou={IOU}",
            f"pgtId={PGT}&pgtIou={IOU}&x={'a' * 5000}",
            f"pgtId={PGT}&pgtIou={IOU}" + "&a=1" * 30,
        ],
    )
    def test_two_values_and_endless_calls_are_refused(self, portal: Any, query: str) -> None:
        assert call_back(portal(), query_string=query).status_code == 400
        assert call_back(portal(), "POST", data=query, content_type=FORM).status_code == 400

    def test_a_query_and_a_form_that_differ_are_refused(self, portal: Any) -> None:
        body = f"pgtId={PGT}x&pgtIou={IOU}"
        answer = call_back(portal(), "POST", data=body, content_type=FORM, query_string={"pgtId": PGT, "pgtIou": IOU})
        assert answer.status_code == 400

    @pytest.mark.parametrize("length", ["", "0", "not a number", "-5"])
    def test_a_body_without_a_length_is_not_waited_for(self, portal: Any, length: str) -> None:
        grants, body = MemoryGrants(), f"pgtId={PGT}&pgtIou={IOU}"
        answer = call_back(
            portal(proxy_grants=grants),
            "POST",
            data=body,
            content_type=FORM,
            environ_overrides={"CONTENT_LENGTH": length},
        )
        assert answer.status_code == 200
        assert grants._kept == {}

    @pytest.mark.parametrize("path", ["/cas/pgt/", "/cas/pgt/x", "/CAS/pgt", "/cas", "//cas/pgt", "/cas/pgt;a"])
    def test_other_paths_are_the_applications(self, portal: Any, path: str) -> None:
        grants = MemoryGrants()
        answer = call_back(
            portal(proxy_grants=grants, allowed_hosts=["10.1.2.3:8080"], service_url=None, proxy_callback=CALLBACK),
            path=path,
            query_string={"pgtId": PGT, "pgtIou": IOU},
        )
        assert answer.status_code == 302
        assert grants._kept == {}

    def test_it_needs_no_sign_in_and_sets_no_cookie(self, portal: Any) -> None:
        answer = call_back(portal(), query_string={"pgtId": PGT, "pgtIou": IOU})
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"

    def test_a_store_that_is_away_is_told_to_the_server(self, portal: Any, caplog: Any) -> None:
        browser = portal(session="redis://127.0.0.1:1/0", redis_timeout=0.2)
        answer = call_back(browser, query_string={"pgtId": PGT, "pgtIou": IOU})
        assert answer.status_code == 503
        assert "store unavailable: ConnectionError" in caplog.text


class TestStrangers:
    def test_what_a_stranger_leaves_is_never_taken(self, browser: Any, cas: ProxyingCas) -> None:
        for number in range(5):
            fields = {"pgtId": f"{PGT}{number}", "pgtIou": f"{IOU}{number}"}
            assert call_back(browser, query_string=fields).status_code == 200
        ticket = browser.visit("/buy").json["ticket"]
        assert cas.proxy_tickets[ticket][1].user == "ada"

    def test_an_iou_that_was_named_is_worth_nothing_afterwards(self, browser: Any, cas: ProxyingCas) -> None:
        """Eve has read ada's IOU somewhere and calls with a PGT of her own."""
        browser.visit("/")
        eve = _granted(cas, "eve")
        iou = next(secret for secret in cas.confidential if secret.startswith("PGTIOU-"))
        assert call_back(browser, query_string={"pgtId": eve, "pgtIou": iou}).status_code == 200
        assert cas.proxy_tickets[browser.request("/buy").json["ticket"]][1].user == "ada"

    def test_an_iou_cannot_be_given_another_ticket_while_it_waits(self, browser: Any, cas: ProxyingCas) -> None:
        eve = _granted(cas, "eve")
        cas.meanwhile = lambda pgt, iou: _assert_ok(call_back(browser, query_string={"pgtId": eve, "pgtIou": iou}))
        assert cas.proxy_tickets[browser.visit("/buy").json["ticket"]][1].user == "ada"

    def test_an_answer_that_names_anothers_iou_gives_nothing(
        self, browser: Any, browse: Any, cas: ProxyingCas, caplog: Any
    ) -> None:
        """An IOU is good once: the session that it was meant for has it already."""
        browser.visit("/")
        iou = next(secret for secret in cas.confidential if secret.startswith("PGTIOU-"))
        cas.user, cas.name_iou = "grace", lambda own: iou
        grace = browse(browser.client.application)
        assert grace.visit("/buy").json["error"] == ["PROXY_REFUSED", "NO_PROXY_GRANTING_TICKET"]
        assert "did not arrive at proxy_callback" in caplog.text
        assert "ticket" in browser.request("/buy").json

    def test_a_flood_of_calls_neither_grows_without_end_nor_keeps_people_out(
        self, portal: Any, cas: ProxyingCas
    ) -> None:
        grants = MemoryGrants(capacity=50)
        browser = portal(proxy_grants=grants)

        def flood(pgt: str, iou: str) -> None:
            for number in range(40):
                call_back(browser, query_string={"pgtId": f"{PGT}{number}", "pgtIou": f"{IOU}{number}"})

        for number in range(100):
            call_back(browser, query_string={"pgtId": f"{PGT}x{number}", "pgtIou": f"{IOU}x{number}"})
        cas.meanwhile = flood
        assert "ticket" in browser.visit("/buy").json
        assert len(grants._kept) <= 50


class TestWhatTheServerDoesNotGive:
    @pytest.mark.parametrize("named", [None, "", "PGT-abc", "PGTIOU-a b", "PGTIOU-unknown"])
    def test_a_person_gets_in_all_the_same_and_the_log_says_so(
        self, browser: Any, cas: ProxyingCas, caplog: Any, named: str | None
    ) -> None:
        cas.name_iou = lambda iou: named
        assert browser.visit("/").json == {"user": "ada", "proxy": True}
        assert browser.request("/buy").json["error"] == ["PROXY_REFUSED", "NO_PROXY_GRANTING_TICKET"]
        assert "/proxy" not in cas.asked
        expected = "did not arrive" if named == "PGTIOU-unknown" else "was not given"
        assert expected in caplog.text

    def test_a_ticket_that_comes_too_late_for_its_iou_is_none(self, portal: Any, cas: ProxyingCas, clock: Any) -> None:
        browser = portal()
        late: list[tuple[str, str]] = []
        cas.meanwhile = lambda pgt, iou: late.append((pgt, iou))
        cas.name_iou = lambda iou: None
        browser.visit("/")
        fields = dict(zip(("pgtId", "pgtIou"), late[0], strict=True))
        call_back(browser, query_string=fields)
        clock.now += 61
        cas.name_iou = lambda iou: late[0][1]
        browser.client._cookies.clear()
        assert browser.visit("/buy").json["error"] == ["PROXY_REFUSED", "NO_PROXY_GRANTING_TICKET"]

    @pytest.mark.parametrize("code", ["INVALID_PROXY_CALLBACK", "UNAUTHORIZED_SERVICE_PROXY"])
    def test_a_server_that_wants_no_proxies_gets_a_page_for_the_operator(
        self, browser: Any, cas: ProxyingCas, caplog: Any, code: str
    ) -> None:
        cas.script = lambda handler: handler.reply(200, failure(code))  # type: ignore[attr-defined]
        page = browser.visit("/")
        assert page.status_code == 500
        assert code in page.text
        assert "not set up properly" in page.text
        assert f"code={code}" in caplog.text

    def test_a_callback_that_fails_lets_nobody_in(self, browser: Any, cas: ProxyingCas) -> None:
        cas.deliver = lambda callback, fields: 404
        assert browser.visit("/").status_code == 500
        assert browser.request("/").status_code == 302


class TestWhereTicketsLie:
    def test_no_cookie_and_no_page_ever_holds_one(self, browser: Any, cas: ProxyingCas) -> None:
        texts = [browser.visit("/").text, json.dumps(browser.cookies)]
        assert cas.confidential
        assert not any(secret in text for secret in cas.confidential for text in texts)

    def test_redis_forgets_the_iou_at_once_and_the_ticket_with_the_session(
        self, portal: Any, cas: ProxyingCas, redis_url: str, logout_request: Any
    ) -> None:
        browser = portal(session=redis_url)
        with redis.Redis.from_url(redis_url) as client:
            browser.visit("/")
            pgt, iou = cas.confidential[:2]
            assert pgt in _dump(client)
            assert iou not in _dump(client)
            assert [key for key in client.scan_iter("*:grant:*")] == []
            body = logout_request(cas.issued[-1])
            assert call_back(browser, "POST", "/", data=body, content_type=FORM).status_code == 200
            assert pgt not in _dump(client)
        assert browser.request("/buy").status_code == 302

    def test_signing_out_here_forgets_it_too(self, browser: Any, cas: ProxyingCas) -> None:
        browser.visit("/")
        store = browser.client.application._store
        browser.request("/logout", headers={"Sec-Fetch-Site": "same-origin"})
        if isinstance(store, MemorySessions):
            assert store._sessions == {}
        else:
            assert cas.confidential[0] not in _dump(store._client)

    def test_no_secret_stands_in_any_log(
        self, browser: Any, cas: ProxyingCas, caplog: pytest.LogCaptureFixture, logout_request: Any
    ) -> None:
        caplog.set_level(logging.DEBUG)
        bought = browser.visit("/buy").json["ticket"]
        cas.end_session("ada")
        browser.request("/buy")
        call_back(browser, "POST", "/", data=logout_request(cas.issued[-1]), content_type=FORM)
        lines = [record.getMessage() for record in caplog.records]
        assert any("GET /cas/proxy" in line for line in lines)
        assert any("proxy-granting ticket received" in line for line in lines)
        confidential = {bought, *cas.issued, *cas.confidential}
        assert len(confidential) == 4
        assert not any(secret in line for secret in confidential for line in lines)

    def test_what_the_application_can_print_holds_no_ticket(self, portal: Any, cas: ProxyingCas) -> None:
        seen: list[str] = []

        def app(environ: Any, start_response: Any) -> list[bytes]:
            seen.extend(f"{name} {value!r}" for name, value in environ.items())
            start_response("200 OK", [])
            return [b""]

        portal(app).visit("/")
        assert seen
        assert not any(secret in text for secret in cas.confidential for text in seen)


def _granted(cas: ProxyingCas, user: str) -> str:
    from tests.middleware.proxying_cas import Identity

    pgt = f"PGT-{user}-abcdefghijklmnopqrstuvwxyz"
    cas.granting[pgt] = Identity(user, ("https://elsewhere.example.edu/pgt",))
    return pgt


def _assert_ok(answer: Any) -> None:
    assert answer.status_code == 200


def _dump(client: Any) -> str:
    values = []
    for key in client.scan_iter():
        values.append(key)
        values += client.lrange(key, 0, -1) if client.type(key) == b"list" else [client.get(key)]
    return b" ".join(values).decode()
