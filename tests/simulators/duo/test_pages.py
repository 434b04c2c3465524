"""The phones, the enrolment portal and the activation page, as a browser without scripts sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import duo_client
import pytest
import requests

from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Phone, Script, Token
from tests.simulators.duo.conftest import AuthClientFactory


class Pages:
    """Gets and posts pages of the simulator."""

    def __init__(self, duo: DuoSimulator) -> None:
        self._base = duo.base_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(duo.ca_file)

    def get(self, path: str) -> requests.Response:
        return self._session.get(self._base + path.removeprefix(self._base), timeout=10)

    def post(self, path: str, **fields: str) -> requests.Response:
        return self._session.post(self._base + path, fields, timeout=10)

    def close(self) -> None:
        self._session.close()


@pytest.fixture
def pages(duo: DuoSimulator) -> Iterator[Pages]:
    opened = Pages(duo)
    yield opened
    opened.close()


@pytest.fixture
def ada(duo: DuoSimulator) -> Phone:
    phone = Phone("Ada's iPhone", "+1 555 555 0100")
    duo.add_user("ada", devices=[phone, Token("20361492")])
    return phone


def push(auth: duo_client.Auth, **arguments: str) -> str:
    txid: str = auth.auth("push", username="ada", device="auto", async_txn=True, **arguments)["txid"]
    return txid


class TestPhones:
    def test_everybody_is_listed_and_who_is_asked_stands_out(
        self, duo: DuoSimulator, auth: duo_client.Auth, pages: Pages, ada: Phone
    ) -> None:
        duo.add_user("grace", "disabled")
        duo.add_user("linus", devices=[])
        assert "request waiting" not in pages.get("/phone").text
        push(auth)
        page = pages.get("/").text
        assert re.search(r">ada</a>\s*<strong[^>]*>request waiting", page)
        assert "disabled" in page
        assert "no device" in page

    def test_there_may_be_nobody(self, pages: Pages) -> None:
        assert "Nobody has a phone yet." in pages.get("/phone").text
        assert pages.get("/phone/ada").status_code == 404
        assert pages.get("/phone/ada/version").text == "gone"


class TestPhone:
    def test_it_shows_who_wants_what(self, auth: duo_client.Auth, pages: Pages, ada: Phone) -> None:
        push(auth, ipaddr="192.0.2.7", type="CAS login", pushinfo=urlencode({"Service": "<Payroll & more>"}))
        page = pages.get("/phone/ada").text
        for text in ("CAS login request", "Payroll", "192.0.2.7", "&lt;Payroll &amp; more&gt;", "Approve", "Deny"):
            assert text in page

    def test_what_the_application_says_is_decoded_once(self, auth: duo_client.Auth, pages: Pages, ada: Phone) -> None:
        push(auth, pushinfo="Target%20host=db%252F1&Reason=caf%C3%A9+%26%20tea&Empty=")
        page = pages.get("/phone/ada").text
        assert "<dt>Target host</dt><dd>db%2F1</dd>" in page
        assert "<dt>Reason</dt><dd>café &amp; tea</dd>" in page
        assert "<dt>Empty</dt><dd></dd>" in page

    def test_it_shows_the_name_the_application_gives(self, auth: duo_client.Auth, pages: Pages, ada: Phone) -> None:
        push(auth, type="<b>Door</b>", display_username="<i>Ada L.</i>")
        page = pages.get("/phone/ada").text
        assert "&lt;b&gt;Door&lt;/b&gt; request" in page
        assert "<dt>User</dt><dd>&lt;i&gt;Ada L.&lt;/i&gt;</dd>" in page

    def test_it_shows_the_host_and_a_plain_login(self, auth: duo_client.Auth, pages: Pages, ada: Phone) -> None:
        parameters = {
            "factor": "push",
            "username": "ada",
            "device": "auto",
            "async": "1",
            "hostname": "db1.example.org",
        }
        auth.json_api_call("POST", "/auth/v2/auth", parameters)
        page = pages.get("/phone/ada").text
        assert "Login request" in page
        assert "<dt>Host</dt><dd>db1.example.org</dd>" in page

    def test_it_counts_down(self, auth: duo_client.Auth, pages: Pages, ada: Phone, clock: VirtualClock) -> None:
        push(auth)
        clock.advance(13.0)
        assert 'data-left="47">47</span> seconds' in pages.get("/phone/ada").text

    @pytest.mark.parametrize(("button", "status"), [("approve", "allow"), ("deny", "deny"), ("fraud", "fraud")])
    def test_its_buttons_work(self, auth: duo_client.Auth, pages: Pages, ada: Phone, button: str, status: str) -> None:
        txid = push(auth)
        assert "No requests." in pages.post("/phone/ada", txid=txid, action=button).text
        assert auth.auth_status(txid)["status"] == status

    def test_a_request_can_be_ignored_and_runs_out(
        self, duo: DuoSimulator, auth: duo_client.Auth, pages: Pages, ada: Phone, clock: VirtualClock
    ) -> None:
        txid = push(auth)
        before = pages.get("/phone/ada/version").text
        page = pages.post("/phone/ada", txid=txid, action="ignore").text
        assert "No requests." in page
        assert "One request was put aside and will run out." in page
        assert pages.get("/phone/ada/version").text != before
        assert len(duo.pending("ada")) == 1
        clock.advance(60.0)
        assert "put aside" not in pages.get("/phone/ada").text
        assert auth.auth_status(txid)["status"] == "timeout"

    def test_a_push_that_was_lost_can_be_found(
        self, duo: DuoSimulator, auth: duo_client.Auth, pages: Pages, ada: Phone
    ) -> None:
        txid = push(auth)
        duo.phone("ada").fail_delivery()
        assert "This push did not arrive." in pages.get("/phone/ada").text
        pages.post("/phone/ada", txid=txid, action="approve")
        assert auth.auth_status(txid)["success"]

    def test_a_call_is_answered_first(self, auth: duo_client.Auth, pages: Pages, ada: Phone) -> None:
        txid = auth.auth("phone", username="ada", device="auto", async_txn=True)["txid"]
        assert "Incoming call" in pages.get("/phone/ada").text
        page = pages.post("/phone/ada", txid=txid, action="pick_up").text
        assert "Approve" in page
        assert "Answer" not in page

    def test_a_verified_push_wants_the_code(
        self, duo: DuoSimulator, auth_client: AuthClientFactory, pages: Pages, ada: Phone
    ) -> None:
        careful = auth_client(duo.add_application("authapi", "Careful", verified_push=True))
        txid = push(careful)
        code = duo.pending("ada")[0].verification_code
        wrong = "".join(str(9 - int(digit)) for digit in code)
        assert "not the code" in pages.post("/phone/ada", txid=txid, action="approve", code=wrong).text
        assert len(duo.pending("ada")) == 1
        pages.post("/phone/ada", txid=txid, action="approve", code=code)
        assert careful.auth_status(txid)["success"]

    def test_the_page_holds_still_while_a_code_is_typed(
        self, duo: DuoSimulator, auth: duo_client.Auth, auth_client: AuthClientFactory, pages: Pages, ada: Phone
    ) -> None:
        push(auth)
        assert 'http-equiv="refresh"' in pages.get("/phone/ada").text
        push(auth_client(duo.add_application("authapi", "Careful", verified_push=True)))
        page = pages.get("/phone/ada").text
        assert 'http-equiv="refresh"' not in page
        assert "Look for new requests" in page

    def test_buttons_that_come_too_late_say_so(
        self, auth: duo_client.Auth, pages: Pages, ada: Phone, clock: VirtualClock
    ) -> None:
        txid = push(auth)
        clock.advance(60.0)
        assert "has run out" in pages.post("/phone/ada", txid=txid, action="approve").text
        assert "is gone" in pages.post("/phone/ada", txid="made-up", action="approve").text

    def test_one_cannot_press_on_the_phone_of_another(
        self, duo: DuoSimulator, auth: duo_client.Auth, pages: Pages, ada: Phone
    ) -> None:
        duo.add_user("mallory")
        txid = push(auth)
        assert "is gone" in pages.post("/phone/mallory", txid=txid, action="approve").text
        assert "does nothing" in pages.post("/phone/ada", txid=txid, action="shake").text
        assert len(duo.pending("ada")) == 1

    def test_it_shows_passcodes(self, auth: duo_client.Auth, pages: Pages, ada: Phone) -> None:
        page = pages.post("/phone/ada", action="passcode", device=ada.id).text
        found = re.search(r'class="code"[^>]*>(\d{6})<', page)
        assert found is not None
        assert auth.auth("passcode", username="ada", passcode=found[1])["result"] == "allow"
        assert "New passcode from token 20361492" in page

    def test_a_phone_that_makes_no_passcodes_shows_none(self, duo: DuoSimulator, pages: Pages) -> None:
        plain = Phone("plain", capabilities=("push",))
        duo.add_user("grace", devices=[plain])
        page = pages.post("/phone/grace", action="passcode", device=plain.id).text
        assert "Passcodes" not in page
        assert 'class="code"' not in page

    def test_it_shows_messages(self, duo: DuoSimulator, auth: duo_client.Auth, pages: Pages, ada: Phone) -> None:
        auth.auth("sms", username="ada", device="auto")
        assert duo.phone("ada").messages()[0] in pages.get("/phone/ada").text

    def test_a_message_is_noticed(self, auth: duo_client.Auth, pages: Pages, ada: Phone) -> None:
        before = pages.get("/phone/ada/version").text
        auth.auth("sms", username="ada", device="auto")
        assert pages.get("/phone/ada/version").text != before

    def test_it_notices_what_happens(self, auth: duo_client.Auth, pages: Pages, ada: Phone) -> None:
        page = pages.get("/phone/ada").text
        assert 'data-watch="/phone/ada/version" data-version="idle"' in page
        assert pages.get("/phone/ada/version").text == "idle"
        push(auth)
        assert pages.get("/phone/ada/version").text != "idle"

    def test_names_need_not_be_ascii(self, duo: DuoSimulator, pages: Pages) -> None:
        duo.add_user("zoë o'brien")
        assert "Phone of zoë o&#39;brien" in pages.get("/phone/zo%C3%AB%20o'brien").text


class TestHabits:
    @pytest.mark.parametrize(
        ("habit", "status"),
        [("approve", "allow"), ("deny", "deny"), ("fraud", "fraud"), ("push_failed", "push_failed")],
    )
    def test_a_phone_can_be_told_what_to_do_by_itself(
        self, auth: duo_client.Auth, pages: Pages, ada: Phone, clock: VirtualClock, habit: str, status: str
    ) -> None:
        assert "What this phone does by itself" in pages.get("/phone/ada").text
        assert pages.post("/phone/ada/habits", habit=habit).status_code == 200
        assert f'value="{habit}" checked' in pages.get("/phone/ada/habits").text
        txid = push(auth)
        clock.advance(2.0)
        assert auth.auth_status(txid)["status"] == status

    def test_it_can_be_told_to_wait_again(self, duo: DuoSimulator, pages: Pages, ada: Phone) -> None:
        pages.post("/phone/ada/habits", habit="approve")
        assert "Approves every request" in pages.get("/phone/ada").text
        pages.post("/phone/ada/habits", habit="")
        assert duo.user("ada").script is None
        assert "Approves every request" not in pages.get("/phone/ada").text

    def test_a_script_of_a_program_is_left_alone(self, duo: DuoSimulator, pages: Pages, ada: Phone) -> None:
        script = Script("push_failed", 1.0, Script("approve", 5.0))
        duo.user("ada").script = script
        pages.post("/phone/ada/habits", habit="push_failed")
        assert duo.user("ada").script is script
        pages.post("/phone/ada/habits", habit="dance")
        assert duo.user("ada").script is None

    def test_nobody_has_no_habits(self, pages: Pages) -> None:
        assert pages.get("/phone/nobody/habits").status_code == 404


class TestEnrolment:
    def test_the_portal_link_of_preauth_leads_to_a_phone(self, auth: duo_client.Auth, pages: Pages) -> None:
        link = auth.preauth(username="grace")["enroll_portal_url"]
        assert "Set up a phone" in pages.get(link).text
        code = re.search(r"code=(\w+)", link)
        assert code is not None
        page = pages.post("/portal", code=code[1])
        activation = re.search(r'href="(/activate/[^"]+)"', page.text)
        assert activation is not None
        progress = urlsplit(page.url).path
        assert pages.get(f"{progress}/version").text == "waiting"
        assert "Add an account" in pages.get(activation[1]).text
        assert "This phone is ready" in pages.post(activation[1], name="Grace's Pixel").text
        assert pages.get(f"{progress}/version").text == "success"
        assert "Your phone is ready" in pages.get(progress).text
        assert auth.preauth(username="grace")["devices"][0]["name"] == "Grace's Pixel"

    def test_a_user_without_a_device_gets_one_at_the_portal(
        self, duo: DuoSimulator, auth: duo_client.Auth, pages: Pages
    ) -> None:
        duo.add_user("grace", devices=[])
        code = auth.preauth(username="grace")["enroll_portal_url"].partition("code=")[2].partition("&")[0]
        activation = re.search(r'href="(/activate/[^"]+)"', pages.post("/portal", code=code).text)
        assert activation is not None
        pages.post(activation[1], name="")
        assert auth.preauth(username="grace")["result"] == "auth"

    def test_a_portal_link_works_once_and_for_five_minutes(
        self, auth: duo_client.Auth, pages: Pages, clock: VirtualClock
    ) -> None:
        def code() -> str:
            link: str = auth.preauth(username="grace")["enroll_portal_url"]
            return link.partition("code=")[2].partition("&")[0]

        used, expired = code(), code()
        assert pages.post("/portal", code=used).status_code == 200
        assert pages.post("/portal", code=used).status_code == 404
        clock.advance(300.0)
        assert pages.post("/portal", code=expired).status_code == 404
        assert pages.get("/portal/unheard-of").status_code == 404
        assert pages.get("/portal/unheard-of/version").text == "gone"

    def test_the_barcode_is_a_picture(self, auth: duo_client.Auth, pages: Pages) -> None:
        answer = pages.get(auth.enroll("grace")["activation_barcode"])
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.content.startswith(b"\x89PNG")

    @pytest.mark.parametrize("value", ["", "x" * 501])
    def test_a_barcode_of_nothing_or_of_too_much_is_refused(self, pages: Pages, value: str) -> None:
        assert pages.get(f"/frame/qr?value={value}").status_code == 400

    def test_an_activation_that_ran_out_is_no_use(
        self, auth: duo_client.Auth, pages: Pages, clock: VirtualClock
    ) -> None:
        url = auth.enroll("grace", valid_secs=60)["activation_url"]
        clock.advance(60.0)
        assert pages.get(url).status_code == 404


class TestSite:
    @pytest.mark.parametrize(
        ("name", "kind"), [("style.css", "text/css"), ("watch.js", "text/javascript"), ("icon.svg", "image/svg")]
    )
    def test_files_are_served(self, pages: Pages, name: str, kind: str) -> None:
        answer = pages.get(f"/static/{name}")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith(kind)

    @pytest.mark.parametrize(
        "path", ["/static/none.css", "/static/simulator.py", "/static/..%2Fsimulator.py", "/nowhere"]
    )
    def test_nothing_else_is(self, pages: Pages, path: str) -> None:
        assert pages.get(path).status_code == 404

    def test_a_method_that_is_not_taken(self, pages: Pages) -> None:
        assert pages.post("/frame/qr").status_code == 405

    def test_pages_are_not_among_the_api_requests(self, duo: DuoSimulator, pages: Pages) -> None:
        pages.get("/phone")
        assert duo.requests.count() == 0

    def test_pages_carry_the_headers_that_protect_them(self, pages: Pages) -> None:
        headers = pages.get("/phone").headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
