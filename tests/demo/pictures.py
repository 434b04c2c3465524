"""Takes the pictures of the documents again: ``python -m tests.demo.pictures [FOLDER]``, into docs/images by default.

It starts the demo, gives it the services and people of a university, walks to each page and takes it, light, with a
fixed width and scale. Each picture is reduced to a palette: pages have few colours, and so all of them together stay
about a megabyte. Addresses are those that RFC 5737 keeps for documents.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from casduo.account.history import SignInHistory
from casduo.account.signins import SignIn
from casduo.agents import agent_words
from casduo.mfa.strength import Strength
from casduo.store import Store
from casduo.store.store import client_for
from casduo.tickets.model import TicketGrantingTicket
from casduo.tickets.registry import Lifetimes, TicketRegistry
from tests.conftest import CHROMIUM, CHROMIUM_ARGUMENTS
from tests.demo.calling import DUO_TITLE, RECEPTION, Caller
from tests.demo.critic import Critic
from tests.demo.newcomers import NEWCOMERS, PASSWORD, register
from tests.demo.running import DemoProcess, running
from tests.demo.walking import EDGE, FIREFOX, SAFARI, Walker

FOLDER: Final = Path(__file__).parents[2] / "docs/images"
COLOURS: Final = 48
"""Of a palette. Text needs most of them, for its edges."""
ALIKE: Final = 12
"""Squares of what colours differ by, together: up to here they look the same."""
NARROW: Final = {"width": 640, "height": 600}
WIDE: Final = {"width": 1200, "height": 700}
SCALE: Final = 1.5
PHONE: Final = 860
"""Points down to the lower end of the phone."""

SERVICES: Final = """
  # Lectures. Tutors come with a password, examiners with Duo.
  - id: moodle
    name: Moodle
    description: Courses, exercises and exams
    url: https://moodle.example.edu/**
    owner: e-learning@example.edu
    requires_duo: {when: {groups: [examiners]}}
    attributes: [mail, displayName, groups]

  # Marks and certificates: Duo, every eight hours.
  - id: student-records
    name: Student records
    description: Enrolment, marks and certificates
    url:
      - https://records.example.edu/**
      - https://exams.example.edu/**
    owner: registrar@example.edu
    requires_duo: {max_age: 8h}
    attributes: [mail, displayName, groups]

  - id: webmail
    name: Webmail
    description: Mail and calendar
    url: https://mail.example.edu/**
    attributes: [mail]

  - id: gitlab
    name: GitLab
    description: Source code of courses and research
    url: https://gitlab.example.edu/users/auth/cas/**
    requires_duo: {mode: optional}
    attributes: [mail, displayName]

  - id: jupyter
    name: JupyterHub
    description: Notebooks on the cluster
    url: https://jupyter.example.edu/hub/**
    attributes: [displayName]

  - id: old-library
    name: Library catalogue (until 2025)
    url: https://opac.example.edu/**
    enabled: false
    disabled_reason: The catalogue is part of Library now.

  - id: procurement
    name: Procurement
    description: Orders and invoices
    url: https://orders.example.edu/**
    requires_duo: true
    access: {groups: [staff], reason: Ordering is for staff.}

  # Behind the gateway, for those who keep the database.
  - id: student-database
    name: Student database
    description: Database of the registrar's office
    url: https://gateway.example.edu/targets/student-database
    owner: databases@example.edu
    requires_duo: true
    requires_approval: {approvers: [margaret@example.edu], max_duration: 2h}
    target: {host: db3.example.edu, ip: 172.16.200.53, account: oracle}
"""

SEATS: Final = (
    ("ada", ("moodle", "webmail"), EDGE, "192.0.2.41", "duo_push", 5200),
    ("ada", ("library",), SAFARI, "198.51.100.87", "", 2700),
    ("grace", ("library", "webmail", "moodle"), FIREFOX, "192.0.2.17", "", 4300),
    ("barbara", ("moodle", "gitlab"), EDGE, "192.0.2.63", "passcode", 3100),
    ("katherine", ("moodle",), SAFARI, "203.0.113.9", "", 1500),
    ("radia", ("moodle", "student-records"), FIREFOX, "192.0.2.112", "duo_push", 600),
)
"""Who else is signed in: name, services, browser, address, Duo's factor (or none), and since how many seconds."""

Colour = tuple[int, int, int]
Take = Callable[["Photographer"], None]


