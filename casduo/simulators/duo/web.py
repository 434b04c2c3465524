"""From HTTP to the rules and back: which path is whose, who may call it, and how the answer is written."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from casduo.simulators.duo import signing
from casduo.simulators.duo.account import Account
from casduo.simulators.duo.admin_api import AdminApi
from casduo.simulators.duo.auth_api import AuthApi
from casduo.simulators.duo.call import Call, Endpoint, Page
from casduo.simulators.duo.enrollment import Site
from casduo.simulators.duo.errors import (
    INVALID_PARAMETER,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    WRONG_INTEGRATION_TYPE,
    DuoRefusal,
    OauthRefusal,
)
from casduo.simulators.duo.faults import DuoFaults
from casduo.simulators.duo.model import Application, ApplicationType
from casduo.simulators.duo.oauth import Browser, Oauth
from casduo.simulators.duo.pages import Pages
from casduo.simulators.duo.prompt import Prompt
from casduo.simulators.duo.requests_log import RequestLog, RequestRecord
from casduo.simulators.duo.signing import SignedRequest
from casduo.simulators.duo.waiting import Waiting
from casduo.simulators.wire import AFTER_SENT, HEADERS_AS_SENT

_log = logging.getLogger("casduo.simulators.duo")

ALLOWED_PATHS: dict[ApplicationType, frozenset[str]] = {
    "websdk": frozenset({"/auth/v2/check", "/auth/v2/preauth", "/auth/v2/auth", "/auth/v2/auth_status"}),
    "authapi": frozenset({"/auth/v2/*"}),
    "admin": frozenset({"/admin/v1/*"}),
}
"""Which signed paths an application of each type may call; a star at the end stands for anything."""


class DuoWeb:
    """The WSGI application that stands for Duo's API host.

    :param clock: the time that everything lasts by, epoch seconds.
    :param wall_clock: the time that dates and tokens are compared with.
    """

    def __init__(
        self, account: Account, waiting: Waiting, clock: Callable[[], float], wall_clock: Callable[[], float]
    ) -> None:
        self.faults = DuoFaults()
        self.requests = RequestLog()
        self.allowed_paths = dict(ALLOWED_PATHS)
        self._site = Site()
        self.api = AuthApi(account, waiting, self._site)
        self._admin = AdminApi(account, self._site)
        self.oauth = Oauth(account)
        self.prompt = Prompt(account, self.oauth)
        self._account = account
        self._waiting = waiting
        self._clock = clock
        self._wall_clock = wall_clock
        self._pages = Pages(account, waiting, self.prompt, self.faults, self._site, clock)
        self._oauth_endpoints: dict[str, tuple[str, Callable[[Request, Mapping[str, str]], Response]]] = {
            "/oauth/v1/health_check": ("POST", self._health_check),
            "/oauth/v1/authorize": ("GET", self._authorize),
            "/oauth/v1/token": ("POST", self._token),
        }

    def set_base(self, api_host: str, base_url: str) -> None:
        """Tell under which address clients know the server; tokens and links carry it."""
        self._site.api_host = api_host
        self._site.base_url = base_url
        self.oauth.base_url = base_url

    def wall(self) -> float:
        """Return the time the server believes it is, epoch seconds."""
        return self._wall_clock() + self.faults.clock_offset

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        response = self._respond(request)
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        path = request.path
        if not path.startswith(("/auth/", "/admin/", "/oauth/")):
            return self._pages.respond(request) or _json(DuoRefusal(NOT_FOUND).body(), 404)
        raw = SignedRequest(
            method=request.method,
            host=request.host,
            path=str(request.environ.get("REQUEST_URI", path)).partition("?")[0],
            query=request.query_string.decode("latin-1"),
            headers=dict(request.environ.get(HEADERS_AS_SENT, request.headers.items())),
            body=request.get_data(),
        )
        parameters = _parameters(raw)
        record = self.requests.begin(request.method, path, parameters, self._clock())
        response = self._respond_to_api(request, raw, parameters, record)
        record.status = response.status_code
        _log.info("%s", record)
        return response

    def _respond_to_api(
        self, request: Request, raw: SignedRequest, parameters: Mapping[str, str], record: RequestRecord
    ) -> Response:
        canned = self.faults.canned(request.path)
        if canned is not None:
            response = Response(canned.body, canned.status, content_type=canned.content_type)
            response.headers.extend(canned.headers)
            return response
        try:
            with self._waiting.lock:
                self._account.settle(self._clock())
                if request.path in self._oauth_endpoints:
                    return self._call_oauth(request, parameters)
                return self._call_api(request, raw, parameters, record)
        except DuoRefusal as refusal:
            response = _json(refusal.body(), refusal.http_status)
            if refusal.retry_after is not None:
                response.headers["Retry-After"] = str(refusal.retry_after)
            return response
        except OauthRefusal as refusal:
            return _json(refusal.body(), 400)

    # -- Auth API and Admin API --------------------------------------------------------------------------------------

    def _call_api(
        self, request: Request, raw: SignedRequest, parameters: Mapping[str, str], record: RequestRecord
    ) -> Response:
        endpoint = self._endpoint(request)
        application = self._signer(raw, request.path, record) if endpoint.signed else None
        self.faults.check_refusal(request.path)
        call = Call(
            application=application,
            parameters=parameters,
            now=self._clock(),
            wall=self.wall(),
            after_sent=request.environ.get(AFTER_SENT, []).append,
        )
        result = endpoint.handle(call)
        if isinstance(result, bytes):
            return Response(result, content_type="image/png")
        if isinstance(result, Page):
            return _json({"stat": "OK", "response": result.objects, "metadata": result.metadata()}, 200)
        if isinstance(result, dict):
            result = self.faults.spoiled(request.path, result)
        return _json({"stat": "OK", "response": result}, 200)

    def _endpoint(self, request: Request) -> Endpoint:
        endpoint = self.api.endpoints.get(request.path) or self._admin.find(request.method, request.path)
        if endpoint is None:
            raise DuoRefusal(NOT_FOUND)
        if request.method != endpoint.method:
            raise DuoRefusal(METHOD_NOT_ALLOWED)
        return endpoint

    def _signer(self, raw: SignedRequest, path: str, record: RequestRecord) -> Application:
        applications = self._account.applications

        def secret_of(integration_key: str) -> str | None:
            application = applications.get(integration_key)
            return None if application is None else application.secret_key

        verified = signing.verify(raw, secret_of, self.wall())
        record.signature_version = verified.version
        record.integration_key = verified.integration_key
        application = applications[verified.integration_key]
        if not _allowed(path, self.allowed_paths[application.type]):
            raise DuoRefusal(WRONG_INTEGRATION_TYPE, "Wrong integration type for this API.")
        return application

    # -- OIDC --------------------------------------------------------------------------------------------------------

    def _call_oauth(self, request: Request, parameters: Mapping[str, str]) -> Response:
        method, handle = self._oauth_endpoints[request.path]
        if request.method != method:
            raise DuoRefusal(METHOD_NOT_ALLOWED)
        self.faults.check_refusal(request.path)
        return handle(request, parameters)

    def _health_check(self, request: Request, parameters: Mapping[str, str]) -> Response:
        timestamp = int(self.wall())
        try:
            self.oauth.authenticate(parameters, request.path, self.wall())
        except OauthRefusal as refusal:
            body = {
                "stat": "FAIL",
                "code": INVALID_PARAMETER,
                "message": refusal.error,
                "message_detail": refusal.description,
                "timestamp": timestamp,
            }
            return _json(body, 400)
        return _json({"stat": "OK", "response": {"timestamp": timestamp}}, 200)

    def _authorize(self, request: Request, parameters: Mapping[str, str]) -> Response:
        application, wanted = self.oauth.authorize(parameters, self.wall())
        browser = Browser(request.remote_addr or "", request.headers.get("User-Agent", ""))
        session = self.prompt.open(application, wanted, browser, self._clock())
        response = Response(status=302, content_type="text/html; charset=utf-8")
        response.headers["Location"] = f"/frame/prompt/{session.id}"
        response.headers["Cache-Control"] = "no-store"
        return response

    def _token(self, request: Request, parameters: Mapping[str, str]) -> Response:
        application, grant = self.oauth.exchange(parameters, self._clock(), self.wall())
        response = _json(self.oauth.token_response(application, grant, self.wall(), self.faults.id_token), 200)
        response.headers["Cache-Control"] = "no-store"
        return response


def _parameters(raw: SignedRequest) -> dict[str, str]:
    """Return the parameters of a request as text, wherever they travel; the first of each name counts."""
    pairs = signing.parse_parameters(raw.query)
    if raw.content_type == "application/x-www-form-urlencoded":
        pairs += signing.parse_parameters(raw.body.decode("latin-1"))
    parameters = {name.decode(errors="replace"): value.decode(errors="replace") for name, value in reversed(pairs)}
    if raw.content_type == "application/json":
        parameters |= _json_parameters(raw.body)
    return parameters


def _json_parameters(body: bytes) -> dict[str, str]:
    """Clients send most values as text and some as they came: ``"1"`` and ``true`` mean the same."""
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    if not isinstance(document, dict):
        return {}
    return {name: _as_text(value) for name, value in document.items() if value is not None}


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return value if isinstance(value, str) else json.dumps(value)


def _allowed(path: str, patterns: frozenset[str]) -> bool:
    return any(path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern for pattern in patterns)


def _json(body: object, status: int) -> Response:
    return Response(json.dumps(body), status, content_type="application/json; charset=utf-8")
