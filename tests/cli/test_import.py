"""``casduo import``: files in, a registry and a report out, exit codes, and nothing overwritten."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casduo.cli import main
from casduo.services.file import load_registry
from tests.importing.apereo_files import hash_set, service, typed

DUMP = Path(__file__).parents[1] / "importing" / "data" / "django-cas-server.json"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "App-1000.json").write_text(json.dumps(service(theme="x")))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["import", *arguments], catch_exceptions=False)


def test_directory_becomes_a_registry_that_can_be_used(here: Path) -> None:
    done = run("apereo", "services")
    assert done.exit_code == 0
    assert "Services: 1. Entries: 1, of which 1 need no look" in done.output
    assert load_registry(here / "registry.yaml", None).by_id("app") is not None


def test_registry_that_is_there_is_kept_unless_told_otherwise(here: Path) -> None:
    (here / "registry.yaml").write_text("services: []\n")
    done = run("apereo", "services")
    assert done.exit_code == 2
    assert "is there already" in done.stderr
    assert (here / "registry.yaml").read_text() == "services: []\n"
    (here / "registry.yaml").chmod(0o640)
    assert run("apereo", "services", "--force").exit_code == 0
    assert "id: app" in (here / "registry.yaml").read_text()
    assert (here / "registry.yaml").stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(here)) == ["registry.yaml", "services"]


def test_report_that_is_there_is_kept_too_and_then_nothing_is_written(here: Path) -> None:
    (here / "report.txt").write_text("of last week\n")
    done = run("apereo", "services", "--report", "report.txt")
    assert done.exit_code == 2
    assert "is there already" in done.stderr
    assert (here / "report.txt").read_text() == "of last week\n"
    assert not (here / "registry.yaml").exists()
    assert run("apereo", "services", "--report", "report.txt", "--force").exit_code == 0
    assert "App -> app" in (here / "report.txt").read_text()


def test_registry_and_report_cannot_be_one_file_by_whichever_name(here: Path) -> None:
    (here / "report.txt").symlink_to("registry.yaml")
    assert run("apereo", "services", "--report", "./registry.yaml").exit_code == 2
    assert run("apereo", "services", "--report", "report.txt", "--force").exit_code == 2
    assert not (here / "registry.yaml").exists()


def test_link_stays_a_link_and_what_is_no_file_is_never_replaced(here: Path) -> None:
    (here / "real.yaml").write_text("services: []\n")
    (here / "registry.yaml").symlink_to("real.yaml")
    assert run("apereo", "services").exit_code == 2
    assert run("apereo", "services", "--force").exit_code == 0
    assert (here / "registry.yaml").is_symlink()
    assert "id: app" in (here / "real.yaml").read_text()
    os.mkfifo(here / "pipe")
    assert "it is no file" in run("apereo", "services", "--force", "--output", "pipe").stderr


def test_nothing_below_a_directory_is_left_out_in_silence(here: Path) -> None:
    services = here / "services"
    (services / "Gone-2.json").symlink_to("nowhere.json")
    os.mkfifo(services / "Pipe-3.json")
    (services / "more").mkdir()
    (services / "more" / "B-4.json").write_text(json.dumps(service(r"^https://b\.example\.edu/.*", "B", 4)))
    (services / "elsewhere").symlink_to(here)
    (services / "linked-5.json").symlink_to("more/B-4.json")
    (services / ".git").mkdir()
    (services / ".git" / "x.json").write_text("{")
    done = run("apereo", "services")
    assert done.exit_code == 1
    for words in ("Gone-2.json: error: cannot be read", "Pipe-3.json: error: cannot be read: it is no file"):
        assert words in done.stdout
    assert "elsewhere: warning: is a link to a directory" in done.stdout
    assert "written once" in done.stdout
    assert ".git" not in done.stdout
    assert "Entries: 2" in done.stdout


def test_what_cannot_be_said_ends_with_1_and_is_written_all_the_same(here: Path) -> None:
    (here / "services" / "All.yml").write_text("serviceId: '^https://b\\.example\\.edu/.*'\nname: B\nrequired: [x]\n")
    done = run("apereo", "services", "--report", "report.txt")
    assert done.exit_code == 1
    assert done.output == ""
    assert "required: is not known" in (here / "report.txt").read_text()
    assert "id: b" in (here / "registry.yaml").read_text()


def test_broken_files_are_named_and_the_others_are_written(here: Path) -> None:
    (here / "services" / "Broken.json").write_bytes(b"\xff")
    (here / "services" / "readme.txt").write_text("not looked at")
    done = run("apereo", "services", "nowhere.json", "--output", "-")
    assert done.exit_code == 1
    assert "id: app" in done.stdout
    assert "Broken.json:1:1: error: byte 0xFF is not UTF-8" in done.stderr
    assert "nowhere.json: error: cannot be read" in done.stderr
    assert not (here / "registry.yaml").exists()


@pytest.mark.parametrize("content", [b"{}", b"nothing", b""])
def test_nothing_usable_ends_with_2_and_writes_nothing(here: Path, content: bytes) -> None:
    (here / "x.json").write_bytes(content)
    for kind in ("apereo", "django-cas-server", "mama-cas"):
        done = run(kind, "x.json")
        assert done.exit_code == 2, kind
        assert "there is nothing to write" in done.stderr
    assert not (here / "registry.yaml").exists()


def test_strict_minds_what_works_in_another_way(here: Path) -> None:
    (here / "services" / "App-1000.json").write_text(json.dumps(service("^https://app.example.edu/.*")))
    assert run("apereo", "services").exit_code == 0
    assert run("apereo", "services", "--force", "--strict").exit_code == 1


def test_report_for_programs_and_answers_to_what_files_do_not_say(here: Path) -> None:
    policy = typed("ReturnAllAttributeReleasePolicy")
    (here / "services" / "App-1000.json").write_text(
        json.dumps(service(attributeReleasePolicy=policy, requiredHandlers=hash_set("LDAP")))
    )
    done = run("apereo", "services", "--json", "--all-attributes", "mail, cn", "--handler", "LDAP=staff")
    assert done.exit_code == 0
    report = json.loads(done.stdout)
    assert report["totals"]["entries"] == 1
    written = (here / "registry.yaml").read_text()
    assert "attributes: [mail, cn]" in written
    assert "authentication: [staff]" in written
    assert run("apereo", "services", "--handler", "LDAP").exit_code == 2


def test_other_servers(here: Path) -> None:
    done = run("django-cas-server", str(DUMP), "--username-attribute", "uid")
    assert done.exit_code == 1
    assert "uid: [ada, grace]" in (here / "registry.yaml").read_text()
    (here / "settings.py").write_text("MAMA_CAS_SERVICES = [{'SERVICE': r'^https://a\\.example\\.com/'}]\n")
    assert run("mama-cas", "settings.py", "--output", "mama.yaml").exit_code == 0
    assert "url: https://a.example.com/**" in (here / "mama.yaml").read_text()


def test_second_import_tells_what_changed_at_the_old_server_whatever_was_changed_by_hand(here: Path) -> None:
    services, registry = here / "services", here / "registry.yaml"
    for name, number in (("Same", 4), ("Changed", 7), ("Gone", 5)):
        one = service(rf"^https://{name.lower()}\.example\.edu/.*", name, number)
        (services / f"{name}.json").write_text(json.dumps(one))
    assert run("apereo", "services").exit_code == 0
    registry.write_text(registry.read_text().replace("name: Changed", "name: By hand\n    warn: true"))
    assert run("apereo", "services", "--compare", "registry.yaml").exit_code == 0
    before = registry.read_text()

    (services / "Gone.json").unlink()
    (services / "Same.json").rename(services / "Renamed.json")
    changed = service(r"^https://changed\.example\.edu/.*", "Changed", 7, logoutType="NONE")
    (services / "Changed.json").write_text(json.dumps(changed))
    (services / "New.json").write_text(json.dumps(service(r"^https://new\.example\.edu/.*", "New", 77)))
    done = run("apereo", "services", "--compare", "registry.yaml")
    assert done.exit_code == 1
    assert "Unchanged: 2. Changed: 1. Added: 1. Gone: 1." in done.stdout
    assert "changed: Changed, in the registry changed\n" in done.stdout
    assert "logout: {type: none}" in done.stdout
    assert "gone: services/Gone.json (id 5), in the registry gone\n" in done.stdout
    assert "added: New\n" in done.stdout
    told = json.loads(run("apereo", "services", "--compare", "registry.yaml", "--json").stdout)
    assert [one["id"] for one in told["changed"]] == ["changed"]
    assert registry.read_text() == before


def test_nothing_can_be_compared_with_a_registry_that_no_import_made(here: Path) -> None:
    (here / "registry.yaml").write_text("services: []\n")
    assert run("apereo", "services", "--compare", "registry.yaml").exit_code == 2
    assert run("apereo", "services", "--compare", "missing.yaml").exit_code == 2


def test_place_that_cannot_be_written_is_told(here: Path) -> None:
    assert "cannot be written" in run("apereo", "services", "--output", "missing/registry.yaml").stderr
    assert "cannot be written" in run("apereo", "services", "--output", "missing/registry.yaml", "--force").stderr
    assert "cannot be written" in run("apereo", "services", "--report", "missing/report.txt").stderr
