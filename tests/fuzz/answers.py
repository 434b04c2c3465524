"""Harnesses for what other servers answer, and for what casduo keeps in Redis."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import jwt
from urllib3.util import parse_url

from casduo.addresses import parse_address
from casduo.authentication.ldap.attributes import release as entry_texts
from casduo.authentication.ldap.directory import Entry
from casduo.errors import CasduoError
from casduo.events.outbox_model import DeadLetter, message_in
from casduo.events.record import EventRecord
from casduo.mfa.duo import answers as read_duo
from casduo.mfa.duo.errors import DuoFailure
from casduo.mfa.duo.universal import UniversalClient
from casduo.mfa.strength import Strength
from casduo.middleware import errors as middleware
from casduo.middleware.logout import logout_message, session_index
from casduo.middleware.response import parse_proxy_response, parse_service_response
from casduo.middleware.session import session_from_json
from casduo.middleware.steps import attempt_from_json
from casduo.nodes.model import Member
from casduo.outbound.http import HttpAnswer, HttpClient, HttpSettings
from casduo.phone.answers import answer_of, orders_of
from casduo.phone.models import Traits
from casduo.phone.screens import TextScreen
from casduo.protocol.entitlement import DuoStanding
from casduo.protocol.responses import json_success, xml_success
from casduo.protocol.saml1 import saml_success
from casduo.protocol.validation import ValidatedTicket
from casduo.services.file import read_registry
from casduo.services.model import RegisteredService
from casduo.services.release import UsernameUnfit, release
from casduo.tickets.model import TicketGrantingTicket
from casduo.ucm import axl_answers, emapi_documents, ris_documents
from casduo.ucm.soap import Unreadable
from casduo.webex.answers import next_page, retry_after, tracking_of
from casduo.webex.model import card_action, items, person, posted, posted_message, room, webhook
from casduo.webex.notice import MalformedNotice, read_notice
from casduo.webex.press import Choice, choice_in, request_named
from casduo.webex.signature import signature_fault
from tests.approvals.asked import request
from tests.fuzz.model import NOW, header_of, parts_of, passing, text_of


def ucm(data: bytes) -> None:
    fault = axl_answers.read_fault(data)
    assert fault is None or isinstance(fault.text, str)
    for operation in ("doAuthenticateUser", "getUser", "getPhone", "executeSQLQuery", "getCCMVersion", "updatePhone"):
        found = passing(Unreadable, lambda: axl_answers.read_answer(operation, data))  # noqa: B023
        if found is None:
            continue
        answer = axl_answers.pin_answer(found)
        assert isinstance(answer.right, bool)
        for read in (
            lambda: axl_answers.user_of(found, "ada"),  # noqa: B023
            lambda: axl_answers.phone_of(found, "SEP001122334455"),  # noqa: B023
            lambda: axl_answers.was_written(found),  # noqa: B023
            lambda: axl_answers.column(found, "name"),  # noqa: B023
            lambda: axl_answers.phone_names(found),  # noqa: B023
            lambda: axl_answers.version_of(found),  # noqa: B023
        ):
            passing((Unreadable, CasduoError), read)
    found = passing(Unreadable, lambda: ris_documents.read_registrations(data))
    assert found is None or all(parse_address(one) is not None for all_ in found.addresses.values() for one in all_)
    ris_documents.is_throttled(data)
    for read in (
        lambda: emapi_documents.read_outcome(data, "node"),
        lambda: emapi_documents.read_device_user(data, "SEP001122334455", "node"),
        lambda: emapi_documents.read_user_devices(data, "ada", "node"),
    ):
        passing(CasduoError, read)


def cas_answers(data: bytes) -> None:
    for proxied in (False, True):
        found = passing(middleware.InvalidResponse, lambda: parse_service_response(data, proxied=proxied))  # noqa: B023
        assert found is None or proxied or not getattr(found, "proxies", ())
    passing(middleware.InvalidResponse, lambda: parse_proxy_response(data))
    message = passing(middleware.InvalidLogoutRequest, lambda: logout_message(data))
    for text in (message, text_of(data)):
        if text is not None:
            passing(middleware.InvalidLogoutRequest, lambda: session_index(text))  # noqa: B023


def phone_pages(data: bytes) -> None:
    title, prompt, text = map(text_of, parts_of(data, 3))
    for charset in ("utf-8", "iso-8859-1"):
        traits = Traits(charset=charset)  # type: ignore[arg-type]
        body, headers = answer_of(TextScreen(title=title, prompt=prompt, softkeys=(), text=text), traits, _render())
        # A phone shows nothing at all of a page that is not well-formed.
        assert ElementTree.fromstring(body).tag == "CiscoIPPhoneText"  # noqa: S314
        assert dict(headers)["Content-Length"] == str(len(body))
        body, _ = orders_of((f"https://sso.example.edu/em?{quote(text)}",), traits, _render())
        assert ElementTree.fromstring(body).tag == "CiscoIPPhoneExecute"  # noqa: S314


@cache
def _render() -> Callable[..., str]:
    from casduo.paths import views_directory
    from casduo.templating import environment, read_views

    made = environment(read_views(views_directory()))
    return lambda template, **more: made.get_template(template).render(more)


def duo(data: bytes) -> None:
    answer = passing(ValueError, HttpAnswer(200, "OK", {}, data).json)
    for read in (
        read_duo.read_time,
        read_duo.read_preauth,
        read_duo.read_passcode,
        read_duo.read_transaction,
        read_duo.read_codes,
        read_duo.read_enrollment,
        read_duo.read_enrollment_state,
    ):
        passing(DuoFailure, lambda: read(answer))  # noqa: B023
    if isinstance(answer, dict):
        verdict = read_duo.read_verdict(answer)
        result = answer.get("auth_result")
        assert verdict.allowed is (isinstance(result, dict) and result.get("result") == "allow")
        status = read_duo.read_push_status(answer)
        assert not (status.waiting and status.allowed)
        Strength.from_fields({str(key): str(value) for key, value in answer.items()})


def webex(data: bytes) -> None:
    passing(MalformedNotice, lambda: read_notice(data))
    one, two, rest = parts_of(data, 3)
    assert signature_fault(rest, header_of(one), header_of(two), ("secret" * 6,)) is not None
    assert 0 < retry_after(header_of(one), NOW) < 86_400
    found = tracking_of({"trackingId": header_of(one)}, rest)
    assert found.isascii()
    page = next_page(header_of(one), "https://webexapis.com/v1")
    if page:
        assert urlsplit(page).hostname == "webexapis.com"
        assert (parse_url(page).host or "") == "webexapis.com"
        assert urlsplit(page).scheme == "https"


def records(data: bytes) -> None:
    text = text_of(data)
    for read in (EventRecord.from_json, DeadLetter.from_json, message_in, Member.from_json):
        passing(ValueError, lambda: read(text))  # noqa: B023
    value = passing(ValueError, lambda: json.loads(text))
    session_from_json(value)
    attempt_from_json(value, NOW)


def duo_tokens(data: bytes) -> None:
    """A result as somebody would sign it who has the key: of Duo's own, of another login, of a broken Duo."""
    status, claims = parts_of(data, 2)
    told = passing(ValueError, lambda: json.loads(claims))
    now = time.time()
    # Right in all that the fuzzer cannot guess, unless it says otherwise.
    right = {"iss": _TOKEN_URL, "aud": _KEY, "exp": now + 300, "iat": now, "preferred_username": "ada", "nonce": _NONCE}
    signed: object = None
    if isinstance(told, dict):
        # What the library for tokens refuses to write it need not read.
        signed = passing(
            (TypeError, ValueError, jwt.PyJWTError), lambda: jwt.encode({**right, **told}, _SECRET, algorithm="HS512")
        )
    body = claims if signed is None else json.dumps({"id_token": signed, "token_type": "Bearer"}).encode()
    universal, http = _duo()
    http.answer = HttpAnswer(int(status[:3]) if status[:3].isdigit() else 200, "", {}, body)
    verdict = passing(DuoFailure, lambda: universal.exchange("c" * 32, "ada", _NONCE))
    if verdict is not None and verdict.allowed:
        assert isinstance(told, dict)
        assert {**right, **told}["preferred_username"] == "ada"
        assert {**right, **told}["nonce"] == _NONCE
        assert told["auth_result"]["result"] == "allow"
    passing(DuoFailure, universal.health_check)


