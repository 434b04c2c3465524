"""All keys are changed while people are at work: nobody is signed out, and what was begun ends well."""

from __future__ import annotations

import json
import re
import signal
from html import unescape
from urllib.parse import parse_qs, urlsplit

import requests

from casduo.keyring import read_ring
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Application
from tests.cli.test_serve import LIBRARY, PASSWORD, Directory, workers_of
from tests.serving.test_under_load import Load, directory, serving, until_reloaded
from tests.support.waiting import until

__all__ = ["directory"]

PAYROLL = "https://payroll.example.edu/slips"


class Person:
    """A browser at the server."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.headers["Origin"] = url.removesuffix("/cas")

    def opens(self, service: str) -> str:
        return self.session.get(f"{self.url}/login", params={"service": service}, timeout=30).text

    def fills_in(self, page: str) -> str:
        """Send the form and return where that leads."""
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
        fields = {name: unescape(value) for name, value in hidden.items()} | {"username": "ada", "password": PASSWORD}
        return self.led(self.session.post(f"{self.url}/login", fields, allow_redirects=False, timeout=30))

    def goes_to(self, url: str) -> str:
        return self.led(self.session.get(url, allow_redirects=False, timeout=30))

    def led(self, answer: requests.Response) -> str:
        assert answer.status_code in (302, 303), answer.text
        return answer.headers["Location"]

    def validates(self, location: str, service: str) -> str:
        assert location.startswith(f"{service}?ticket=ST-"), location
        (ticket,) = parse_qs(urlsplit(location).query)["ticket"]
        return requests.get(f"{self.url}/validate", params={"service": service, "ticket": ticket}, timeout=30).text


def write(directory: Directory, duo: DuoSimulator, application: Application, previous: Application | None) -> None:
    before = f", previous: {keys_of(previous)}" if previous is not None else ""
    directory.write(
        f"duo: {{api_host: '{duo.api_host}', ca_file: '{duo.ca_file}', "
        f"universal: {keys_of(application)[:-1]}{before}}}}}\n",
        "  - {id: payroll, name: Payroll, url: https://payroll.example.edu/**, requires_duo: true}\n",
    )
    file = directory.path / "casduo.yaml"
    file.write_text(file.read_text().replace("threads: 4, drain: 0", "threads: 16, drain: 0, shutdown: 5s"))


def keys_of(application: Application) -> str:
    return f"{{client_id: {application.integration_key}, client_secret: {application.secret_key}}}"


def run(directory: Directory, *arguments: str) -> str:
    found = directory.run("keys", *arguments)
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_keys_change_and_nobody_notices(directory: Directory, duo: DuoSimulator) -> None:
    duo.add_user("ada")
    callback = f"{directory.url}/duo/callback"
    old, new = (duo.add_application("websdk", redirect_uris=[callback]) for _ in range(2))
    write(directory, duo, old, None)
    with serving(directory, "granian") as (process, log, _):
        signed_in, at_the_form, at_the_prompt = (Person(directory.url) for _ in range(3))
        signed_in.fills_in(signed_in.opens(LIBRARY))
        form = at_the_form.opens(LIBRARY)
        prompt = at_the_prompt.fills_in(at_the_prompt.opens(PAYROLL))
        assert old.integration_key in prompt
        load = Load(directory.url)
        load.start()
        try:
            load.goes_on()
            (before,) = read_ring(ring := directory.path / "state" / "secret_key")
            run(directory, "add", "--in", "0")
            write(directory, duo, new, old)
            process.send_signal(signal.SIGHUP)
            until_reloaded(log, 1)
            load.goes_on()

            assert (
                signed_in.validates(signed_in.goes_to(f"{directory.url}/login?service={LIBRARY}"), LIBRARY)
                == "yes\nada\n"
            )
            assert at_the_form.validates(at_the_form.fills_in(form), LIBRARY) == "yes\nada\n"
            duo.phone("ada").script("approve")
            location = at_the_prompt.goes_to(duo.visit_prompt(prompt))
            assert at_the_prompt.validates(location, PAYROLL) == "yes\nada\n"
            newcomer = Person(directory.url)
            assert new.integration_key in newcomer.fills_in(newcomer.opens(PAYROLL))

            late = Person(directory.url)
            form = late.opens(LIBRARY)
            run(directory, "retire", before.fingerprint, "--force")
            process.send_signal(signal.SIGHUP)
            until_reloaded(log, 2)
            load.goes_on()
        finally:
            load.stop()
        assert load.failures == []
        assert late.validates(late.fills_in(form), LIBRARY) == "yes\nada\n"
        assert (
            signed_in.validates(signed_in.goes_to(f"{directory.url}/login?service={LIBRARY}"), LIBRARY) == "yes\nada\n"
        )
        (after,) = read_ring(ring)
        written = log.read_text()
        assert not any(key in written for key in (before.text, after.text, old.secret_key, new.secret_key))


def test_settings_that_cannot_be_used_change_nothing(directory: Directory) -> None:
    with serving(directory, "granian") as (process, log, manager):
        file = directory.path / "casduo.yaml"
        good = file.read_text()
        file.write_text(good + "sesion: {idle: 2h}\n")
        process.send_signal(signal.SIGHUP)
        until(lambda: "reload.refused" in log.read_text(), "the refusal")
        until(lambda: len(workers_of(process.pid)) == 1, "the worker")
        worker = workers_of(process.pid)

        assert "unknown key" in log.read_text() or "sesion" in log.read_text()
        assert requests.get(f"{directory.url}/readyz", timeout=30).text.startswith("ok")
        assert manager.told == ["READY=1", "RELOADING=1", "READY=1"]

        # Another Valkey than the one that was started.
        file.write_text(good.replace("drain: 3s", "drain: 3s, state_directory: elsewhere"))
        process.send_signal(signal.SIGHUP)
        until(lambda: log.read_text().count("reload.refused") == 2, "the refusal")
        assert requests.get(f"{directory.url}/readyz", timeout=30).text.startswith("ok")

        # What only the new process finds out: the file of keys holds none.
        file.write_text(good)
        ring = directory.path / "state" / "secret_key"
        key = ring.read_text()
        ring.write_text("short\n")
        process.send_signal(signal.SIGHUP)
        until(lambda: "reload.failed" in log.read_text(), "the failure")
        assert workers_of(process.pid) == worker, "it goes on with the settings of before, as the others do"
        assert requests.get(f"{directory.url}/readyz", timeout=30).text.startswith("ok")

        ring.write_text(key)
        process.send_signal(signal.SIGHUP)
        until_reloaded(log, 1)
        until(lambda: worker[0] not in workers_of(process.pid), "another worker")
        # Told to end while others are about to take over.
        told = len(manager.told)
        process.send_signal(signal.SIGHUP)
        until(lambda: len(manager.told) > told, "the word that it begins")
        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 0
        assert manager.told[told:] == ["RELOADING=1", "STOPPING=1"]
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        assert [line["event"] for line in lines].count("reload.failed") == 1


def test_a_second_signal_ends_the_draining(directory: Directory) -> None:
    file = directory.path / "casduo.yaml"
    file.write_text(file.read_text().replace("drain: 3s", "drain: 5m"))
    with serving(directory, "granian") as (process, _log, _):
        process.send_signal(signal.SIGTERM)
        until(lambda: requests.get(f"{directory.url}/readyz", timeout=30).status_code == 503, "draining")
        assert requests.get(f"{directory.url}/healthz", timeout=30).headers["Connection"] == "close"
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
