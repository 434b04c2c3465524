"""The recipes of docs/recipes that can be run, as they stand: Django with django-cas-ng, PHP with Debian's phpCAS,
Apache with Debian's mod_auth_cas.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.server import SimulatorServer
from tests.support.apache import Host, apache, variables
from tests.support.ports import free_ports
from tests.support.proxies import ROOT
from tests.support.served import Served, serving_alone
from tests.support.visitor import Visitor, login_form
from tests.support.waiting import PATIENCE, until

RECIPES = ROOT / "docs" / "recipes"
PHPCAS = Path("/usr/share/php/CAS/CAS.php")


def blocks(page: str, language: str) -> list[str]:
    text = (RECIPES / f"{page}.md").read_text(encoding="utf-8")
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found, page
    return found


def replaced(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    """Where Django and PHP are."""
    django, php = free_ports(2)
    return django, php


@pytest.fixture(scope="module")
def cas(
    tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority, ports: tuple[int, int]
) -> Iterator[Served]:
    """A server with the entries of the recipes."""
    entries = [
        replaced(blocks(page, "yaml")[0].removeprefix("services:\n"), (f"https://{host}", f"https://localhost:{port}"))
        for page, host, port in zip(
            ("django", "phpcas"), ("journal.example.edu", "wiki.example.edu"), ports, strict=True
        )
    ]
    # The port of Apache is not known yet.
    [entry] = blocks("mod-auth-cas", "yaml")
    entries.append(replaced(entry.removeprefix("services:\n"), ("https://reports.example.edu", "https://localhost:*")))
    with serving_alone(
        tmp_path_factory.mktemp("cas"),
        tls=authority.issue(),
        registry="services:\n" + "".join(entries),
        settings=f"outbound: {{ca_file: '{authority.ca_file}'}}\nlogout: {{wait: 1ms}}\n",
        worker=True,
    ) as found:
        yield found


@pytest.fixture(scope="module")
def django(
    cas: Served, authority: CertificateAuthority, ports: tuple[int, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    directory, leaf = tmp_path_factory.mktemp("django"), authority.issue()
    settings, urls = blocks("django", "python")
    address = f"https://localhost:{ports[0]}"
    settings = replaced(settings, ("https://sso.example.edu/cas/", cas.url), ("https://journal.example.edu", address))
    recipe = directory / "recipe.json"
    recipe.write_text(json.dumps([settings, urls]), encoding="utf-8")
    command = [sys.executable, "-m", "tests.clients.django_site", recipe, str(ports[0]), leaf.cert, leaf.key, directory]
    environment = os.environ | {"REQUESTS_CA_BUNDLE": str(authority.ca_file)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield address
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def wiki(
    cas: Served, authority: CertificateAuthority, ports: tuple[int, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    program = shutil.which("php")
    if program is None or not PHPCAS.exists():
        raise RuntimeError("php or phpCAS is missing: apt-get install php-cli php-curl php-xml php-cas (bin/test does)")
    directory = tmp_path_factory.mktemp("php")
    address, (_, port) = f"https://localhost:{ports[1]}", cas.address
    [page] = blocks("phpcas", "php")
    page = replaced(
        page,
        ("'sso.example.edu', 443", f"'localhost', {port}"),
        ("https://wiki.example.edu", address),
        ("/etc/ssl/certs/ca-certificates.crt", str(authority.ca_file)),
        ("['sso1.example.edu', 'sso2.example.edu']", "['localhost']"),
    )
    (directory / "index.php").write_text(
        page + "header('Content-Type: application/json');\n"
        "echo json_encode(['user' => $name, 'attributes' => $attributes]);\n",
        encoding="utf-8",
    )
    (inside,) = free_ports(1)
    command = [program, "-d", f"session.save_path={directory}", "-S", f"127.0.0.1:{inside}", "index.php"]
    with (directory / "php.log").open("wb") as log, subprocess.Popen(command, cwd=directory, stderr=log) as process:
        try:
            with tls_in_front(inside, authority, ports[1]):
                until(lambda: answers(inside), "PHP answers")
                yield address
        finally:
            process.terminate()
            process.wait(PATIENCE)


@pytest.fixture(scope="module")
def reports(cas: Served, authority: CertificateAuthority) -> Iterator[str]:
    """Apache with the block of its recipe, but for where files lie on this machine."""
    block = replaced(
        blocks("mod-auth-cas", "apache")[0],
        ("LoadModule auth_cas_module modules/mod_auth_cas.so\n", ""),
        ("CASCookiePath      /var/cache/apache2/mod_auth_cas/\n", ""),
        ("CASCertificatePath /etc/ssl/certs/ca-certificates.crt\n", ""),
        ("https://sso.example.edu/cas/", cas.url),
        ("https://reports.example.edu", "{url}"),
    )
    with apache(cas.url, authority.issue(), [Host({}, directives=block.splitlines())]) as found:
        yield found.urls[0]


@contextmanager
def tls_in_front(inside: int, authority: CertificateAuthority, port: int) -> Iterator[None]:
    """PHP's own server speaks no TLS."""

    def pass_on(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        path = environ.get("PATH_INFO", "") + (f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else "")
        headers = {"Cookie": environ.get("HTTP_COOKIE", ""), "Content-Type": environ.get("CONTENT_TYPE", "")}
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        answer = requests.request(
            environ["REQUEST_METHOD"],
            f"http://127.0.0.1:{inside}{path}",
            headers=headers,
            data=body,
            allow_redirects=False,
            timeout=PATIENCE,
        )
        kept = [
            (name, value)
            for name, value in answer.raw.headers.items()
            if name.lower() in ("location", "set-cookie", "content-type")
        ]
        start_response(f"{answer.status_code} {answer.reason}", kept)
        return [answer.content]

    with SimulatorServer(pass_on, certificate=authority.issue(), port=port, name="wiki"):
        yield


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/", allow_redirects=False, timeout=5).status_code < 500
    except requests.ConnectionError:
        return False


def signed_in(ada: Visitor, address: str) -> dict[str, Any]:
    page = ada.visit(address)
    shown = ada.sign_in(page) if login_form(page) is not None else page
    assert shown.status_code == 200, shown.text
    found: dict[str, Any] = shown.json()
    return found


def test_django_learns_who_came_and_what_the_entry_tells(django: str, ada: Visitor) -> None:
    shown = signed_in(ada, f"{django}/")
    assert (shown["user"], shown["email"]) == ("ada", "ada@example.edu")
    assert shown["groups"] == ["students"]
    assert shown["attributes"]["isFromNewLogin"] == "true"


def test_django_ends_its_session_when_the_person_signs_out(django: str, cas: Served, ada: Visitor) -> None:
    signed_in(ada, f"{django}/")
    assert ada.step(f"{django}/").status_code == 200
    ada.step(f"{cas.url}logout")
    until(lambda: ada.step(f"{django}/").status_code == 302, "Django was told")


def test_signing_out_at_django_signs_out_everywhere_and_leads_back(django: str, cas: Served, ada: Visitor) -> None:
    signed_in(ada, f"{django}/")
    page = ada.visit(f"{django}/accounts/logout/")
    assert any(address.startswith(f"{cas.url}logout?") for address in ada.path)
    # Back at Django, which asks casduo, which asks for a password.
    assert login_form(page) is not None


def test_php_learns_who_came_and_what_the_entry_tells(wiki: str, ada: Visitor) -> None:
    shown = signed_in(ada, f"{wiki}/")
    assert shown["user"] == "ada"
    assert (shown["attributes"]["mail"], shown["attributes"]["groups"]) == ("ada@example.edu", "students")


def test_php_ends_its_session_when_the_person_signs_out(wiki: str, cas: Served, ada: Visitor) -> None:
    signed_in(ada, f"{wiki}/")
    assert ada.step(f"{wiki}/").status_code == 200
    ada.step(f"{cas.url}logout")
    until(lambda: ada.step(f"{wiki}/").status_code == 302, "PHP was told")


def test_apache_lets_in_whom_the_entry_says_is_staff_and_nobody_elses_headers(
    reports: str, ada: Visitor, grace: Visitor
) -> None:
    page = grace.visit(f"{reports}/monthly?of=2027")
    shown = variables(grace.sign_in(page, "grace"))
    assert (shown["REMOTE_USER"], shown["HTTP_CAS_PERSON"], shown["REQUEST_URI"]) == (
        "grace",
        "grace",
        "/monthly?of=2027",
    )
    assert (shown["HTTP_CAS_MAIL"], shown["HTTP_CAS_GROUPS"]) == ("grace@example.edu", "staff")
    invented = variables(grace.visit(f"{reports}/", headers={"Cas-Person": "root", "Cas-Office": "dean"}))
    assert invented["HTTP_CAS_PERSON"] == "grace"
    assert "HTTP_CAS_OFFICE" not in invented

    # A student is let in by casduo and not by Apache.
    assert ada.sign_in(ada.visit(f"{reports}/")).status_code in (401, 403)


def test_apache_ends_its_session_when_the_person_signs_out(reports: str, cas: Served, grace: Visitor) -> None:
    grace.sign_in(grace.visit(f"{reports}/"), "grace")
    assert grace.step(f"{reports}/").status_code == 200
    grace.step(f"{cas.url}logout")
    until(lambda: grace.step(f"{reports}/").status_code == 302, "Apache was told")


def test_registries_of_all_recipes_are_taken() -> None:
    from casduo.services.file import read_registry
    from casduo.settings import Settings

    settings = Settings.model_validate(
        {
            "server": {"url": "https://sso.example.edu/cas"},
            "authentication": [{"type": "users_file", "path": "users.yaml"}],
            "duo": {
                "api_host": "api-1.duosecurity.com",
                "universal": {"client_id": "D" * 20, "client_secret": "s" * 40},
            },
        }
    )
    for page in sorted(RECIPES.glob("*.md")):
        for block in re.findall(r"^```yaml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            reading = read_registry(textwrap.dedent(block).encode(), page.name, settings, with_lint=True)
            assert [str(problem) for problem in reading.problems] == [], page.name


def test_the_function_for_jupyterhub_reads_a_real_answer(cas: Served, ada: Visitor, ports: tuple[int, int]) -> None:
    [block] = blocks("jupyterhub", "python")
    function = block.partition("\nNAMESPACE")[2].partition("\n\n\nclass ")[0]
    found: dict[str, Any] = {}
    exec(f"from xml.etree import ElementTree\nNAMESPACE{function}", found)  # noqa: S102 - the document under test
    service = f"https://localhost:{ports[1]}/"
    ada.submit(ada.step(f"{cas.url}login", params={"service": service}))
    ticket = ada.ticket(cas.url, service)
    validate = f"{cas.url}p3/serviceValidate"
    answer = ada.step(validate, params={"service": service, "ticket": ticket}).content
    assert found["who"](answer) == {"name": "ada", "groups": ["students"]}
    assert found["who"](ada.step(validate, params={"service": service, "ticket": ticket}).content) is None


def test_apache_reads_the_block_for_mod_auth_cas(tmp_path: Path) -> None:
    modules = Path("/usr/lib/apache2/modules")
    block = replaced(
        blocks("mod-auth-cas", "apache")[0],
        ("modules/mod_auth_cas.so", f"{modules}/mod_auth_cas.so"),
        ("/var/cache/apache2/mod_auth_cas/", f"{tmp_path}/"),
    )
    loaded = ("mpm_event", "authn_core", "authz_core")
    lines = [f"ServerRoot {tmp_path}", f"ErrorLog {tmp_path}/error.log", "ServerName localhost", "Listen 127.0.0.1:1"]
    lines += [f"LoadModule {name}_module {modules}/mod_{name}.so" for name in loaded]
    path = tmp_path / "httpd.conf"
    path.write_text("\n".join([*lines, block]), encoding="utf-8")
    done = subprocess.run(["/usr/sbin/apache2", "-t", "-f", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
