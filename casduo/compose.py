"""Puts the server together from its settings: the one place that knows every implementation."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from casduo import settings as configured
from casduo.account.history import HistoryJournal, SignInHistory
from casduo.admin.build import build_admin
from casduo.app import Application, Wsgi, behind_proxies
from casduo.approvals.build import build_requests
from casduo.authentication.authenticator import Authenticator
from casduo.authentication.build import build_handlers
from casduo.bodies import Bodies
from casduo.clock import Clock, system_clock
from casduo.csrf import CsrfTokens
from casduo.diagnosis.health import HealthReports
from casduo.diagnosis.readiness import PATIENCE, Readiness
from casduo.endpoints.base import Phones, Server, ValidationSettings
from casduo.enrollment.build import build_enrollment
from casduo.enrollment.links import EnrollmentLinks
from casduo.events.journal import Journal, LogJournal
from casduo.events.readers import events_to, readers_of
from casduo.events.registry_news import RegistryNews
from casduo.events.stream import EventStream
from casduo.metrics.build import Measuring, begin_measuring
from casduo.mfa.duo.applications import build_applications
from casduo.mfa.duo.passcodes import Passcodes
from casduo.mfa.duo.pushes import Pushes, PushLimits
from casduo.mfa.duo.reports import Reports
from casduo.mfa.trust import TrustedBrowsers
from casduo.nodes.announcing import Announcer, Presence, node_name
from casduo.parts import Parts
from casduo.paths import views_directory
from casduo.phone.addresses import PhoneAddresses
from casduo.phone.build import build_phone_rules, pin_throttle
from casduo.phone.locks import DeviceLocks
from casduo.phone.open_logins import OpenLogins
from casduo.phone.runs import Runs
from casduo.phone.timers import LogoutTimers
from casduo.phone.tokens import PhoneTokens
from casduo.protocol.callback import ProxyCallback, build_client
from casduo.protocol.entitlement import EntitlementRules
from casduo.protocol.failures import FailureLog
from casduo.protocol.proxy import Proxying
from casduo.protocol.rest.build import build_rest
from casduo.protocol.validation import Validator
from casduo.requestlog import RequestLog
from casduo.services.pairwise import PairwiseIds
from casduo.services.watch import RegistrySource
from casduo.settings import Settings
from casduo.signing import Signing
from casduo.store import Store
from casduo.store.breakers import RedisBreakerMemory
from casduo.store.embedded import EmbeddedValkey
from casduo.store.later import LaterWrites
from casduo.store.opening import embedded_valkey, open_store
from casduo.terms import login_rules
from casduo.throttling import Limit, LoginThrottle
from casduo.tickets.answers import SignOutAnswers
from casduo.tickets.ledger import Ledger
from casduo.tickets.registry import Lifetimes, TicketRegistry
from casduo.ucm.absent import NoUcm
from casduo.ucm.build import Ucm, build_ucm
from casduo.web import Link, Site, Web
from casduo.webex.hook import build_hook
from casduo.webex.upkeep import wanted_webhook
from casduo.webflow.actions import FUNCTIONS
from casduo.webflow.engine import Engine
from casduo.webflow.execution import Executions
from casduo.webflow.flows import FLOWS, PHONE_FLOWS
from casduo.webflow.stands import FlowStands
from casduo.webflow.transactions import Transactions
from casduo.weblook import build_look
from casduo.worker.heartbeat import worker_alive

if TYPE_CHECKING:
    from casduo.metrics.scraping import Scrape

_log = structlog.get_logger("casduo")
_PROBES = 4
"""Connections to Redis for those who watch over the server."""
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(slots=True)
class Composed:
    """A server ready to answer. ``wsgi`` is what a WSGI server runs; ``close`` gives everything back."""

    application: Application
    wsgi: Wsgi
    parts: Parts
    embedded: EmbeddedValkey | None
    announcer: Announcer
    measuring: Measuring | None
    probing: Store

    def close(self) -> None:
        """Stop watching, disconnect, and stop the embedded Valkey if it is ours."""
        self.announcer.stop()
        self.application.server.phones.runs.close()
        self.parts.services.stop()
        self.parts.later.stop()
        self.parts.events.stop()
        self.parts.authenticator.close()
        self.parts.pin_authenticator.close()
        if self.measuring is not None:
            self.measuring.stop()
        self.parts.store.close()
        self.probing.close()
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
    measuring = begin_measuring(settings, "server")
    keys, said = configured.ensure_secret_key(settings)
    if said:
        _log.warning("secret_key", advice=said)
    services = RegistrySource(settings.registry, settings, clock)
    services.listen(lambda event, facts: _log.warning(event, **facts))
    if measuring is not None:
        measuring.follow(services)
    embedded = embedded_valkey(settings)
    if embedded is not None:
        embedded.start()
    rules = login_rules(settings)
    signing = Signing(keys, clock)
    # Fewer connections than threads would make threads wait for each other; what phones ask for has threads of its own.
    store = open_store(settings, embedded, 2 * settings.server.threads + 8)
    # Who probes waits for less than people do, and must not be told later than them that Redis is away.
    probing = open_store(settings, embedded, _PROBES, PATIENCE)
    tickets = TicketRegistry(
        store,
        Lifetimes(
            settings.session.lifetime,
            settings.session.idle,
            settings.tickets.service_ticket,
            settings.session.remember_me.lifetime,
            settings.session.remember_me.idle,
        ),
        any_case=settings.login.username_case == "lower",
    )
    later = LaterWrites(store)
    events = EventStream(store, clock)
    services.listen(RegistryNews(store, events, settings.registry))
    history = SignInHistory(store)
    approvals = build_requests(settings, store)
    pairwise = _pairwise_ids(settings)
    if any(entry.pairwise_id for entry in services.current().services):
        pairwise.prepare()
    entitlement = EntitlementRules(rules.group_attributes, rules.duo)
    throttle = _throttle(settings)
    push = settings.duo.push if settings.duo else configured.PushSettings()
    breakers = RedisBreakerMemory(store)
    ucm = build_ucm(settings, clock, breakers)
    checking, places = build_handlers(settings, ucm), max(1, settings.server.threads // 2)
    phone_rules = build_phone_rules(settings, ucm)
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
        proxying=Proxying(tickets, entitlement, approvals.standing),
        # A PIN of four digits is for phones, where few tries are allowed.
        authenticator=Authenticator([one for one in checking if one.name not in phone_rules.pin_handlers], places),
        throttle=throttle,
        duo=build_applications(settings, clock, breakers),
        passcodes=Passcodes(throttle),
        pushes=Pushes(store, worker_alive, PushLimits(push.most, push.window)),
        reports=Reports(store),
        trusted=TrustedBrowsers(store, signing),
        approvals=approvals,
        links=EnrollmentLinks(signing, rules.base, settings.server.url, settings.enrollment.link_lifetime),
        stands=FlowStands(store),
        phone_rules=phone_rules,
        phone_addresses=PhoneAddresses(store, settings.phones.registered_address_age),
        pin_authenticator=Authenticator(checking, places),
        pins=pin_throttle(settings, _limit(settings.throttling.login_address)),
        user_directory=ucm.directory if ucm is not None else NoUcm(),
        phone_logins=ucm.logins if ucm is not None else NoUcm(),
        device_locks=DeviceLocks(store),
        open_logins=OpenLogins(phone_rules.transaction_lifetime),
        logout_timers=LogoutTimers(store),
        events=events,
        history=history,
        journal=HistoryJournal(events_to(_journal(journal, measuring), events, settings), history, later.add, clock),
    )
    url = urlsplit(settings.server.url)
    site = _site(settings, rules.base)
    web = Web(
        site,
        views_directory(),
        secure=url.scheme == "https",
        languages=settings.pages.languages,
        language=settings.pages.own_language,
        look=build_look(settings.pages),
        local=url.hostname in _LOCAL,
        subdomains=settings.server.hsts_subdomains,
    )
    engine = Engine(FLOWS, FUNCTIONS, parts)
    executions = Executions(engine, signing, store, rules)
    lifetime = phone_rules.transaction_lifetime
    transactions = Transactions(PHONE_FLOWS, engine, signing, store, rules, lifetime)
    server = Server(
        web,
        parts,
        executions,
        ValidationSettings(settings.validation.cas2_attributes),
        _health(settings, parts, ucm),
        Readiness(probing.ping, services, parts.authenticator.reachable, clock),
        Phones(transactions, PhoneTokens(signing, lifetime), Runs(settings.server.threads), phone_rules.refresh),
        build_rest(settings, parts, entitlement, pairwise),
        build_enrollment(settings, store, parts.duo, parts.journal, clock),
        build_hook(settings.webex, store, parts.journal),
        build_admin(settings, store, tickets, clock),
        _scrape(settings, measuring, services, probing),
    )
    requests = RequestLog(
        written=settings.log.requests,
        header=settings.log.request_id_header if settings.server.trusted_proxies else "",
        propagate=settings.log.propagate,
    )
    bodies = Bodies(max(1, settings.server.threads // 2))
    application = Application(server, f"{url.scheme}://{url.netloc}", site.change_password_url, requests, bodies.read)
    wsgi = behind_proxies(application, settings.server.trusted_proxies)
    announcer = Announcer(store, Presence(node_name(os.environ), "server", services, clock), services)
    if watch:
        announcer.start()
        if measuring is not None:
            measuring.publisher.start()
        services.start()
        later.start()
        events.start()
    return Composed(application, wsgi, parts, embedded, announcer, measuring, probing)


def _journal(journal: Journal | None, measuring: Measuring | None) -> Journal:
    written = journal if journal is not None else LogJournal()
    return measuring.counted(written) if measuring is not None else written


def _scrape(settings: Settings, measuring: Measuring | None, services: RegistrySource, probing: Store) -> Scrape | None:
    if measuring is None:
        return None
    # Not before it is known where the numbers go: see casduo.metrics.build.
    from casduo.metrics.depths import read_depths
    from casduo.metrics.scraping import Scrape

    readers = readers_of(settings)
    return Scrape(
        measuring.meter,
        measuring.directory,
        services,
        lambda: read_depths(probing, readers),
        settings.metrics.networks,
    )


def _health(settings: Settings, parts: Parts, ucm: Ucm | None) -> HealthReports:
    return HealthReports(
        settings.health.networks,
        parts.store,
        parts.services,
        {name: parts.duo.of(name) for name in parts.duo.names},
        parts.clock,
        directories=parts.authenticator.servers,
        ucm_nodes=ucm.nodes if ucm is not None else (),
        started_by_server=settings.server.worker,
        readers=readers_of(settings),
        webhook=wanted_webhook(settings),
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


def _throttle(settings: Settings) -> LoginThrottle:
    limits = settings.throttling
    return LoginThrottle(_limit(limits.login_user), _limit(limits.login_address), _limit(limits.login_pair))


def _limit(limit: configured.Limit) -> Limit:
    return Limit(limit.failures, limit.window, limit.pause, limit.max_pause)


def _site(settings: Settings, base: str) -> Site:
    pages, login = settings.pages, settings.login
    return Site(
        base=base,
        organisation=pages.organisation,
        logo_alt=pages.logo_alt or "",
        help_text=pages.help_text or "",
        help_url=pages.help_url or "",
        privacy_url=pages.privacy_url or "",
        footer_links=tuple(Link(link.text, link.url) for link in pages.footer_links),
        scheme=pages.scheme,
        forgot_password_url=login.forgot_password_url or "",
        change_password_url=login.change_password_url or "",
    )
