"""Examines Duo as casduo meets it: each API host, each application's keys and rights, and what Duo says of a person.

Nothing is asked for that leaves a trace with a person: no push, no code, no account. Whether a call is allowed at all
shows by naming somebody, or something, that cannot exist.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing

from casduo.clock import Clock
from casduo.diagnosis.applications import Application, admin_keys, applications_of, own_authorities
from casduo.diagnosis.duo_host import examine_host
from casduo.diagnosis.hosts import Examination
from casduo.diagnosis.model import Finding, Part
from casduo.diagnosis.people import judge_person, judge_stranger
from casduo.diagnosis.refusals import clocks_apart, code_of, explain, explained, wrong_kind_of_application
from casduo.errors import UpstreamMisconfigured
from casduo.mfa.duo.admin_api import AdminApi
from casduo.mfa.duo.applications import build_applications
from casduo.mfa.duo.auth_api import AuthApi
from casduo.mfa.duo.errors import DuoFailure
from casduo.mfa.duo.gateway import DuoGateway
from casduo.mfa.duo.universal import PINNED_CA_FILE
from casduo.outbound import Breaker, Bulkhead
from casduo.outbound.http import HttpClient, HttpSettings
from casduo.settings import AdminApiKeys, DuoSettings, Settings

_NOBODY = "DU00000000000000CASD"
_NOTHING = "00000000-0000-0000-0000-000000000000"
"""A user and a transaction that cannot exist, in the form of those that do."""


def examine_duo(
    settings: Settings, clock: Clock, *, user: str = "", application: str | None = None
) -> Iterator[Finding]:
    """Examine every Duo application of the settings, those at the same API host one after the other.

    :param user: canonical name of a person to ask Duo about; empty for none.
    :param application: examine this one only; empty is the main one.
    """
    duo = settings.duo
    if duo is None:
        yield Part("Duo").ok("section duo", "is not there: Duo is off, and no service may require it")
        return
    try:
        gateways = build_applications(settings, clock)
        carrier = HttpClient("duo", _http_settings(settings, duo))
    except UpstreamMisconfigured as failure:
        yield _unusable(settings, failure)
        return
    by_host: dict[str, list[Application]] = {}
    for each in applications_of(settings, duo):
        if application in (None, each.name):
            by_host.setdefault(each.duo.api_host, []).append(each)
    with closing(carrier) as http:
        for api_host, applications in by_host.items():
            first = applications[0]
            part, authorities = Part(f"Duo at {api_host}"), own_authorities(settings)
            answers = yield from examine_host(part, first.way, authorities, _auth_api(first, http), first.auth, clock)
            for each in applications:
                if answers:
                    yield from _examine_application(each, gateways.of(each.name), http, user)
                else:
                    yield _left_out(each)


def _examine_application(
    application: Application, gateway: DuoGateway, http: HttpClient, user: str
) -> Iterator[Finding]:
    taken = yield from _examine_auth_api(application, gateway, http)
    yield _examine_prompt(application, gateway, http)
    if application.duo.admin_api is not None and not application.name:
        yield _examine_admin_api(application, application.duo.admin_api, http)
    if user and taken:
        yield _examine_person(application, gateway, user)


def _examine_auth_api(application: Application, gateway: DuoGateway, http: HttpClient) -> Examination:
    """Examine the keys for the Auth API and what they allow. Returns whether Duo takes them."""
    part, keys, terms = application.part, application.auth, application.terms
    try:
        _auth_api(application, http).check()
    except DuoFailure as failure:
        yield explain(failure, keys).finding(part, "Auth API")
        return False
    borrowed = f"; those of the prompt serve, as there is no {keys.own}" if keys.borrowed else ""
    yield part.ok("Auth API", f"Duo takes the keys{borrowed}")
    yield _examine_preauth(application, gateway)
    yield _examine_right(application, "pushes", lambda: gateway.push_status(_NOTHING))
    if terms.enrollment and not terms.enrollment_url:
        yield _examine_right(application, "enrolment", lambda: gateway.enroll_status(_NOBODY, _NOTHING))
    return True


def _examine_preauth(application: Application, gateway: DuoGateway) -> Finding:
    try:
        preauth = gateway.preauth(_stranger(), "")
    except DuoFailure as failure:
        return explain(failure, application.auth).finding(application.part, "preauth")
    return judge_stranger(application.part, preauth, application.terms)


def _examine_right(application: Application, examined: str, call: Callable[[], object]) -> Finding:
    """Say whether a call is allowed, by one about something that does not exist."""
    try:
        call()
    except DuoFailure as failure:
        # Whoever may not make the call is not told that there is no such thing.
        if code_of(failure.message) // 100 != 400:
            return explain(failure, application.auth).finding(application.part, examined)
    return application.part.ok(examined, "Duo lets these keys do that")


def _examine_person(application: Application, gateway: DuoGateway, user: str) -> Finding:
    try:
        preauth = gateway.preauth(user, "")
    except DuoFailure as failure:
        return explain(failure, application.auth).finding(application.part, f"user {user}")
    return judge_person(application.part, user, preauth, application.terms)


def _examine_prompt(application: Application, gateway: DuoGateway, http: HttpClient) -> Finding:
    part, keys, examined = application.part, application.prompt, "prompt"
    health = gateway.health()
    if health.ok:
        return part.ok(examined, "Duo takes the keys for its own page")
    if health.detail == "clock":
        return clocks_apart().finding(part, examined)
    if health.detail != "keys":
        return explained(health.detail, code_of(health.message), keys).finding(part, examined)
    # Of its own page Duo says "invalid_client", whatever is wrong. What it says of a signed call is exact.
    universal, api_host = application.duo.universal, application.duo.api_host
    try:
        AuthApi(universal.client_id, universal.client_secret.get_secret_value(), api_host, http).check()
    except DuoFailure as failure:
        if failure.detail != "rights":
            return explain(failure, keys).finding(part, examined)
    found = "Duo takes the keys, and refuses them for its own page"
    return wrong_kind_of_application(keys, found).finding(part, examined)


def _examine_admin_api(application: Application, section: AdminApiKeys, http: HttpClient) -> Finding:
    api = AdminApi(
        section.integration_key,
        section.secret_key.get_secret_value(),
        application.duo.api_host,
        http,
        breaker=Breaker("duo admin api"),
        bulkhead=Bulkhead("duo admin api", 1),
    )
    try:
        api.find_account(_stranger())
    except DuoFailure as failure:
        return explain(failure, admin_keys(application)).finding(application.part, "Admin API")
    found = "Duo takes the keys for reading; whether they may write as well, only an enrolment shows"
    return application.part.ok("Admin API", found)


def _unusable(settings: Settings, failure: UpstreamMisconfigured) -> Finding:
    setting, file = own_authorities(settings)
    cause, remedy = str(failure), "see the examination of the settings"
    if failure.detail == "ca_file":
        cause = f"{file} is missing, damaged, or holds something else than certificates"
        remedy = f"correct {setting}"
    return Part("Duo").fault("section duo", f"cannot be used ({failure.detail})", failure.detail, cause, remedy)


def _left_out(application: Application) -> Finding:
    cause = "there is no talking to Duo; see above"
    return application.part.attention("keys", "were not examined", "not_examined", cause)


def _stranger() -> str:
    return f"casduo-doctor-{secrets.token_hex(8)}"


def _auth_api(application: Application, http: HttpClient) -> AuthApi:
    key, secret = application.duo.auth_keys
    return AuthApi(key, secret.get_secret_value(), application.duo.api_host, http)


def _http_settings(settings: Settings, duo: DuoSettings) -> HttpSettings:
    return HttpSettings(
        connect_timeout=duo.connect_timeout,
        read_timeout=duo.read_timeout,
        deadline=duo.connect_timeout + duo.read_timeout,
        ca_file=PINNED_CA_FILE,
        extra_ca_file=own_authorities(settings)[1] or None,
        proxy=duo.proxy.get_secret_value() if duo.proxy else None,
    )
