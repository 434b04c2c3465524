"""``casduo explain``: the answers of the command, its options and exit codes, and the page about it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casduo.authentication.passwords import Argon2Settings, Passwords
from casduo.cli import main
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.ucm import UcmSimulator
from tests.authentication.slapd import PEOPLE, READER, READER_PASSWORD, Slapd, person

ROOT = Path(__file__).parents[2]
HASH = Passwords(Argon2Settings(memory_kib=8, time_cost=1, parallelism=1)).hash("x")

SETTINGS = """\
server: {url: https://sso.example.edu/cas, time_zone: Europe/Berlin}
authentication:
  - {type: users_file, name: local, path: users.yaml}
  - {type: ucm_pin, name: pins}
ucm: {axl: {servers: 'localhost:9', username: casduo, password: x}}
"""
DUO = """\
duo:
  api_host: api-12345678.duosecurity.com
  universal: {client_id: DI01234567890123456X, client_secret: '0123456789012345678901234567890123456789'}
  request_parameter: authn_method
"""
USERS = f"""\
ada: {{password: '{HASH}', attributes: {{groups: [students]}}}}
grace: {{password: '{HASH}', attributes: {{groups: [staff], mail: grace@example.edu}}}}
linus: {{password: '{HASH}', locked: true, attributes: {{groups: [staff]}}}}
"""
REGISTRY = """\
services:
  - {id: wiki, name: Wiki, url: https://wiki.example.edu/**, access: {groups: [staff]}, attributes: [mail]}
  - {id: lab, name: Lab, url: https://lab.example.edu/**, access: {networks: [10.0.0.0/8], until: 2027-01-01}}
  - {id: phones, name: Phones, url: https://sso.example.edu/em/**, channel: phone}
"""
CA = "outbound: {{ca_file: '{}'}}\n"
WIKI = "https://wiki.example.edu/Start"
EM = "https://sso.example.edu/em/"
LAB = "https://lab.example.edu/"

Explain = Callable[..., Result]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CASDUO_CONFIG", raising=False)
    (tmp_path / "casduo.yaml").write_text(SETTINGS)
    (tmp_path / "registry.yaml").write_text(REGISTRY)
    users = tmp_path / "users.yaml"
    users.write_text(USERS)
    users.chmod(0o600)
    return tmp_path


@pytest.fixture
def run(here: Path) -> Explain:
    return lambda *arguments: CliRunner().invoke(main, ["explain", *arguments], catch_exceptions=False)


def first(result: Result) -> str:
    return result.stdout.splitlines()[0]


def test_a_person_is_looked_up_and_the_answer_is_the_first_line(run: Explain) -> None:
    result = run(WIKI, "--user", "grace")

    assert (result.exit_code, result.stderr) == (0, "")
    assert first(result) == "grace gets into Wiki with the password alone."
    assert "known to local" in result.stdout
    assert "<cas:mail>grace@example.edu</cas:mail>" in result.stdout


def test_a_refusal_is_an_explanation(run: Explain) -> None:
    result = run(WIKI, "--user", "ada")

    assert result.exit_code == 0
    assert first(result) == "ada is refused by Wiki: the person must be in staff (ada is in students)."


def test_what_the_users_file_holds_against_a_person_goes_first(run: Explain) -> None:
    assert first(run(WIKI, "--user", "linus")) == "linus cannot sign in: the account is locked."


def test_a_name_is_taken_as_the_form_takes_it(run: Explain, here: Path) -> None:
    assert first(run(WIKI, "--user", " Grace ")).startswith("grace gets in")
    (here / "casduo.yaml").write_text(f"{SETTINGS}login: {{username_case: keep}}\n")
    assert run(WIKI, "--user", "Grace").exit_code == 1


def test_a_person_nobody_knows_is_named_with_those_asked(run: Explain) -> None:
    result = run(WIKI, "--user", "alan")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: 'alan' was not found; asked: local. --group explains for a made-up person\n"


def test_a_person_at_a_phone_is_looked_up_in_the_ucm(run: Explain, here: Path, authority: CertificateAuthority) -> None:
    leaf = authority.issue(["localhost"])
    with UcmSimulator(leaf, nodes=2, authority=authority) as ucm:
        ucm.add_application_user("casduo", "x", roles={"axl-read"})
        ucm.add_user("ada", pin="24680", mail="ada@example.edu", profiles=["ada-ward", "ada-desk"])
        ucm.add_user("edsger", pin="11235", mail="edsger@example.edu")
        nodes = ", ".join(f"'{node.address}'" for node in ucm.nodes)
        (here / "casduo.yaml").write_text(SETTINGS.replace("'localhost:9'", f"[{nodes}]") + CA.format(leaf.ca))
        found, without, nobody = (run(EM, "--user", name) for name in ("ada", "edsger", "alan"))

        assert ucm.calls("doAuthenticateUser") == 0

    assert (found.exit_code, found.stderr) == (0, "")
    assert first(found) == "ada gets into Phones with the PIN alone."
    assert "known to pins; whether the account is locked or expired shows only at a sign-in" in found.stdout
    assert "the person needs a profile at the UCM  ada has ada-ward, ada-desk" in found.stdout
    assert first(without) == "edsger is refused by Phones: the person needs a profile at the UCM (edsger has none)."
    assert nobody.exit_code == 1
    assert nobody.stderr == "Error: 'alan' was not found; asked: pins. --group explains for a made-up person\n"


def test_a_ucm_that_is_down_says_so(run: Explain) -> None:
    result = run(EM, "--user", "ada")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "casduo: ucm axl localhost:9: " in result.stderr
    assert "'ada' was not found; asked: pins" in result.stderr


def test_a_password_is_asked_of_no_ucm(run: Explain) -> None:
    """The one of the settings is down, and nobody notices."""
    assert run(WIKI, "--user", "grace").stderr == ""


def test_nobody_is_looked_up_for_a_url_that_nobody_has(run: Explain, here: Path) -> None:
    (here / "users.yaml").unlink()

    result = run("https://nowhere.example.edu/", "--user", "grace")

    assert result.exit_code == 1
    assert first(result).startswith("No entry of the registry has this URL")


def test_a_made_up_person_needs_no_store(run: Explain, here: Path) -> None:
    (here / "users.yaml").unlink()

    result = run(WIKI, "--group", "staff", "--attribute", "mail=a=b@example.edu", "--attribute", "mail=c@example.edu")

    assert result.exit_code == 0
    assert first(result) == "somebody gets into Wiki with the password alone."
    assert "<cas:mail>a=b@example.edu</cas:mail>\n  <cas:mail>c@example.edu</cas:mail>" in result.stdout
    assert first(run(WIKI, "--group", "guests", "--user", "eve")).startswith("eve is refused by Wiki")


def test_address_and_moment_decide_rules_about_them(run: Explain) -> None:
    assert first(run(LAB, "--at", "2026-06-01")).endswith("if all of this is met: the address must be in 10.0.0.0/8.")
    assert "Whoever signs in gets into Lab" in first(run(LAB, "--address", "10.1.2.3", "--at", "2026-06-01"))
    assert "Nobody gets into Lab: the address" in first(run(LAB, "--address", "192.0.2.7", "--at", "2026-06-01"))
    # The last moment of the year where the server's dates are meant.
    assert "Nobody gets into Lab: it must be before" in first(run(LAB, "--at", "2027-01-01"))
    assert "Whoever signs in" in first(run(LAB, "--at", "2026-12-31T23:59"))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--address", "10.1.2"], "'10.1.2' is not an IP address"),
        (["--at", "tomorrow"], "'tomorrow' is not a date"),
        (["--attribute", "mail"], "expected NAME=VALUE, got 'mail'"),
        (["--attribute", "=x"], "expected NAME=VALUE, got '=x'"),
        (["--user", " "], "' ' cannot be a user name"),
        (["--user", "a\tb"], "cannot be a user name"),
        (["--user", "a" * 300], "cannot be a user name"),
    ],
)
def test_options_that_cannot_be_used_end_with_2(run: Explain, arguments: list[str], complaint: str) -> None:
    result = run(WIKI, *arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr


@pytest.mark.parametrize("url", ["https://nowhere.example.edu/", "wiki.example.edu", "https://a@wiki.example.edu/"])
def test_a_url_that_nobody_has_ends_with_1(run: Explain, url: str) -> None:
    result = run(url)

    assert result.exit_code == 1
    assert url in result.stdout


@pytest.mark.parametrize("broken", ["casduo.yaml", "registry.yaml", "users.yaml"])
def test_files_that_cannot_be_used_end_with_2_and_their_problems(run: Explain, here: Path, broken: str) -> None:
    (here / broken).write_text("servises: 1\n")

    result = run(WIKI, "--user", "grace")

    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{broken}:1:" in result.stderr


def test_other_files_can_be_named(run: Explain, here: Path) -> None:
    (here / "other.yaml").write_text("registry: none.yaml\n")
    (here / "draft.yaml").write_text("services: [{id: new, name: New, url: 'https://new.example.edu/**'}]\n")

    result = run("https://new.example.edu/", "--config", "other.yaml", "--registry", "draft.yaml")

    assert first(result) == "Whoever signs in gets into New with the password alone."


def test_the_enrolment_pages_are_explained_like_any_application(run: Explain, here: Path) -> None:
    (here / "casduo.yaml").write_text(SETTINGS + DUO)

    result = run("https://sso.example.edu/cas/enroll/", "--user", "grace")

    assert first(result) == "grace gets into Your devices with the password, and Duo if there is a device."


def test_an_address_of_the_login_page_that_asks_for_duo_is_explained_so(run: Explain, here: Path) -> None:
    (here / "casduo.yaml").write_text(SETTINGS + DUO)
    login = "https://sso.example.edu/cas/login?service=https%3A%2F%2Fwiki.example.edu%2F"

    assert first(run(f"{login}&authn_method=mfa-duo", "--user", "grace")) == (
        "grace gets into Wiki with the password and Duo."
    )
    assert first(run(login, "--user", "grace")) == "grace gets into Wiki with the password alone."


def test_json_tells_the_modes_of_a_rule_and_how_duo_is_asked(run: Explain, here: Path) -> None:
    (here / "casduo.yaml").write_text(SETTINGS + DUO)
    (here / "registry.yaml").write_text(
        "services: [{id: wiki, name: Wiki, url: 'https://wiki.example.edu/**', "
        "requires_duo: {mode: {report: 2026-12-01, required: 2027-02-01}}}]"
    )

    duo = json.loads(run(WIKI, "--user", "ada", "--at", "2026-12-24", "--json").stdout)["service"]["duo"]

    assert (duo["state"], duo["mode"], duo["reported"]) == ("not met", "report", True)
    # Dates are meant in the server's time zone.
    assert duo["modes"] == [
        {"mode": "report", "start": "2026-11-30 23:00 UTC", "state": "in force"},
        {"mode": "required", "start": "2027-01-31 23:00 UTC", "state": "to come"},
    ]
    assert {value["name"]: value["text"] for value in duo["values"]}["request_parameter"] == "authn_method"


def test_json_holds_the_same_and_nothing_else_is_written_to_standard_output(run: Explain) -> None:
    result = run(WIKI, "--user", "grace", "--json", "--all")

    data = json.loads(result.stdout)
    assert data["verdict"] == "password"
    assert data["person"] == {
        "name": "grace",
        "attributes": {"groups": ["staff"], "mail": ["grace@example.edu"]},
        "handler": "local",
        "refusal": None,
        "judged": True,
    }
    assert [entry["relation"] for entry in data["entries"]] == ["chosen", "other", "other", "other"]
    assert json.loads(run("no url", "--json").stdout)["reading"]["reason"] == "no_scheme"


# -- a directory -----------------------------------------------------------------------------------------------------


@pytest.fixture
def slapd(tmp_path: Path) -> Iterator[Slapd]:
    people = [person("barbara", "barbara's password", "mail: barbara@example.edu", "title: staff")]
    with Slapd(tmp_path / "slapd", people) as running:
        yield running


def directory_settings(here: Path, url: str, more: str = "") -> None:
    handler = (
        f"type: ldap, name: campus, servers: ['{url}'], allow_plaintext: true, base: '{PEOPLE}', "
        f"bind_dn: '{READER}', bind_password: {READER_PASSWORD}, attributes: {{mail: mail, title: groups}}{more}"
    )
    (here / "casduo.yaml").write_text(SETTINGS.replace("authentication:\n", f"authentication:\n  - {{{handler}}}\n"))


def test_a_person_of_a_directory_is_read_as_the_searching_account(run: Explain, here: Path, slapd: Slapd) -> None:
    directory_settings(here, slapd.url)

    result = run(WIKI, "--user", "barbara", "--json")

    data = json.loads(result.stdout)
    assert (data["verdict"], data["person"]["handler"], data["person"]["judged"]) == ("password", "campus", False)
    assert data["person"]["attributes"] == {"mail": ["barbara@example.edu"], "groups": ["staff"]}
    assert slapd.binds() == [READER]


def test_a_directory_that_is_down_is_passed_over_and_told_beside_the_answer(
    run: Explain, here: Path, slapd: Slapd
) -> None:
    directory_settings(here, slapd.url)
    slapd.stop()

    result = run(WIKI, "--user", "grace", "--json")

    assert json.loads(result.stdout)["person"]["handler"] == "local"
    assert "casduo: campus: no server answers" in result.stderr


def test_a_directory_of_direct_binds_says_why_it_cannot_tell(run: Explain, here: Path, slapd: Slapd) -> None:
    directory_settings(here, slapd.url, f", direct_bind_dn: 'uid={{username}},{PEOPLE}'")

    result = run(WIKI, "--user", "barbara")

    assert result.exit_code == 1
    assert "campus: direct_bind_dn is set" in result.stderr


# -- the page --------------------------------------------------------------------------------------------------------

PAGE = (ROOT / "docs" / "explain.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```console\n\$ casduo explain (.*?[^\\])\n(.*?)```\n", PAGE, re.DOTALL)


EXCERPTS = re.findall(r"```text\n\$ casduo explain (.*?)\n(.*?)```\n", PAGE, re.DOTALL)


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) >= 3
    assert EXCERPTS


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the samples, in which commands are run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CASDUO_CONFIG", raising=False)
    shutil.copy(ROOT / "registry.yaml", tmp_path)
    shutil.copy(ROOT / "casduo.example.yaml", tmp_path / "casduo.yaml")
    (tmp_path / "secrets").mkdir()
    for name in re.findall(r"secrets/\w+", (tmp_path / "casduo.yaml").read_text()):
        (tmp_path / name).write_text("0123456789" * 4)
    return tmp_path


@pytest.mark.parametrize(("arguments", "output"), EXAMPLES)
def test_the_examples_of_the_page_are_what_the_command_says(arguments: str, output: str, samples: Path) -> None:
    result = CliRunner().invoke(main, ["explain", *shlex.split(arguments.replace("\\\n", ""))], catch_exceptions=False)

    assert settled(result.stdout) == settled(output)


@pytest.mark.parametrize(("arguments", "excerpt"), EXCERPTS)
def test_the_excerpts_of_the_page_are_parts_of_what_the_command_says(
    arguments: str, excerpt: str, samples: Path
) -> None:
    result = CliRunner().invoke(main, ["explain", *shlex.split(arguments)], catch_exceptions=False)

    at = 0
    for part in re.split(r"^\.\.\.\n", excerpt, flags=re.MULTILINE):
        assert part in result.stdout[at:]
        at = result.stdout.index(part, at) + len(part)


def settled(text: str) -> str:
    """Return ``text`` without what changes with every new entry of the sample, or when a key gets its effect."""
    text = re.sub(r"Registry, state \w+|\d+ more entries", "...", text).replace("without effect yet: ", "")
    return text.partition("\nWritten in the entry, without effect yet")[0].strip()