@dataclass
class Photographer:
    """Walks about in the demo and takes pictures."""

    demo: DemoProcess
    browser: Browser
    folder: Path
    admin: Walker

    def visitor(self, agent: str = FIREFOX) -> Walker:
        """Return somebody else with a fresh browser."""
        return arriving(self.demo, self.browser, agent)

    def take(self, name: str, page: Page, *, wide: bool = False, most: int = 0) -> None:
        """Take the whole page, or so many pixels of the style sheet from its top."""
        size = WIDE if wide else NARROW
        page.set_viewport_size(size)
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement?.matches('[role=status], [role=alert]') && document.activeElement.blur()")
        page.evaluate("scrollTo(0, 0)")
        page.evaluate(_AS_INSTALLED)
        height = page.evaluate("document.documentElement.scrollHeight")
        height = min(height, most) if most else height
        clip = {"x": 0, "y": 0, "width": size["width"], "height": height}
        (self.folder / f"{name}.png").write_bytes(reduced(page.screenshot(full_page=True, clip=clip)))


# Where the demo keeps its files says nothing to a reader; an installation has this.
_AS_INSTALLED = r"""() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    texts.currentNode.data = texts.currentNode.data.replace(/\S+:\/\S+\/audit\b/, "node-1:/var/lib/casduo/audit");
  }
}"""


def reduced(png: bytes) -> bytes:
    """Return a picture with a palette of its most frequent colours, so that what is flat keeps its very colour.

    Every other colour becomes the nearest of these. Of those that nobody can tell apart the palette has one.
    """
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    counted = sorted(picture.getcolors(picture.width * picture.height), reverse=True)
    kept: list[Colour] = []
    for _, colour in counted:
        if len(kept) < COLOURS and all(_distance(colour, known) > ALIKE for known in kept):
            kept.append(colour)
    places = {colour: min(range(len(kept)), key=lambda at: _distance(colour, kept[at])) for _, colour in counted}
    parts = picture.tobytes()
    points = zip(parts[0::3], parts[1::3], parts[2::3], strict=True)
    made = Image.frombytes("P", picture.size, bytes(places[point] for point in points))
    made.putpalette([part for colour in kept for part in colour])
    into = io.BytesIO()
    made.save(into, "PNG", optimize=True)
    return into.getvalue()


def _distance(one: Colour, other: Colour) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


# --- what takes them -------------------------------------------------------------------------------------------------


def sign_in_and_duo(at: Photographer) -> None:
    somebody = at.visitor()
    somebody.goes_to("/login?service=https://records.example.edu/")
    at.take("sign-in", somebody.page)
    somebody.open("Timesheets")
    somebody.sign_in("margaret")
    somebody.sees("Check your device")
    expect(somebody.page.locator("#said")).to_be_visible()
    at.take("push", somebody.page)
    somebody.context.close()


def enrolment(at: Photographer) -> None:
    somebody = at.visitor()
    somebody.open("Payroll")
    somebody.sign_in("grace")
    somebody.page.get_by_role("link", name="Set up a device").click()
    somebody.page.get_by_role("button", name="Show the code").click()
    somebody.sees("Scan this code with Duo Mobile")
    at.take("enrolment", somebody.page)
    somebody.context.close()


def asking_for_access(at: Photographer) -> None:
    somebody, person = at.visitor(), NEWCOMERS[0]
    at.demo.duo(do="add_user", username=person.username)
    somebody.goes_to("/login?service=https://gateway.example.edu/targets/student-database")
    somebody.signs_in(person.username, PASSWORD)
    somebody.sees("Ask for access to Student database")
    reason = "Ticket 48213: the tablespace of the registrar's office is 97 % full and has to grow before Monday."
    somebody.page.get_by_label("Reason", exact=True).fill(reason)
    at.take("approval-form", somebody.page)
    somebody.page.get_by_role("button", name="Check the request").click()
    somebody.page.get_by_role("button", name="Send the request").click()
    somebody.sees("Waiting for a decision")
    at.take("approval-waiting", somebody.page)
    somebody.context.close()


def ip_phone(at: Photographer) -> None:
    walker = at.visitor()
    caller = Caller(at.demo, walker.context, walker.page)
    caller.goes_to(RECEPTION)
    caller.logs_in("ada")
    caller.is_shown(DUO_TITLE)
    at.take("phone", caller.page, most=PHONE)
    caller.answer_push("ada", "Deny")
    walker.context.close()


def account(at: Photographer) -> None:
    elsewhere = at.visitor(EDGE)
    elsewhere.open("Timesheets")
    elsewhere.sign_in("ada")
    elsewhere.confirms("ada")
    elsewhere.page.get_by_role("button", name="Yes").click()
    elsewhere.is_at("Timesheets", "Ada Lovelace")
    elsewhere.context.close()
    at.admin.goes_to("/account/")
    at.admin.sees("My account")
    at.take("account", at.admin.page, wide=True)


