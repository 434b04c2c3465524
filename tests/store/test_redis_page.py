"""docs/redis.md says what holds: its settings load, and its account is enough for server and worker, not for more."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from casduo.settings import load_settings
from casduo.settings.redisnodes import ClusterAddress, SentinelAddress, parse_nodes
from tests.support.ports import free_port
from tests.support.proxies import ROOT
from tests.support.redis_fleet import redis_server
from tests.support.served import serving
from tests.support.site import LIBRARY
from tests.support.visitor import Visitor, ticket_in
from tests.support.waiting import PATIENCE, until

PAGE = (ROOT / "docs" / "redis.md").read_text(encoding="utf-8")
CONNECTING = {
    "EVAL",
    "EVALSHA",
    "SCRIPT|LOAD",
    "MULTI",
    "EXEC",
    "SELECT",
    "CLUSTER|SLOTS",
    "CLUSTER|NODES",
    "ASKING",
    "WAIT",
}
"""What the store needs besides the commands of its callers."""
[ACCOUNT] = re.findall(r"```text\n(user casduo .*?)```", PAGE, re.S)
PASSWORD = "only-what-it-needs"


def commands_of_the_code() -> set[str]:
    found = set()
    for path in (ROOT / "casduo").rglob("*.lua"):
        found |= set(re.findall(r"redis\.p?call\(\s*['\"]([A-Za-z]+)['\"]", path.read_text(encoding="utf-8")))
    for path in (ROOT / "casduo").rglob("*.py"):
        if not {"middleware", "simulators"} & set(path.parts):
            found |= set(re.findall(r"\b(?:command|confirmed)\(\s*\"([A-Z]+)\"", path.read_text(encoding="utf-8")))
    return {name.upper() for name in found}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A Redis with the page's account, and one for the test. Yields its port."""
    directory, port = tmp_path_factory.mktemp("guarded"), free_port()
    account = " ".join(ACCOUNT.split()).replace("THE_PASSWORD", PASSWORD)
    (directory / "users.acl").write_text(f"user default on nopass ~* &* +@all\n{account}\n", encoding="ascii")
    options = {"port": port, "bind": "127.0.0.1", "dir": directory, "save": "", "aclfile": directory / "users.acl"}
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    process = subprocess.Popen([redis_server(), *words], stdout=subprocess.DEVNULL)

    def answers() -> bool:
        assert process.poll() is None
        with client(port) as admin:
            try:
                return bool(admin.ping())
            except redis.ConnectionError:
                return False

    until(answers, "Redis with accounts")
    yield port
    process.terminate()
    process.wait(PATIENCE)


def client(port: int, username: str = "default") -> redis.Redis:
    password = PASSWORD if username == "casduo" else None
    return redis.Redis(
        port=port, username=username, password=password, decode_responses=True, retry=Retry(NoBackoff(), 0)
    )


def test_the_settings_of_the_page_are_taken(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    assert len(blocks) == 3
    kinds = []
    (tmp_path / "secrets").mkdir()
    for name in ("redis_password", "sentinel_password"):
        (tmp_path / "secrets" / name).write_text("secret\n", encoding="ascii")
    ca = tmp_path / "redis-ca.pem"
    ca.touch()
    for block in blocks:
        path = tmp_path / "casduo.yaml"
        path.write_text(
            "server: {url: https://sso.example.edu/cas}\n"
            "authentication: [{type: users_file, path: users.yaml}]\n"
            + block.replace("/etc/casduo/tls/redis-ca.pem", str(ca)),
            encoding="utf-8",
        )
        found = load_settings(path, {}).redis
        assert found.password is not None
        assert found.url is not None
        address = parse_nodes(found.url)
        assert isinstance(address, SentinelAddress) == (found.sentinel_password is not None)
        kinds.append(type(address))
    assert kinds == [type(None), SentinelAddress, ClusterAddress]


def test_the_account_has_the_commands_of_the_code_and_no_others() -> None:
    listed = {word.upper() for word in re.findall(r"\+([a-z|]+)", ACCOUNT)}
    assert listed == commands_of_the_code() - {"CLUSTER"} | CONNECTING


def test_a_server_and_a_worker_need_no_more_than_the_account(guarded: int, tmp_path: Path) -> None:
    url = f"redis://casduo:{PASSWORD}@127.0.0.1:{guarded}/0"
    with (
        serving(tmp_path, url, worker=True) as served,
        Visitor("") as ada,
    ):
        page = ada.step(f"{served.url}login", params={"service": LIBRARY})
        ticket = ticket_in(ada.submit(page).headers["Location"])
        answer = ada.step(f"{served.url}p3/serviceValidate", params={"service": LIBRARY, "ticket": ticket})
        assert "<cas:user>ada</cas:user>" in answer.text
        assert ada.step(f"{served.url}logout").status_code == 200
        trail = tmp_path / "state" / "audit"
        until(lambda: "signout" in "".join(f.read_text() for f in trail.glob("*.jsonl")), "the worker writes the trail")
    with client(guarded) as admin:
        assert admin.acl_log() == []


@pytest.mark.parametrize(
    "words",
    [("KEYS", "*"), ("SCAN", "0"), ("FLUSHALL",), ("CONFIG", "GET", "*"), ("GET", "other"), ("SCRIPT", "FLUSH")],
    ids=" ".join,
)
def test_the_account_can_do_nothing_else(guarded: int, words: tuple[str, ...]) -> None:
    with client(guarded, "casduo") as theirs, pytest.raises(redis.exceptions.NoPermissionError):
        theirs.execute_command(*words)
