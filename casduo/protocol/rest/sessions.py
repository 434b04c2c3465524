"""What the addresses of the REST protocol do: sign in, get a ticket, look at one, sign out, ask who somebody is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from casduo.events.journal import Journal
from casduo.events.model import SignedIn, SignedOut, SignInRefused, TicketGranted, TicketLoop
from casduo.mfa.duo.reports import Reports
from casduo.mfa.strength import NO_STRENGTH, Strength
from casduo.protocol.entitlement import EntitlementRules, Standings
from casduo.protocol.rest import checks
from casduo.protocol.rest.call import RestCall
from casduo.protocol.rest.clients import RestClient, RestClients
from casduo.protocol.rest.errors import (
    NoSuchTicket,
    RestError,
    ServiceForbidden,
    Throttled,
    TicketsInARow,
    UnknownClient,
    WrongCredentials,
)
from casduo.protocol.rest.factors import SecondFactor
from casduo.protocol.rest.forms import RestForm
from casduo.protocol.rest.passwords import Passwords
from casduo.services.index import RegistrySource
from casduo.services.pairwise import PairwiseIds
from casduo.services.release import Released, UsernameUnfit, release
from casduo.store import Batch, Store
from casduo.throttling import LoginThrottle
from casduo.tickets.ids import TicketId, TicketKind
from casduo.tickets.model import Permit, TicketGrantingTicket
from casduo.tickets.registry import Grant, TicketRegistry

_STRANGERS = ""
"""Whose failures are counted where no program is known; no person has this name."""


class RestProtocol:
    """The REST protocol over one registry of tickets.

    :param rules: as for validation
    :param pairwise: makes the names of services that want pairwise ids
    """

    def __init__(
        self,
        clients: RestClients,
        passwords: Passwords,
        factor: SecondFactor,
        services: RegistrySource,
        tickets: TicketRegistry,
        store: Store,
        throttle: LoginThrottle,
        rules: EntitlementRules,
        journal: Journal,
        reports: Reports,
        standings: Standings,
        pairwise: PairwiseIds | None = None,
    ) -> None:
        self._clients = clients
        self._passwords = passwords
        self._factor = factor
        self._services = services
        self._tickets = tickets
        self._store = store
        self._throttle = throttle
        self._rules = rules
        self._journal = journal
        self._reports = reports
        self._standings = standings
        self._pairwise = pairwise

    def admit(self, authorization: str, address: str, now: float) -> RestClient:
        """Return which program calls. A known one costs no round trip.

        :param authorization: the header
        :raises UnknownClient: nobody that may
        :raises Throttled: the same, too often from this address
        """
        try:
            return self._clients.identify(authorization, address)
        except UnknownClient as stranger:
            batch = self._store.batch()
            verdict = self._throttle.fail(batch, _STRANGERS, address, now)
            batch.run()
            if verdict.wait:
                raise Throttled(stranger.why, wait=verdict.wait) from None
            raise

    def sign_in(self, call: RestCall, form: RestForm) -> TicketId:
        """Open a session for a password, and what Duo says if that is asked for. Two round trips without Duo.

        With a service everything that stands between the session and a ticket for it is looked at before; where there
        would be none, there is no session either.

        :raises RestError: why not
        """
        form.require_credentials()
        with self._writes() as batch:
            session, _ = self._authenticated(call, form, batch)
            opened = self._tickets.open_session(batch, session, call.now)
            self._journal.write(SignedIn(call.subject, handler=session.handler), batch)
            batch.run()
        return opened.id

    def who(self, call: RestCall, form: RestForm) -> Released:
        """Say who somebody is, without a session: to a service what it would be told of the person, to nobody in
        particular the id alone.

        :raises RestError: why not
        """
        form.require_credentials()
        with self._writes() as batch:
            session, asked = self._authenticated(call, form, batch)
            batch.run()
        self._journal.write(SignedIn(call.subject, handler=session.handler))
        if asked is None:
            return Released(session.principal_id, {})
        try:
            return release(asked.entry, session.principal_id, session.attributes, pairwise=self._pairwise)
        except UsernameUnfit as error:
            raise ServiceForbidden(str(error), asked.host) from error

    def grant(self, call: RestCall, ticket: TicketId, form: RestForm) -> TicketId:
        """Grant a service ticket on a session. Two round trips, one more for a password, and some more for Duo.

        With ``renew`` the password is asked for anew, Duo as well where it is owed, and the ticket is primary.

        :raises RestError: why not
        """
        form.require_service()
        if form.renew:
            form.require_credentials()
        self._factor.look(call, form)
        asked = checks.find_service(form.service, call.client, self._services.current())
        call.service = asked.entry.id
        session = self._tickets.find_session(ticket)
        if session is None:
            raise NoSuchTicket()
        call.principal = session.principal_id
        checks.check_person(asked, session, call.address, call.now, self._rules)
        with self._writes() as batch:
            if form.renew:
                self._renew(call, form, session, asked, batch)
            else:
                checks.check_freshness(asked, session, call.now)
            strength = NO_STRENGTH if form.renew else session.strength
            if form.second_factor:
                strength = self._factor.check(call, asked, form, batch)
                self._tickets.raise_strength(batch, ticket, strength)
            self._check_duo(call, asked, session, strength, batch)
            permit = checks.check_approval(asked, session, call.now, self._standings)
            return self._granted(call, ticket, asked, batch, permit, primary=form.renew)

    def is_alive(self, ticket: TicketId) -> bool:
        """Say whether a ticket could still be used. One round trip; the ticket is not used up."""
        return self._tickets.is_alive(ticket)

    def sign_out(self, call: RestCall, ticket: TicketId) -> None:
        """End a session, if there is one, and tell the services it led to. No other ticket is ended by this."""
        if ticket.kind is not TicketKind.TICKET_GRANTING:
            return
        batch = self._store.batch()
        closing = self._tickets.close_session(batch, ticket.name, "rest", call.now)
        batch.run()
        if closing.closed:
            self._tickets.unindex(batch, closing.principal_id, ticket.name)
            call.principal = closing.principal_id
            self._journal.write(SignedOut(call.subject, cause="rest"), batch)
            batch.run()

    @contextmanager
    def _writes(self) -> Iterator[Batch]:
        """Give a batch that is run after a refusal too: it may hold the failure that is to be counted."""
        batch = self._store.batch()
        try:
            yield batch
        except RestError:
            batch.run()
            raise

    def _authenticated(
        self, call: RestCall, form: RestForm, batch: Batch
    ) -> tuple[TicketGrantingTicket, checks.AskedService | None]:
        """Check the credentials of a form, and everything else that its service wants of the person if it names one."""
        self._factor.look(call, form)
        asked = None
        if form.service.strip():
            asked = checks.find_service(form.service, call.client, self._services.current())
            call.service = asked.entry.id
        found = self._passwords.check_password(call, form, batch, asked.entry.authentication if asked else ())
        session = TicketGrantingTicket(
            principal_id=found.principal.id,
            attributes=dict(found.principal.attributes),
            handler=found.handler,
            authenticated_at=call.now,
            address=call.address,
            agent=call.agent,
        )
        if asked is not None:
            checks.check_person(asked, session, call.address, call.now, self._rules)
        if form.second_factor:
            session = replace(session, strength=self._factor.check(call, asked, form, batch))
        if asked is not None:
            self._check_duo(call, asked, session, session.strength, batch)
            checks.check_approval(asked, session, call.now, self._standings)
        return session, asked

    def _check_duo(
        self,
        call: RestCall,
        asked: checks.AskedService,
        session: TicketGrantingTicket,
        strength: Strength,
        batch: Batch,
    ) -> None:
        """Insist on Duo where it is owed; where it would be, if the roll-out were further, have the worker ask."""
        decision = checks.check_duo(asked, session, strength, call.now, self._rules)
        if decision.reported:
            application = self._rules.duo.terms(asked.entry.duo_rule).application
            self._reports.add(batch, session.principal_id, asked.entry.id, application, "", decision.reasons)

    def _renew(
        self, call: RestCall, form: RestForm, session: TicketGrantingTicket, asked: checks.AskedService, batch: Batch
    ) -> None:
        """Check the password of the person whose session it is."""
        found = self._passwords.check_password(call, form, batch, asked.entry.authentication)
        if found.principal.id != session.principal_id:
            self._journal.write(SignInRefused(call.subject, reason="other_user", handler=found.handler))
            raise WrongCredentials("other_user")

    def _granted(
        self,
        call: RestCall,
        ticket: TicketId,
        asked: checks.AskedService,
        batch: Batch,
        permit: Permit | None,
        *,
        primary: bool,
    ) -> TicketId:
        granting = self._tickets.grant_service_ticket(
            batch,
            ticket,
            asked.text,
            asked.entry.id,
            primary=primary,
            now=call.now,
            address=call.address,
            permit=permit,
        )
        granted = TicketGranted(call.subject, ticket=granting.id.masked, primary=primary)
        self._journal.attach(granted, batch, granting.id.key)
        batch.run()
        if granting.outcome is Grant.LOOPING:
            self._journal.write(TicketLoop(call.subject, host=asked.host))
            raise TicketsInARow()
        if granting.outcome is Grant.ENDED:
            raise NoSuchTicket()
        self._journal.note(granted)
        return granting.id
