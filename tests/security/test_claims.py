"""The whole login flow against a model of who may hold what: several people, browsers and nodes, in whatever order.

``CASDUO_CLAIMS=500 pytest tests/security/test_claims.py`` runs that many walks of chance instead of a few fixed ones.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from casduo.compose import compose
from casduo.settings import load_settings
from casduo.simulators.certificates import LeafFiles
from casduo.simulators.duo import DuoSimulator
from casduo.store import Store
from tests.security.claims import SERVICES, SETTINGS, STEPS, Form, Granting, Prompt, Session, Ticket, World
from tests.security.pocket import Pocket, csrf_in, login_key, tickets_in
from tests.support.portal import Portal, ask_proxy, trusting
from tests.support.raw import Answer
from tests.support.site import PASSWORDS, Recorder, SetClock, Site, write_site
from tests.support.wires import WIRES, Wire

PROXIES = WIRES[7]
"""The endpoint of CAS 3 for all tickets."""
BROWSERS = 3
NODES = 2
PEOPLE = sorted(PASSWORDS)
Thing = TypeVar("Thing")
_ENOUGH_FAILURES = 3
"""Wrong passwords after which nothing is expected of a right one: the limits have tests of their own."""

browsers = st.integers(0, BROWSERS - 1)
people = st.sampled_from(PEOPLE)
services = st.sampled_from(["portal", "payroll", "wiki", *SERVICES])
lately = st.integers(1, 5)
"""Which of the things that were given out, counted from the last one: mostly one of which something is left."""
methods = st.sampled_from(["", "POST", "HEADER"])
sometimes = st.sampled_from([False, False, False, True])


class Place:
    """Nodes of one installation on one Redis, with a clock that moves for all of it, and what they talk to."""

    def __init__(
        self, directory: Path, store: Store, redis_url: str, duo: DuoSimulator, portal: Portal, more: str
    ) -> None:
        self.directory, self.store, self.duo, self.portal = directory, store, duo, portal
        self.clock = SetClock(float(int(time.time())))
        self.seen: Counter[str] = Counter()
        self.file = write_site(directory, redis_url, World(portal.callback).registry(), SETTINGS + more)
        self.nodes = [self.start() for _ in range(NODES)]

    def start(self) -> Site:
        journal = Recorder()
        composed = compose(load_settings(self.file, {}), clock=self.clock, journal=journal, watch=False)
        return Site(composed, self.clock, journal, self.file)

    def replace_node(self, number: int) -> None:
        """A node goes, with all that it had in mind, and another one comes."""
        self.nodes[number].composed.close()
        self.nodes[number] = self.start()

    def read(self, world: World) -> None:
        """Have all nodes read the registry as it is now."""
        (self.directory / "registry.yaml").write_text(world.registry(), encoding="utf-8")
        for node in self.nodes:
            node.composed.parts.services.poll()

    def age(self, seconds: int) -> None:
        """Let time pass: for the clock, and for what Redis keeps by its own."""
        self.clock.advance(seconds)
        for key in self.store.command("KEYS", "*"):
            left = self.store.command("PTTL", key)
            if self.store.command("TYPE", key) == "hash" and (hard := self.store.command("HGET", key, "hard")):
                self.store.command("HSET", key, "hard", int(hard) - seconds * 1000)
            if left > 0:
                self.store.command("PEXPIRE", key, left - seconds * 1000)

    def close(self) -> None:
        for node in self.nodes:
            node.composed.close()


@pytest.fixture
def place(
    tmp_path: Path,
    store: Store,
    valkey_url: str,
    duo: DuoSimulator,
    duo_settings: str,
    portal: Portal,
    trusted: LeafFiles,
) -> Iterator[Place]:
    found = Place(tmp_path, store, valkey_url, duo, portal, duo_settings + trusting(trusted))
    yield found
    found.close()


class Claims(RuleBasedStateMachine):
    """People, browsers, applications and thieves at two nodes of one installation."""

    place: Place

    def __init__(self) -> None:
        super().__init__()
        self.turns = 0
        self.place.store.command("FLUSHALL")
        self.place.clock.now = float(int(time.time()))
        self.place.portal.forget()
        self.place.duo.faults.clear()
        self.world = World(self.place.portal.callback)
        self.place.read(self.world)
        self.pockets = [Pocket(f"192.0.2.{number}") for number in range(1, BROWSERS + 1)]
        self.failures = dict.fromkeys(PEOPLE, 0)

    @property
    def node(self) -> Site:
        """The node that answers next: each in turn, without stickiness. Time goes on from request to request."""
        self.turns += 1
        self.place.clock.advance(1)
        return self.place.nodes[self.turns % NODES]

    # -- people at browsers

    @initialize(names=st.tuples(*[people] * BROWSERS), wanted=st.tuples(*[services] * BROWSERS))
    def the_day_begins(self, names: tuple[str, ...], wanted: tuple[str, ...]) -> None:
        for who, (name, service) in enumerate(zip(names, wanted, strict=True)):
            self.signs_in(who, name, service)

    @rule(
        who=browsers,
        service=services,
        renew=sometimes,
        gateway=sometimes,
        method=st.sampled_from(["", "POST", "HEADER"]),
    )
    def opens(self, who: int, service: str, renew: bool, gateway: bool, method: str) -> None:
        pocket, world = self.pockets[who], self.world
        session = world.live(pocket.session)
        asked = {"service": SERVICES[service], "renew": "true" if renew else "", "method": method}
        asked["gateway"] = "true" if gateway else ""
        answer = pocket.go(self.node, "/login", {name: value for name, value in asked.items() if value})
        self.look(pocket, answer, service, renew=renew)
        if not world.known(service):
            assert answer.status == 403
        elif renew or session is None:
            assert bool(login_key(answer)) != (gateway and not renew), answer
        elif world.open_to(session.owner, service) and world.paid(session, service):
            assert tickets_in(answer)

    @precondition(lambda self: self.world.forms)
    @rule(who=browsers, which=lately, name=people, secret=st.sampled_from(["own", "own", "own", "wrong", "another's"]))
    def submits(self, who: int, which: int, name: str, secret: str) -> None:
        """Any form from any browser: one that was sent before, or that another browser was shown."""
        world, pocket = self.world, self.pockets[who]
        form = self.pick(list(world.forms.values()), which)
        self.sends(pocket, form, name, secret)

    @rule(who=browsers, name=people, service=services)
    def signs_in(self, who: int, name: str, service: str) -> None:
        """As people mostly do: the form of this browser, at once, with the right password."""
        pocket, known = self.pockets[who], set(self.world.forms)
        self.look(pocket, pocket.go(self.node, "/login", {"service": SERVICES[service]}), service)
        waiting = len(self.world.prompts)
        for key in self.world.forms.keys() - known:
            self.sends(pocket, self.world.forms[key], name, "own")
        for prompt in self.world.prompts[waiting:]:
            if name != "linus":
                self.comes_back(pocket, prompt, "allow")

    def sends(self, pocket: Pocket, form: Form, name: str, secret: str) -> None:
        world = self.world
        another = PEOPLE[(PEOPLE.index(name) + 1) % len(PEOPLE)]
        password = {"own": PASSWORDS[name], "wrong": "wrong", "another's": PASSWORDS[another]}[secret]
        good, known = world.form_is_good(form, pocket.mark), world.known(form.service)
        right = secret == "own"
        before = pocket.session
        fields = {"execution": form.key, "username": name, "password": password, "service": SERVICES[form.service]}
        # The form repeats what was asked for, for a server that has forgotten, or does not believe, its key.
        fields |= {"renew": "true"} if form.renew else {}
        answer = pocket.ask(self.node, "/login", form=fields)
        proved = name if good and known and right else ""
        if pocket.session != before or tickets_in(answer):
            # The answer itself, before the browser goes on: what it brings has to come of this very form.
            self.look(pocket, answer, form.service, proved=proved, before=before, renew=form.renew)
        if good and known:
            form.used = True
            self.failures[name] += not right
        # Duo is asked of a person only behind their password.
        self.look(pocket, self.follow(pocket, answer), form.service, proved=proved, before=before, renew=form.renew)
        if proved and self.failures[name] <= _ENOUGH_FAILURES:
            gone = pocket.session not in ("", before)
            assert gone or self.asked_by_duo(answer), answer
            self.failures[name] = 0

    @precondition(lambda self: self.world.prompts)
    @rule(who=browsers, which=lately, says=st.sampled_from(["allow", "allow", "deny"]))
    def returns_from_duo(self, who: int, which: int, says: str) -> None:
        """The way back from Duo's page in any browser, once or again."""
        self.comes_back(self.pockets[who], self.pick(self.world.prompts, which), says)

    def comes_back(self, pocket: Pocket, prompt: Prompt, says: str) -> None:
        world = self.world
        way = prompt.way = prompt.way or urlsplit(self.place.duo.visit_prompt(prompt.address)).query
        if says == "deny":
            self.place.duo.faults.id_token = "result_deny"
        good = world.prompt_is_good(prompt, pocket.mark)
        before = pocket.session
        answer = pocket.ask(self.node, "/duo/callback", way)
        self.place.duo.faults.clear()
        if pocket.mark == prompt.mark:
            prompt.used = True
        proved = prompt.owner if good and prompt.session is None else ""
        strong = good and says == "allow"
        if strong and prompt.session is not None and world.live(before) is prompt.session:
            prompt.session.duo = "yes"
            self.place.seen["session made stronger"] += 1
        self.look(pocket, answer, prompt.service, proved=proved, before=before, duo="yes" if strong else "")
        self.look(pocket, self.follow(pocket, answer), prompt.service)

    @rule(who=browsers, how=st.sampled_from(["here", "here", "everywhere", "by losing the cookie"]))
    def leaves(self, who: int, how: str) -> None:
        pocket = self.pockets[who]
        if how == "here":
            self.signs_out(pocket)
        elif how == "everywhere":
            self.signs_out_everywhere(pocket)
        else:
            pocket.session = ""

    def signs_out(self, pocket: Pocket) -> None:
        session = self.world.live(pocket.session)
        pocket.go(self.node, "/logout")
        assert pocket.session == ""
        if session is not None:
            session.ended = True

    def signs_out_everywhere(self, pocket: Pocket) -> None:
        session = self.world.live(pocket.session)
        page = pocket.go(self.node, "/login")
        if session is None:
            assert not csrf_in(page)
            return
        pocket.go(self.node, "/logout", form={"everywhere": "true", "csrf": csrf_in(page)})
        assert pocket.session == ""
        session.ended = True
        self.world.end_all(session.owner)

    # -- thieves

    @rule(thief=browsers, victim=browsers, what=st.sampled_from(["session", "mark", "old session"]), which=lately)
    def steals(self, thief: int, victim: int, what: str, which: int) -> None:
        """A cookie gets into another browser: the session's, the one that flows are bound to, or one of long ago."""
        if what == "mark":
            self.pockets[thief].mark = self.pockets[victim].mark
        elif what == "session":
            self.pockets[thief].session = self.pockets[victim].session
        elif self.world.sessions:
            self.pockets[thief].session = self.pick(list(self.world.sessions), which)

    # -- applications

    @precondition(lambda self: self.world.tickets)
    @rule(
        which=lately,
        service=st.sampled_from(["its own", "its own", "its own", "library", "payroll"]),
        wire=st.sampled_from(WIRES),
        renew=sometimes,
        proxying=st.booleans(),
    )
    def validates(self, which: int, service: str, wire: Wire, renew: bool, proxying: bool) -> None:
        ticket = self.pick(list(self.world.tickets.values()), which)
        named = ticket.service if service == "its own" else service
        self.validate(ticket, named, wire, renew=renew, proxying=proxying)

    def validate(
        self, ticket: Ticket, service: str, wire: Wire, *, renew: bool = False, proxying: bool = False
    ) -> None:
        world = self.world
        may = world.may_validate(ticket, service, renew=renew, proxies=wire.takes_proxy_tickets)
        proxying = proxying and wire.knows_proxies
        if proxying and service != "portal":
            may = False
        asked = {"service": SERVICES[service], "ticket": ticket.id}
        asked |= {"renew": "true"} if renew else {}
        asked |= {"pgtUrl": world.callback} if proxying else {}
        before = set(self.place.portal.granted.values())
        answer = wire.ask(self.node, asked)
        ticket.taken = True
        text = answer.body.decode()
        assert wire.accepts(answer) is may, (ticket, service, wire, text)
        kind = "proxy ticket" if ticket.proxied else "service ticket"
        self.place.seen[f"{kind} {'accepted' if may else 'refused'}"] += 1
        named = {name for name in PEOPLE if f">{name}<" in text or f'"{name}"' in text or f"\n{name}\n" in text}
        assert named == ({ticket.session.owner} if may else set())
        brought = set(self.place.portal.granted.values()) - before
        assert len(brought) == (proxying and may)
        if may and proxying:
            ticket.session.used = world.now
        world.grantings += [Granting(id_, ticket.session) for id_ in brought]

    @rule(who=browsers, name=people)
    def a_portal_is_let_act_for_somebody(self, who: int, name: str) -> None:
        known = set(self.world.tickets)
        self.signs_in(who, name, "portal")
        for id_ in self.world.tickets.keys() - known:
            self.validate(self.world.tickets[id_], "portal", PROXIES, proxying=True)

    @precondition(lambda self: self.world.grantings)
    @rule(which=lately, service=services)
    def asks_for_a_proxy_ticket(self, which: int, service: str) -> None:
        world = self.world
        granting = self.pick(world.grantings, which)
        answer = ask_proxy(self.node, {"pgt": granting.id, "targetService": SERVICES[service]})
        found = tickets_in(answer)
        assert bool(found) is world.may_proxy(granting, service), (granting, service, answer)
        self.place.seen[f"proxy ticket {'granted' if found else 'not granted'}"] += 1
        for id_ in found:
            granting.session.used = world.now
            world.tickets[id_] = Ticket(id_, service, granting.session, False, world.now)

    # -- administrators and time

    @rule(what=st.sampled_from(["enabled", "duo", "duo", "administrator", "node", *STEPS[:1] * 2, *STEPS]), name=people)
    def something_changes(self, what: str | int, name: str) -> None:
        """The registry, the time, an administrator who ends all sessions of somebody, or a node that is replaced."""
        world = self.world
        if isinstance(what, int):
            world.now += what
            self.place.age(what * 60)
            if what > STEPS[0]:
                self.failures = dict.fromkeys(PEOPLE, 0)
        elif what == "node":
            self.place.replace_node(self.turns % NODES)
        elif what == "administrator":
            node = self.node
            node.composed.parts.tickets.close_sessions_of(name, "administrator", node.clock())
            world.end_all(name)
        else:
            world.wiki_enabled ^= what == "enabled"
            world.wiki_duo ^= what == "duo"
            self.place.read(world)

    # -- what an answer brings

    def look(
        self,
        pocket: Pocket,
        answer: Answer,
        service: str,
        *,
        proved: str = "",
        before: str | None = None,
        duo: str = "",
        renew: bool = False,
    ) -> None:
        """Take note of what an answer brings, each piece of which somebody must have a claim to.

        :param proved: whose password was given with this request
        :param before: the cookie of the session with which the request came
        :param duo: what Duo said of them
        """
        world = self.world
        assert answer.status < 500, answer
        fresh = pocket.session not in ("", before) and pocket.session not in world.sessions
        if fresh:
            assert proved, "a session for which nobody gave a password"
            replaced = world.live(before or "")
            if replaced is not None:
                replaced.ended = True
            self.place.seen[f"session with {duo or 'password'}"] += 1
            world.sessions[pocket.session] = Session(pocket.session, proved, duo, world.now, world.now)
        for id_ in tickets_in(answer) - world.tickets.keys():
            session = world.live(pocket.session)
            assert session is not None, "a ticket without a session"
            assert id_.startswith("ST-")
            assert world.open_to(session.owner, service), "a ticket for what is not open to the person"
            assert fresh or not renew, "a ticket without the password that was asked for"
            if session.owner == "alan" and world.demands_duo(service) and not session.duo:
                session.duo = "passed"
            assert world.paid(session, service), "a ticket without Duo"
            session.used = world.now
            world.tickets[id_] = Ticket(id_, service, session, fresh, world.now)
        if key := login_key(answer):
            world.forms.setdefault(key, Form(key, pocket.mark, service, renew, world.now))
        if self.asked_by_duo(answer):
            session = world.live(pocket.session) if not proved else None
            owner = proved or (session.owner if session is not None else "")
            assert owner, "Duo is asked of somebody who is not signed in"
            address = answer.header("Location")
            assert parse_qs(urlsplit(address).query)
            if all(prompt.address != address for prompt in world.prompts):
                world.prompts.append(Prompt(address, pocket.mark, owner, service, session, world.now))

    def greets(self, pocket: Pocket, answer: Answer) -> None:
        """The page of the signed in names whose session it is, and nobody else."""
        session = self.world.live(pocket.session)
        text = answer.body.decode()
        named = {name for name in PEOPLE if f"{name.title()} L" in text}
        assert named == ({session.owner} if session is not None else set()), (session, named)
        self.look(pocket, answer, "library")

    def asked_by_duo(self, answer: Answer) -> bool:
        return answer.header("Location").startswith(self.place.duo.base_url)

    def follow(self, pocket: Pocket, answer: Answer) -> Answer:
        parts = urlsplit(answer.header("Location"))
        if parts.netloc or not parts.path.startswith("/cas/"):
            return answer
        return pocket.go(self.node, parts.path.removeprefix("/cas"), parts.query)

    @staticmethod
    def pick(things: list[Thing], which: int) -> Thing:
        return things[-min(which, len(things))]

    def teardown(self) -> None:
        """In the end everything that was given out is tried once more."""
        for pocket in self.pockets:
            self.greets(pocket, pocket.go(self.node, "/login"))
        for cookie in list(self.world.sessions):
            pocket = Pocket("192.0.2.99", cookie)
            self.greets(pocket, pocket.go(self.node, "/login"))
        for ticket in list(self.world.tickets.values()):
            self.validate(ticket, ticket.service, PROXIES)


LONG = int(os.environ.get("CASDUO_CLAIMS", "0"))
WALKS = settings(
    max_examples=LONG or 8,
    stateful_step_count=60 if LONG else 30,
    deadline=None,
    derandomize=not LONG,
    database=None,
    print_blob=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_nobody_ever_holds_what_they_have_no_claim_to(place: Place) -> None:
    """Any step of anybody in any order; a model says who may hold which session and which ticket."""

    class Here(Claims):
        pass

    Here.place = place
    run_state_machine_as_test(Here, settings=WALKS)
    print(dict(place.seen))
    # Walks in which nobody ever gets anywhere would prove nothing.
    assert place.seen["session with password"]
    assert place.seen["service ticket accepted"]
    assert place.seen["service ticket refused"]
