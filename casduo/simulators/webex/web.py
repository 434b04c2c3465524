"""From HTTP to the API and back: which address is what, whose token it is, what goes wrong, how answers are written."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from casduo.simulators.server import SimulatorServer
from casduo.simulators.webex.api import Api, find_endpoint
from casduo.simulators.webex.call import Call, Result
from casduo.simulators.webex.canned import canned_answer
from casduo.simulators.webex.directory import Directory
from casduo.simulators.webex.errors import WebexRefusal
from casduo.simulators.webex.faults import Failure, Fault, WebexFaults
from casduo.simulators.webex.ids import Ids
from casduo.simulators.webex.limits import RateLimit
from casduo.simulators.webex.pages import Pages
from casduo.simulators.webex.requests_log import RequestLog, RequestRecord
from casduo.simulators.wire import Answer
from casduo.simulators.wire import Request as WireRequest

_log = logging.getLogger("casduo.simulators.webex")

VERSION = "/v1"
_JSON = "application/json;charset=UTF-8"
_DROP = 444
"""Status by which the application has its server close the connection without an answer; it never leaves the server."""
_WITH_BODY = ("POST", "PUT", "PATCH")


class WebexServer(SimulatorServer):
    """A server whose application may have a connection closed instead of answering."""

    def _answer(self, request: WireRequest, peer: str) -> tuple[Answer, list[Callable[[], None]]]:
        answer, after_sent = super()._answer(request, peer)
        if answer.status.startswith(f"{_DROP} "):
            raise ConnectionAbortedError("closed by a fault")
        return answer, after_sent


@dataclass(frozen=True, slots=True)
class Site:
    """What every call needs, whatever it asks for.

    :param lock: guards all that there is
    :param clock: the simulator's time in epoch seconds
    """

    ids: Ids
    directory: Directory
    limit: RateLimit
    faults: WebexFaults
    requests: RequestLog
    lock: threading.RLock
    clock: Callable[[], float]


class WebexWeb:
    """The WSGI application that stands for Webex: its API below ``/v1/``, and pages for people."""

    def __init__(self, site: Site, api: Api, pages: Pages) -> None:
        self.base_url = ""
        """Scheme, host and port that links to next pages lead to."""
        self._site = site
        self._api = api
        self._pages = pages

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        in_api = request.path.startswith(f"{VERSION}/")
        response = self._respond_to_api(request) if in_api else self._pages.respond(request)
        return response(environ, start_response)

    def _respond_to_api(self, request: Request) -> Response:
        path = request.path.removeprefix(VERSION)
        record = self._site.requests.begin(
            request.method, path, request.args.to_dict(), _readable_body(request), self._site.clock()
        )
        record.tracking_id = self._site.ids.tracking()
        with self._site.lock:
            owner = self._site.directory.owner(request.headers.get("Authorization"))
        record.owner = "" if owner is None else owner.email
        response = self._judged(request, path, record)
        response.headers["trackingId"] = record.tracking_id
        record.status = None if response.status_code == _DROP else response.status_code
        _log.info("%s", record)
        return response

    def _judged(self, request: Request, path: str, record: RequestRecord) -> Response:
        """Answer, or do what is to go wrong."""
        try:
            record.endpoint, found_id = find_endpoint(request.method, path)
        except WebexRefusal as refusal:
            record.outcome = refusal.status
            return _refused(refusal, record)
        self._site.faults.wait(record.endpoint)
        fault = self._site.faults.take(record.endpoint)
        if fault is None:
            return self._answered(request, found_id, record)
        if fault.done:
            self._answered(request, found_id, record)
        return self._spoiled(fault, record)

    def _answered(self, request: Request, found_id: str, record: RequestRecord) -> Response:
        try:
            response = self._written(request, self._carried_out(request, found_id, record))
        except WebexRefusal as refusal:
            response = _refused(refusal, record)
        record.outcome = response.status_code
        return response

    def _carried_out(self, request: Request, found_id: str, record: RequestRecord) -> Result:
        site = self._site
        with site.lock:
            now = site.clock()
            person = site.directory.authenticate(request.headers.get("Authorization"))
            site.limit.check(person.id, now)
            body = _body(request) if request.method in _WITH_BODY else {}
            call = Call(person, request.args.to_dict(), body, found_id, now)
            return self._api.carry_out(record.endpoint, call)

    def _written(self, request: Request, result: Result) -> Response:
        if result.body is None:
            return Response(status=result.status)
        response = _json(result.body, result.status)
        if result.next_cursor:
            query = urlencode({**request.args.to_dict(), "cursor": result.next_cursor})
            origin = self._site.faults.next_origin or self.base_url
            response.headers["Link"] = f'<{origin}{request.path}?{query}>; rel="next"'
        return response

    def _spoiled(self, fault: Fault, record: RequestRecord) -> Response:
        if isinstance(fault.effect, Failure):
            return _failed(fault.effect, record)
        if fault.effect == "hang":
            self._site.faults.hold()
        if fault.effect == "hang" or fault.effect == "drop":
            return Response(status=f"{_DROP} Dropped")
        return canned_answer(fault.effect)


def _readable_body(request: Request) -> Any:
    """Return the JSON that was sent, for the record; None where there is none."""
    try:
        return json.loads(request.get_data())
    except (ValueError, RecursionError):
        return None


def _body(request: Request) -> Mapping[str, Any]:
    if request.mimetype != "application/json":
        raise WebexRefusal(415, "The body must be application/json.")
    try:
        body = json.loads(request.get_data(), parse_constant=_no_constant)
        # Half a surrogate pair is valid JSON, and no text.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise WebexRefusal(400, "The body is not readable JSON.") from error
    if not isinstance(body, dict):
        raise WebexRefusal(400, "The body must be an object.")
    return body


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _refused(refusal: WebexRefusal, record: RequestRecord) -> Response:
    return _failed(Failure(refusal.status, refusal.retry_after, refusal.message), record)


def _failed(failure: Failure, record: RequestRecord) -> Response:
    message = failure.message or _MESSAGES.get(failure.status, "Something went wrong on the server.")
    body = {"message": message, "errors": [{"description": message}], "trackingId": record.tracking_id}
    response = _json(body, failure.status)
    if failure.retry_after is not None:
        response.headers["Retry-After"] = str(failure.retry_after)
    return response


_MESSAGES: Mapping[int, str] = {
    400: "The call cannot be carried out as it is.",
    401: "The call needs a valid access token in its Authorization header.",
    403: "That is not allowed.",
    404: "There is no such thing.",
    405: "That address does not take this method.",
    409: "That conflicts with a rule of the service.",
    410: "That is gone for good.",
    415: "The body must be application/json.",
    423: "That is locked for a while.",
    428: "The file has not been scanned for malware.",
    429: "Too many calls in a short time.",
    502: "Another server gave no usable answer.",
    503: "The service is overloaded.",
    504: "Another server did not answer in time.",
}


def _json(body: Mapping[str, Any], status: int) -> Response:
    # Half a character, as members can make one up, stays as it was written in JSON.
    text = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(text, status, content_type=_JSON)
