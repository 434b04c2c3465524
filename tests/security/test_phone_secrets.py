"""Secrets of logins on phones: in the log of a whole run with everything at the level debug, and in the store."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from casduo.signing import Purpose, Signing
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.ucm import UcmSimulator
from casduo.store import Store
from tests.security.handset import HERE, Handset, Shown, approved
from tests.security.test_secrets import Secrets, dump
from tests.support.naming import names
from tests.support.raw import FORM, Answer, call
from tests.support.served import Served, serving
from tests.support.ward import EXTENSION_MOBILITY, HOST, OLD_PHONE, OTHER_PHONE, PHONE, PINS, Ward, settings_for
from tests.worker.working import eventually

PINS_HERE = {"ada": "8264013579", "mary": "9517530864", "alan": "7531902468"}
WRONG_PIN, SHORT_PIN = "1029384756", "5647382910x"
BYPASS_CODE, WRONG_CODE = "907413652", "735192648"
OTHERS = """
import logging
import sys

logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
"""
"""What has every library of the process tell all it has to tell."""


@dataclass
class Line(Handset):
    """A phone at a served process, who writes down every secret that passes by."""

    served: Served | None = None
    secrets: Secrets | None = None

    def raw(self, path: str = "", query: str = "", form: Mapping[str, str] | None = None, **environ: Any) -> Answer:
        assert self.served is not None
        host, port = self.served.address
        address = f"https://localhost:{port}/em{path}" + (f"?{query}" if query else "")
        headers = {"x-CiscoIPPhoneModelName": "CP-7965G" if form is None else "CP-8845"}
        headers |= {"Cookie": f"casduo-em={self.cookie}"} if self.cookie else {}
        assert host
        with requests.Session() as session:
            session.trust_env, session.verify = False, self.served.ca
            found = session.request("GET" if form is None else "POST", address, data=form, headers=headers, timeout=30)
        return Answer(found.status_code, list(found.headers.items()), found.content)

    def _keep(self, shown: Shown) -> Shown:
        assert self.secrets is not None
        if shown.token:
            self.secrets.learn("token", shown.token)
            # What stands for the login in it, without slot, version and time.
            self.secrets.learn("key of a login", shown.token[4:26])
        if shown.cookie:
            self.secrets.learn("cookie", shown.cookie)
        return super()._keep(shown)

    def by_get(self, user: str, pin: str) -> Shown:
        """Send user id and PIN as models do that only know GET."""
        return self.get("login", userid=user, pin=pin)


@dataclass
class Stage:
    """A served process with a worker, and UCM and Duo behind it."""

    served: Served
    ucm: UcmSimulator
    duo: DuoSimulator
    store: Store
    secrets: Secrets

    def line(self, device: str = PHONE) -> Line:
        return Line(None, device, served=self.served, secrets=self.secrets)  # type: ignore[arg-type]

    def look(self) -> None:
        """Nothing of what has passed by so far lies in the store."""
        for key, value in dump(self.store).items():
            held = [kind for kind in self.secrets.within(f"{key} {value}") if kind != "key of a login"]
            assert held == [], (key, value)


@pytest.fixture
def stage(
    tmp_path: Path,
    own_redis_url: str,
    own_store: Store,
    authority: CertificateAuthority,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stage]:
    (tmp_path / "loud").mkdir()
    (tmp_path / "loud" / "sitecustomize.py").write_text(OTHERS, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "loud"))
    leaf, clock = authority.issue([HOST, "localhost"]), VirtualClock(time.time())
    secrets = Secrets()
    with (
        UcmSimulator(leaf, nodes=2, clock=clock, authority=authority) as ucm,
        DuoSimulator(leaf, authority=authority) as duo,
    ):
        duo.settings.poll_hold = 0.3
        keys = duo.add_application("authapi")
        settings = settings_for(ucm, duo, keys, leaf).replace("failures: 2, pause: 10s", "failures: 50, pause: 10s")
        settings += "throttling: {login_address: {failures: 1000, window: 10m, pause: 1m, max_pause: 10m}}\n"
        _fill(ucm, duo, secrets)
        secrets.learn("key at Duo", *(application.secret_key for application in duo.applications()))
        for account, password in (("axlreader", "axl-secret"), ("emproxy", "proxy-secret")):
            secrets.learn("account at UCM", password, base64.b64encode(f"{account}:{password}".encode()).decode())
        with serving(
            tmp_path,
            own_redis_url,
            tls=leaf,
            registry="services:\n" + EXTENSION_MOBILITY,
            settings=settings,
            handlers="- {type: ucm_pin}\n",
            worker=True,
        ) as served:
            eventually(lambda: bool(own_store.command("EXISTS", "casduo:worker:alive")))
            yield Stage(served, ucm, duo, own_store, secrets)


def _fill(ucm: UcmSimulator, duo: DuoSimulator, secrets: Secrets) -> None:
    ucm.add_application_user("axlreader", "axl-secret", roles={"axl-read"})
    ucm.add_application_user("emproxy", "proxy-secret", roles={"em"})
    secrets.learn("PIN", *PINS_HERE.values(), WRONG_PIN, SHORT_PIN)
    secrets.learn("passcode", BYPASS_CODE, WRONG_CODE)
    for name, pin in PINS_HERE.items():
        profiles = ["ward", "office"] if name == "mary" else [f"{name}-ward"]
        ucm.add_user(name, pin=pin, mail=f"{name}@example.edu", profiles=profiles, default_profile=profiles[0])
    for device in (PHONE, OTHER_PHONE, OLD_PHONE):
        ucm.add_phone(device)
    duo.add_user("ada", bypass_codes=[BYPASS_CODE])
    duo.add_user("mary")
    duo.add_user("alan", "bypass")


def test_whole_logins_write_no_secret_with_everything_at_the_level_debug(stage: Stage) -> None:
    """MFEM 9, CVE-2020-27178 (Apereo): secrets in addresses, and so in logs. PINs of phones that only know GET, and of
    those that post, right and wrong; passcodes, tokens, cookies, accounts at UCM and Duo; and what breaks on the way.
    """
    _by_passcode(stage)
    _by_push(stage)
    _in_trouble(stage)
    stage.look()
    log = stage.served.log.read_text()
    seen = set(re.findall(r'"event":"([a-z_.]+)"', log))
    assert seen >= {
        "signin.refused",
        "duo.asked",
        "duo.answered",
        "phone.logged_in",
        "phone.device_refused",
        "fault",
    }, seen
    assert "DEBUG:urllib3" in log
    for line in log.splitlines():
        assert stage.secrets.within(line) == [], line
    folder = stage.served.log.parent
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "casduo.yaml"]
    assert len(files) > 2
    for path in files:
        assert stage.secrets.within(path.read_bytes().decode("latin-1")) == [], path


def _by_passcode(stage: Stage) -> None:
    line = stage.line(OLD_PHONE)
    line.get()
    line.by_get("ada", WRONG_PIN)
    line.by_get("alan", SHORT_PIN)
    # A person who types the PIN where the user id belongs, or pastes all of it into the path.
    line.raw(f"/{OLD_PHONE}/login/{PINS_HERE['ada']}", f"userid=ada&pin={PINS_HERE['ada']}")
    line.raw(f"/{OLD_PHONE}/login", f"userid=%FF%00&pin={PINS_HERE['ada']}&x=" + "y" * 70_000)
    shown = line.by_get("ada", PINS_HERE["ada"])
    shown = line.get("passcode", t=shown.token, passcode=WRONG_CODE)
    stage.look()
    line.get("passcode", t=shown.token + "x", passcode=BYPASS_CODE)
    thief = stage.line(OTHER_PHONE)
    assert "logged in as ada" in line.get("passcode", t=shown.token, passcode=BYPASS_CODE).text
    thief.get("passcode", t=shown.token, passcode=BYPASS_CODE)
    thief.get("wait", t=shown.token)
    logout = line.get("logout")
    assert "logged out" in line.open(logout.key("Logout")).text


def _by_push(stage: Stage) -> None:
    line = stage.line()
    line.submit("mary", WRONG_PIN)
    shown = line.submit("mary", PINS_HERE["mary"])
    stage.secrets.learn("transaction", stage.duo.pending("mary")[0].txid)
    stage.duo.phone("mary").deny()
    shown = line.until(shown.token, "refused")
    way = f"push:{stage.duo.user('mary').devices[0].id}"
    shown = line.get("push", t=shown.token, factor=way)
    stage.look()
    stage.duo.phone("mary").approve()
    shown = line.until(shown.token, "Choose")
    assert "logged in as mary" in line.get("select", t=shown.token, profile="1").text
    stage.look()


def _in_trouble(stage: Stage) -> None:
    """What breaks, and is told of with a traceback by those who are careless."""
    line = stage.line(OTHER_PHONE)
    for node in stage.ucm.nodes:
        for kind in ("unauthorized", "forbidden", "html", "empty", "unavailable", "memory", "version_not_offered"):
            node.faults.answer(kind, times=1)  # type: ignore[arg-type]
        for spoil in ("cut_xml", "namespaced_fault", "dropped", "lost"):
            node.faults.spoil(spoil, times=1)  # type: ignore[arg-type]
        node.faults.refuse(-1, f"java.lang.Exception: {PINS_HERE['alan']} is no PIN of alan", times=2)
    for turn in range(8):
        line.by_get("alan", PINS_HERE["alan"])
        line.submit("alan", PINS_HERE["alan"]) if turn % 2 else line.get("logout")
    for node in stage.ucm.nodes:
        node.faults.clear()
        node.stop_listening()
    line.by_get("alan", PINS_HERE["alan"])
    for node in stage.ucm.nodes:
        node.listen_again()
    stage.duo.faults.break_down("/auth/v2/preauth", times=1)
    line.by_get("ada", PINS_HERE["ada"])
    stage.duo.stop_listening()
    line.by_get("ada", PINS_HERE["ada"])
    stage.duo.listen_again()


# The store


def test_a_copy_of_the_store_opens_no_login_that_waits_at_a_phone(ward: Ward) -> None:
    """Apereo 2020-07-24: what lay beside the ticket. Who reads a copy and knows phone and address, which are no
    secrets, neither goes on nor ends anything: tokens are signed, and browsers have no mark of a phone.
    """
    handset = Handset(ward.site)
    token = handset.submit().token
    held = dump(ward.site.composed.parts.store)
    secrets = Secrets()
    secrets.learn("token", token)
    secrets.learn("signature", token.rpartition(".")[2])
    secrets.learn("cookie", handset.cookie)
    for key, value in held.items():
        assert secrets.within(f"{key} {value}") == [], key
        assert PINS["ada"] not in re.sub(r"[0-9a-f]{32,}|\d{10,}", "", f"{key} {value}")
    words = {word for pair in held.items() for word in re.findall(r"[A-Za-z0-9._-]{16,}", " ".join(pair))}
    # As if the copy held the key of the flow, in whatever form.
    slot, flow = token[:4], token[4:26]
    heart = f"{slot}{flow}-1-{int(ward.site.clock()):x}"
    marks = [heart, f"{heart}.", f"r.{slot}.{flow}.1", Signing(["secret" * 8]).sign(Purpose.PHONE, heart)]
    for word in {*words, *marks}:
        thief = Handset(ward.site)
        for step in ("wait", "cancel", "passcode"):
            assert not thief.get(step, t=word, passcode="123456").token
        for mark in (f"em {PHONE} {HERE}", word):
            cookies = {"HTTP_COOKIE": f'casduo-flow="{mark}"; TGC-casduo={word}; casduo-em={word}'}
            for path in ("/cas/login", "/cas/login/step", "/cas/duo/callback", "/cas/duo/push/status"):
                form = f"execution={word}&state={word}&key={word}&duo_code=x&cancel=true"
                assert not names(call(ward.site, path=path, query=form, **cookies).body, "ada")
                call(ward.site, "POST", path, body=form.encode(), kind=FORM, **cookies)
    assert "You are logged in" in approved(ward, handset, token).text
