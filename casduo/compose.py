"""Puts the server together from its settings: the one place that knows every implementation."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog

from casduo import settings as configured
from casduo.app import Application, Wsgi, behind_proxies
from casduo.authentication.authenticator import Authenticator
from casduo.authentication.handler import AuthenticationHandler
from casduo.authentication.passwords import Argon2Settings
from casduo.authentication.users_file import UsersFileHandler, UsersFileSettings
from casduo.clock import Clock, system_clock
from casduo.csrf import CsrfTokens
from casduo.endpoints.base import Server, ValidationSettings
from casduo.events.journal import Journal, LogJournal
from casduo.mfa.duo.gateway import DuoGateway, NullDuoGateway
from casduo.mfa.duo.official import build_gateway
from casduo.mfa.duo.settings import DuoSettings
from casduo.parts import Parts
from casduo.paths import views_directory
from casduo.protocol.callback import ProxyCallback, build_client
from casduo.protocol.entitlement import EntitlementRules
from casduo.protocol.failures import FailureLog
from casduo.protocol.proxy import Proxying
from casduo.protocol.rest.clients import RestClients, rest_client
from casduo.protocol.rest.passwords import Passwords
from casduo.protocol.rest.sessions import RestProtocol
from casduo.protocol.validation import Validator
from casduo.rules import LoginRules
from casduo.services.pairwise import PairwiseIds
from casduo.services.watch import RegistrySource
from casduo.settings import Settings
from casduo.signing import Signing
from casduo.store.embedded import EmbeddedValkey
from casduo.store.later import LaterWrites
from casduo.store.opening import embedded_valkey, open_store
from casduo.throttling import Limit, LoginThrottle
from casduo.tickets.answers import SignOutAnswers
from casduo.tickets.ledger import Ledger
from casduo.tickets.registry import Lifetimes, TicketRegistry
from casduo.web import Site, Web
from casduo.webflow.actions import FUNCTIONS
from casduo.webflow.engine import Engine
from casduo.webflow.execution import Executions
from casduo.webflow.flows import FLOWS
from casduo.worker.heartbeat import worker_alive

_log = structlog.get_logger("casduo")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(slots=True)
class Composed:
    """A server ready to answer. ``wsgi`` is what a WSGI server runs; ``close`` gives everything back."""

    application: Application
    wsgi: Wsgi
    parts: Parts
    embedded: EmbeddedValkey | None

    def close(self) -> None:
        """Stop watching, disconnect, and stop the embedded Valkey if it is ours."""
        self.parts.services.stop()
        self.parts.later.stop()
        self.parts.authenticator.close()
        self.parts.store.close()
        if self.embedded is not None:
            self.embedded.stop()


def compose(
    settings: Settings, *, clock: Clock = system_clock, journal: Journal | None = None, watch: bool = True
) -> Composed:
    """Build the server that ``settings`` describe.

    :param settings: checked settings with ``server.url`` and at least one handler (``missing_to_serve``)
    :param clock: where the time comes from; tests set it
    :param journal: where events go, the log by default
    :param watch: whether to follow changes of the registry file
    :raises SettingsError: the registry cannot be used, or no signing key can be made
    :raises UpstreamUnavailable: the embedded Valkey does not start
    """
    assert settings.server.url is not None
    keys, said = configured.ensure_secret_key(settings)
    if said:
        _log.warning("secret_key", advice=said)
    services = RegistrySource(settings.registry, settings, clock)
    services.listen(lambda event, facts: _log.warning(event, **facts))
    embedded = embedded_valkey(settings)
    if embedded is not None:
        embedded.start()
    rules = login_rules(settings)
    signing = Signing(keys)
    # Half as many connections as threads would make threads wait for each other.
    store = open_store(settings, embedded, settings.server.threads + 8)
    tickets = TicketRegistry(
        store,
        Lifetimes(
            settings.session.lifetime,
            settings.session.idle,
            settings.tickets.service_ticket,
            settings.session.remember_me.lifetime,
            settings.session.remember_me.idle,
        ),
    )
    later = LaterWrites(store)
    pairwise = _pairwise_ids(settings)
    if any(entry.pairwise_id for entry in services.current().services):
        pairwise.prepare()
    entitlement = EntitlementRules(rules.group_attributes, rules.duo_fail)
    parts = Parts(
        clock=clock,
        rules=rules,
        signing=signing,
        csrf=CsrfTokens(signing),
        store=store,
        later=later,
        services=services,
        tickets=tickets,
        answers=SignOutAnswers(
            store, Ledger(store), worker_alive, settings.logout.wait, max(1, settings.server.threads // 4)
        ),
        validator=Validator(tickets, entitlement, _callback(settings, clock), later.add, pairwise),
        failures=FailureLog(store, later),
        proxying=Proxying(tickets, entitlement),
        authenticator=Authenticator(handlers(settings), max(1, settings.server.threads // 2)),
        throttle=_throttle(settings),
        duo=_duo(settings, clock),
        journal=journal if journal is not None else LogJournal(),
    )
    url = urlsplit(settings.server.url)
    site = _site(settings, rules.base)
    web = Web(
        site, views_directory(), secure=url.scheme == "https", logo=settings.pages.logo, local=url.hostname in _LOCAL
    )
    executions = Executions(Engine(FLOWS, FUNCTIONS, parts), signing, store, rules)
    server = Server(
        web,
        parts,
        executions,
        ValidationSettings(settings.validation.cas2_attributes),
        _rest(settings, parts, entitlement, pairwise),
    )
    application = Application(server, f"{url.scheme}://{url.netloc}", site.change_password_url)
    wsgi = behind_proxies(application, settings.server.trusted_proxies)
    if watch:
        services.start()
        later.start()
    return Composed(application, wsgi, parts, embedded)


def _rest(
    settings: Settings, parts: Parts, entitlement: EntitlementRules, pairwise: PairwiseIds
) -> RestProtocol | None:
    if not settings.rest.enabled:
        return None
    clients = (
        rest_client(client.name, client.key.get_secret_value() if client.key else "", client.networks, client.services)
        for client in settings.rest.clients
    )
    passwords = Passwords(parts.authenticator, parts.throttle, parts.duo, parts.journal, parts.rules.username_case)
    return RestProtocol(
        RestClients(clients),
        passwords,
        parts.services,
        parts.tickets,
        parts.store,
        parts.throttle,
        entitlement,
        parts.journal,
        pairwise,
    )


def _callback(settings: Settings, clock: Clock) -> ProxyCallback:
    client = build_client(str(settings.outbound.ca_file) if settings.outbound.ca_file else None)
    return ProxyCallback(client, max(1, settings.server.threads // 2), clock=clock)


def _pairwise_ids(settings: Settings) -> PairwiseIds:
    def key() -> str:
        found, said = configured.ensure_pairwise_key(settings)
        if said:
            _log.warning("pairwise_key", advice=said)
        return found

    return PairwiseIds(key)


def login_rules(settings: Settings) -> LoginRules:
    """Return what the settings say about logins."""
    login, logout, duo = settings.login, settings.logout, settings.duo
    return LoginRules(
        base=urlsplit(settings.server.url or "").path.rstrip("/"),
        form_lifetime=login.form_lifetime,
        flow_lifetime=login.flow_lifetime,
        session_lifetime=settings.session.lifetime,
        remember_me=settings.session.remember_me.enabled,
        remembered_lifetime=settings.session.remember_me.lifetime,
        username_case=login.username_case,
        group_attributes=tuple(login.group_attributes),
        duo_fail=duo.fail if duo else "closed",
        duo_accept_allow=duo.accept_preauth_allow if duo else False,
        duo_end_sessions_on_fraud=duo.end_sessions_on_fraud if duo else True,
        duo_enrollment_url=(duo.enrollment_url or "") if duo else "",
        logout_confirm=logout.confirm,
        logout_follow_service=logout.follow_service,
        logout_legacy_url=logout.legacy_url == "as_service",
    )


def handlers(settings: Settings) -> list[AuthenticationHandler]:
    """Return the stores of users that ``settings`` name, in order.

    :raises SettingsError: a users file cannot be used
    :raises UpstreamMisconfigured: a file that an LDAP handler needs cannot be read
    """
    return [_handler(handler, settings) for handler in settings.authentication if handler.type != "ucm_pin"]


def _handler(handler: configured.Handler, settings: Settings) -> AuthenticationHandler:
    if isinstance(handler, configured.UsersFileHandler):
        argon2 = Argon2Settings(handler.argon2.memory_kib, handler.argon2.time_cost, handler.argon2.parallelism)
        return UsersFileHandler(UsersFileSettings(handler.path, handler.name, argon2, handler.max_waiting or 0))
    assert isinstance(handler, configured.LdapHandler)
    # ldap3 takes a fifth of a second to import: only for those who use it.
    from casduo.authentication.ldap.handler import LdapHandler
    from casduo.authentication.ldap.settings import LdapSettings

    direct = handler.direct_bind_dn or ""
    return LdapHandler(
        LdapSettings(
            servers=tuple(handler.servers),
            base=handler.base or direct.partition(",")[2],
            name=handler.name,
            bind_dn=handler.bind_dn or "",
            bind_password=handler.bind_password.get_secret_value() if handler.bind_password else "",
            filter=handler.filter,
            scope="one" if handler.scope == "one_level" else "subtree",
            direct_bind_dn=direct,
            decoy_dn=handler.decoy_dn or "",
            start_tls=handler.start_tls,
            allow_plaintext=handler.allow_plaintext,
            ca_file=handler.ca_file or settings.outbound.ca_file,
            connect_timeout=handler.connect_timeout,
            receive_timeout=handler.receive_timeout,
            pool_size=handler.pool_size,
            attributes={name: tuple(names) for name, names in handler.attributes.items()},
            principal_attribute=handler.principal_attribute or "uid",
            vendor=handler.vendor,
            password_policy=handler.password_policy,
            max_waiting=handler.max_waiting or 0,
        )
    )


def _throttle(settings: Settings) -> LoginThrottle:
    limits = settings.throttling
    return LoginThrottle(_limit(limits.login_user), _limit(limits.login_address), _limit(limits.login_pair))


def _limit(limit: configured.Limit) -> Limit:
    return Limit(limit.failures, limit.window, limit.pause, limit.max_pause)


def _duo(settings: Settings, clock: Clock) -> DuoGateway:
    duo = settings.duo
    if duo is None:
        return NullDuoGateway()
    auth_api = duo.auth_api
    return build_gateway(
        DuoSettings(
            api_host=duo.api_host,
            client_id=duo.universal.client_id,
            client_secret=duo.universal.client_secret.get_secret_value(),
            redirect_uri=f"{(settings.server.url or '').rstrip('/')}/duo/callback",
            integration_key=auth_api.integration_key if auth_api else "",
            secret_key=auth_api.secret_key.get_secret_value() if auth_api else "",
            ca_file=str(duo.ca_file or settings.outbound.ca_file or "") or None,
            proxy=duo.proxy.get_secret_value() if duo.proxy else None,
            connect_timeout=duo.connect_timeout,
            read_timeout=duo.read_timeout,
            breaker_failures=duo.breaker.failures,
            breaker_pause=duo.breaker.pause,
            concurrency=max(1, settings.server.threads // 2),
        ),
        clock,
    )


def _site(settings: Settings, base: str) -> Site:
    pages, login = settings.pages, settings.login
    return Site(
        base=base,
        organisation=pages.organisation,
        logo_alt=pages.logo_alt or "",
        help_text=pages.help_text or "",
        help_url=pages.help_url or "",
        privacy_url=pages.privacy_url or "",
        accent_colour=pages.accent_colour or "",
        forgot_password_url=login.forgot_password_url or "",
        change_password_url=login.change_password_url or "",
    )