_KEY, _SECRET, _NONCE = "D" * 20, "s" * 40, "n" * 32
_TOKEN_URL = "https://api-0.duosecurity.com/oauth/v1/token"


class _Always(HttpClient):
    """Answers everything alike."""

    answer = HttpAnswer(200, "OK", {}, b"")

    def request(self, method: str, url: str, **_: Any) -> HttpAnswer:
        return self.answer


@cache
def _duo() -> tuple[UniversalClient, _Always]:
    # Made once: to read the authorities takes longer than anything else here.
    http = _Always("duo", HttpSettings(1.0, 1.0, 1.0))
    return UniversalClient(_KEY, _SECRET, "api-0.duosecurity.com", "https://sso.example.edu/cas/duo", http), http


def webex_objects(data: bytes) -> None:
    """What Webex tells of, above all presses of buttons, whose inputs any member of a space makes up."""
    told = passing(ValueError, HttpAnswer(200, "OK", {}, data).json)
    for read in (posted, posted_message, person, room, webhook, items):
        passing(ValueError, lambda: read(told))  # noqa: B023
    action = passing(ValueError, lambda: card_action(told))
    if action is None:
        return
    named = request_named(action)
    assert named.isascii()
    choice = choice_in(action, _REQUEST)
    if isinstance(choice, Choice):
        assert action.inputs["nonce"] == _REQUEST.nonce
        assert action.inputs["request"] == _REQUEST.id
        assert action.room == _REQUEST.room
    json.dumps(dict(action.inputs)).encode()


_REQUEST = request("r1")


def entries(data: bytes) -> None:
    """An entry of a directory, up to what applications are told of it, which they have to be able to read."""
    user, name, *values = parts_of(data, 6)
    entry = Entry("uid=ada,dc=example,dc=edu", {text_of(name).lower(): tuple(values)})
    attributes, unreadable = entry_texts(entry, {text_of(name): ("displayName",)})
    assert unreadable in ((), (text_of(name),))
    released = passing(UsernameUnfit, lambda: release(_service(), text_of(user), attributes))
    if released is None:
        return
    session = TicketGrantingTicket(text_of(user), attributes, "ldap", NOW)
    told = ValidatedTicket(_service(), session, released, primary=True, duo=DuoStanding())
    values_told = released.attributes.get("displayName", ())
    cas = ElementTree.fromstring(xml_success(told, with_attributes=True))  # noqa: S314
    assert len(cas.findall(".//{*}displayName")) == len(values_told)
    said = json.loads(json_success(told, with_attributes=True))
    assert said["serviceResponse"]["authenticationSuccess"]["user"] == released.user
    saml = saml_success(told, recipient="https://library.example.edu/", request_id="_r", issuer="casduo", now=NOW)
    assert ElementTree.fromstring(saml).tag.endswith("Envelope")  # noqa: S314


@cache
def _service() -> RegisteredService:
    written = b"services:\n  - {id: a, name: A, url: 'https://library.example.edu/**', attributes: [displayName]}\n"
    registry = read_registry(written, "registry.yaml", None).registry
    assert registry is not None
    return registry.services[0]