def services(at: Photographer) -> None:
    ada, page = at.admin, at.admin.page
    ada.goes_to("/admin/services/entry/webmail")
    ada.types("Description", "Mail, calendar and address book")
    ada.presses("Look at the change", within="#entry-form")
    saves(ada, "the address book moved into webmail")
    ada.reloads_until("In force on 1 of 1 node.")
    ada.goes_to("/admin/services/entry/student-records")
    ada.sees("Student records")
    at.take("service", page, wide=True, most=1100)
    page.get_by_label("Ask again after").fill("4h")
    ada.presses("Look at the change", within="#entry-form")
    ada.types("Reason", "decided by the examination board: marks need a fresher Duo")
    at.take("review", page, wide=True)
    saves(ada, "decided by the examination board: marks need a fresher Duo")
    ada.goes_to("/admin/services/entry/old-library")
    ada.presses("Move down")
    saves(ada, "what is switched off goes to the end")
    ada.reloads_until("In force on 1 of 1 node.")
    ada.goes_to("/admin/services/history")
    at.take("history", page, wide=True)
    ada.goes_to("/admin/services?q=example.edu")
    at.take("services", page, wide=True)
    ada.goes_to("/admin/services/try")
    ada.types("URL", "https://records.example.edu/marks")
    ada.types("User name", "grace")
    ada.presses("Try")
    expect(page.get_by_role("heading", name="What happens")).to_be_visible()
    at.take("trial", page, wide=True, most=1100)


def administration(at: Photographer) -> None:
    ada, page = at.admin, at.admin.page
    for name, path, most in (
        ("admin", "/admin/", 0),
        ("sessions", "/admin/sessions?service=moodle", 0),
        ("health", "/admin/health", 900),
        ("flow", "/admin/flows/approval", 960),
    ):
        ada.goes_to(path)
        at.take(name, page, wide=True, most=most)


PICTURES: Final[tuple[tuple[Take, tuple[str, ...]], ...]] = (
    (sign_in_and_duo, ("sign-in", "push")),
    (enrolment, ("enrolment",)),
    (asking_for_access, ("approval-form", "approval-waiting")),
    (account, ("account",)),
    (services, ("service", "review", "history", "services", "trial")),
    (administration, ("admin", "sessions", "health", "flow")),
    (ip_phone, ("phone",)),
)
"""What takes which pictures."""

NAMES: Final = frozenset(name for _, names in PICTURES for name in names)


def saves(ada: Walker, reason: str) -> None:
    """Give a reason and save what is shown."""
    ada.types("Reason", reason)
    ada.presses("Save")
    ada.hears("Saved as change")


def arriving(demo: DemoProcess, browser: Browser, agent: str) -> Walker:
    """Return somebody with a fresh browser that takes sharp pictures."""
    context = browser.new_context(
        ignore_https_errors=True,
        user_agent=agent,
        device_scale_factor=SCALE,
        color_scheme="light",
        reduced_motion="reduce",
        locale="en-GB",
    )
    context.on("dialog", lambda dialog: dialog.accept())
    return Walker(demo, context, context.new_page(), True, Critic())


def furnish(demo: DemoProcess, now: float) -> None:
    """Give the demo services, people who are signed in, and what happened before."""
    with (demo.state / "registry.yaml").open("a", encoding="utf-8") as file:
        file.write(SERVICES)
    store = Store(client_for(demo.ready["redis_url"], "", 5.0, 4, ""))
    tickets, history = TicketRegistry(store, Lifetimes()), SignInHistory(store)
    names = {person.username: person.name for person in NEWCOMERS} | {"grace": "Grace Hopper", "ada": "Ada Lovelace"}
    for username, ids, agent, address, factor, ago in SEATS:
        at = now - ago
        strength = Strength.duo(factor, at) if factor else Strength()
        ticket = TicketGrantingTicket(
            *(username, {"displayName": (names[username],)}, "users_file", at, strength),
            address=address,
            agent=agent,
            used_at=now - ago / 7,
        )
        batch = store.batch()
        session = tickets.open_session(batch, ticket, at)
        granted = [
            tickets.grant_service_ticket(
                batch, session.id, f"https://{name}.example.edu/", name, primary=False, now=now - ago / 7
            )
            for name in ids
        ]
        told = SignIn("signed_in", agent_words(agent), address, ids[0], "duo" if factor else "none", factor)
        history.note(batch, username, told, at)
        batch.run()
        for one in granted:
            tickets.take(one.id)
    batch = store.batch()
    history.note(batch, "ada", SignIn("refused", agent_words(SAFARI), "203.0.113.200"), now - 30000)
    batch.run()
    store.close()


def take_all(folder: Path) -> None:
    """Take every picture into a folder."""
    with tempfile.TemporaryDirectory() as directory:
        register(Path(directory))
        with running(Path(directory)) as demo, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
            furnish(demo, time.time())
            ada = arriving(demo, browser, FIREFOX)
            ada.goes_to("/admin/")
            ada.signs_in("ada")
            ada.sees("Administration")
            at = Photographer(demo, browser, folder, ada)
            for take, _ in PICTURES:
                take(at)
            browser.close()


if __name__ == "__main__":
    take_all(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
