"""The one door to Redis: what a batch promises, and that every fault comes out as the same error without any value."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from casduo.errors import UpstreamUnavailable
from casduo.store import Script, Store, load_script
from casduo.store.store import client_for
from tests.support.redis_servers import CountingRelay, start_debian_redis
from tests.support.waiting import until

SECRET = "s3cret-value"


def write_script(directory: Path, name: str, text: str) -> Script:
    (directory / name).write_text(text, encoding="utf-8")
    return load_script(str(directory / "module.py"), name)


@pytest.fixture(scope="module")
def append(tmp_path_factory: pytest.TempPathFactory) -> Script:
    text = "redis.call('APPEND', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])"
    return write_script(tmp_path_factory.mktemp("lua"), "append.lua", text)


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Script:
    text = "local v = redis.call('GET', KEYS[1]) or '' redis.call('SET', KEYS[1], v .. v) return v .. v"
    return write_script(tmp_path_factory.mktemp("lua"), "double.lua", text)


def detail_of(step: object) -> str:
    """What the error says that ``step`` raises."""
    assert callable(step)
    with pytest.raises(UpstreamUnavailable) as caught:
        step()
    error = caught.value
    assert error.upstream == "redis"
    assert SECRET not in f"{error} {error!r} {error.args} {vars(error)}"
    return error.detail


# Batches


def test_answers_come_in_the_order_of_the_commands(any_store: Store, append: Script) -> None:
    batch = any_store.batch()
    replies = [
        batch.command("SET", "{a}1", "x"),
        batch.script(append, ("{a}1",), ("y",)),
        batch.command("GET", "{a}1"),
        batch.command("GET", "{a}nothing"),
        batch.command("EXISTS", "{a}1"),
    ]
    assert len(batch) == 5
    batch.run()
    assert [reply.value for reply in replies] == ["OK", "xy", "xy", None, 1]


def test_an_answer_cannot_be_read_before_the_batch_has_run(any_store: Store) -> None:
    batch = any_store.batch()
    reply = batch.command("PING")
    with pytest.raises(RuntimeError, match="not run"):
        _ = reply.value
    batch.run()
    assert reply.value == "PONG"


def test_a_batch_sends_each_command_once_however_often_it_runs(any_store: Store) -> None:
    batch = any_store.batch()
    first = batch.command("INCR", "n")
    batch.run()
    batch.run()
    second = batch.command("INCR", "n")
    assert len(batch) == 1
    batch.run()
    assert (first.value, second.value) == (1, 2)
    assert len(batch) == 0


def test_an_empty_batch_asks_nobody(relay: CountingRelay) -> None:
    store = Store(client_for(relay.url, "", 1.0, 2, ""))
    store.batch().run()
    assert relay.round_trips == 0
    store.close()


def test_a_batch_is_one_round_trip(store: Store, relay: CountingRelay, append: Script) -> None:
    far = Store(client_for(relay.url, "", 5.0, 2, ""))
    far.call(append, ("k",), ("x",))
    relay.reset()
    batch = far.batch()
    for number in range(200):
        batch.script(append, ("k",), (str(number),))
        batch.command("GET", "k")
    batch.run()
    assert relay.round_trips == 1
    far.close()


def test_values_travel_as_they_are(any_store: Store) -> None:
    for value in ("", " ", "ü\U0001f600", "a\r\nb\0c", "x" * 100_000, "%s", "*1\r\n$4\r\nPING\r\n"):
        any_store.command("SET", "k", value)
        assert any_store.command("GET", "k") == value
    any_store.command("SET", "k", 7)
    assert any_store.command("GET", "k") == "7"
    any_store.command("SET", "k", 0.5)
    assert any_store.command("GET", "k") == "0.5"


# Scripts


def test_a_script_is_known_by_its_hash(append: Script, double: Script) -> None:
    assert append.sha != double.sha
    assert len(append.sha) == 40


def test_a_batch_after_the_scripts_were_forgotten_does_everything_once(
    any_store: Store, append: Script, double: Script
) -> None:
    any_store.call(append, ("{a}k",), ("x",))
    any_store.command("SCRIPT", "FLUSH")
    batch = any_store.batch()
    replies = [
        batch.command("INCR", "{a}n"),
        batch.script(append, ("{a}k",), ("y",)),
        batch.script(double, ("{a}k",)),
        batch.command("INCR", "{a}n"),
    ]
    batch.run()
    assert [reply.value for reply in replies] == [1, "xy", "xyxy", 2]


def test_scripts_run_in_their_order_though_redis_knew_only_one_of_them(
    any_store: Store, append: Script, double: Script
) -> None:
    """A restarted Redis with its data: some request needs the second script first, then a batch needs both."""
    any_store.command("SCRIPT", "FLUSH")
    any_store.command("SET", "{a}k", "x")
    any_store.call(double, ("{a}k",))
    batch = any_store.batch()
    batch.script(append, ("{a}k",), ("y",))
    last = batch.script(double, ("{a}k",))
    batch.run()
    assert last.value == "xxyxxy"


def test_scripts_run_in_their_order_though_an_older_server_left_one_of_them(
    any_redis_url: str, any_store: Store, append: Script, double: Script
) -> None:
    """An update changed the first script of a batch and not the second one, which Redis still knows."""
    any_store.command("SCRIPT", "FLUSH")
    any_store.command("SET", "{a}k", "x")
    any_store.command("SCRIPT", "LOAD", double.text)
    started = Store(client_for(any_redis_url, "", 5.0, 4, ""))
    batch = started.batch()
    batch.script(append, ("{a}k",), ("y",))
    last = batch.script(double, ("{a}k",))
    batch.run()
    assert last.value == "xyxy"
    started.close()


def test_a_script_that_fails_is_our_error(any_store: Store, append: Script) -> None:
    any_store.command("RPUSH", "list", SECRET)
    assert detail_of(lambda: any_store.call(append, ("list",), (SECRET,))) == "ResponseError"
    batch = any_store.batch()
    before = batch.command("INCR", "n")
    batch.script(append, ("list",), (SECRET,))
    assert detail_of(batch.run) == "ResponseError"
    # A batch is no transaction: what stood before has happened, and nobody is told that it worked.
    assert any_store.command("GET", "n") == "1"
    with pytest.raises(RuntimeError):
        _ = before.value
    # The connection is in order, and so are the next answers.
    assert any_store.command("GET", "n") == "1"


# Faults


def test_a_command_that_redis_does_not_know_is_our_error(any_store: Store) -> None:
    assert detail_of(lambda: any_store.command("NONSENSE", SECRET)) == "ResponseError"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Store]:
    """A Redis that a test may spoil."""
    process, url = start_debian_redis(tmp_path)
    store = Store(client_for(url, "", 5.0, 4, ""))
    yield store
    store.close()
    process.kill()
    process.wait()


def test_redis_without_memory_left(own: Store, append: Script) -> None:
    own.command("CONFIG", "SET", "maxmemory", "1")
    assert detail_of(lambda: own.command("SET", "k", SECRET)) == "OutOfMemoryError"
    assert detail_of(lambda: own.call(append, ("k",), (SECRET,))) == "OutOfMemoryError"
    batch = own.batch()
    batch.script(append, ("k",), (SECRET,))
    batch.command("GET", "k")
    assert detail_of(batch.run) == "OutOfMemoryError"
    own.command("CONFIG", "SET", "maxmemory", "0")
    assert own.call(append, ("k",), ("x",)) == "x"


def test_a_replica_that_takes_no_writes(own: Store, append: Script) -> None:
    own.command("SET", "k", "x")
    own.command("REPLICAOF", "127.0.0.1", "1")
    assert detail_of(lambda: own.command("SET", "k", SECRET)) in ("ReadOnlyError", "MasterDownError")
    assert detail_of(lambda: own.call(append, ("k",), (SECRET,))) in ("ReadOnlyError", "MasterDownError")
    own.command("REPLICAOF", "NO", "ONE")
    assert own.command("GET", "k") == "x"


def test_redis_busy_with_a_script_that_does_not_end(own: Store, tmp_path: Path) -> None:
    own.command("CONFIG", "SET", "busy-reply-threshold", "1")
    endless = write_script(tmp_path, "endless.lua", "while true do redis.call('PING') end")
    runner = threading.Thread(target=lambda: detail_of(lambda: own.call(endless, ("k",))))
    runner.start()
    deadline = time.monotonic() + 10
    detail = ""
    while not detail and time.monotonic() < deadline:
        with contextlib.suppress(pytest.fail.Exception):
            detail = detail_of(lambda: own.command("SET", "k", SECRET))
    own.command("SCRIPT", "KILL")
    runner.join(10)
    assert detail
    assert own.command("SET", "k", "x") == "OK"


def test_a_wrong_password(own: Store, tmp_path: Path) -> None:
    own.command("CONFIG", "SET", "requirepass", "right")
    url = f"unix://{tmp_path}/redis.sock"
    for password in ("", SECRET):
        stranger = Store(client_for(url, password, 5.0, 2, ""))
        assert detail_of(stranger.ping) in ("AuthenticationError", "NoPermissionError", "ResponseError")
        stranger.close()
    friend = Store(client_for(url, "right", 5.0, 2, ""))
    friend.ping()
    friend.close()


@pytest.mark.parametrize("url", ["unix:///nonexistent/redis.sock", "redis://127.0.0.1:1/0", "rediss://127.0.0.1:1/0"])
def test_nobody_there(url: str) -> None:
    store = Store(client_for(url, SECRET, 0.5, 2, ""))
    assert detail_of(lambda: store.command("SET", "k", SECRET)) in ("ConnectionError", "TimeoutError")
    store.close()


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[str]:
    """Somebody who takes connections and never says a word."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "silent.sock"))
    listener.listen(16)
    yield f"unix://{tmp_path}/silent.sock"
    listener.close()


def test_a_redis_that_does_not_answer_is_waited_for_no_longer_than_said(silent: str) -> None:
    store = Store(client_for(silent, "", 0.2, 2, ""))
    for step in (store.ping, lambda: store.command("SET", "k", SECRET)):
        began = time.monotonic()
        assert detail_of(step) in ("TimeoutError", "ConnectionError")
        assert time.monotonic() - began < 2.0
    store.close()


def test_an_answer_that_comes_too_late_is_nobody_elses(own: Store, tmp_path: Path) -> None:
    """A connection given up while its answer was under way must not hand that answer to the next command."""
    hasty = Store(client_for(f"unix://{tmp_path}/redis.sock", "", 0.2, 1, ""))
    hasty.command("SET", "mine", "x")
    own.command("CLIENT", "PAUSE", "600", "ALL")
    assert detail_of(lambda: hasty.command("GET", "mine")) == "TimeoutError"
    own.command("SET", "other", "y")
    assert hasty.command("GET", "other") == "y"
    hasty.close()


def test_a_value_that_is_no_text_harms_nothing_but_its_own_reader(own: Store, tmp_path: Path) -> None:
    own.command("EVAL", r"redis.call('SET', 'bad', '\255\254') return 1", 0)
    with pytest.raises((UpstreamUnavailable, UnicodeDecodeError)):
        own.command("GET", "bad")
    own.command("SET", "k", "x")
    assert own.command("GET", "k") == "x"


def test_connections_that_redis_closed_are_replaced(own: Store) -> None:
    gate = threading.Barrier(4)

    def ask(number: int) -> str:
        gate.wait()
        return str(own.command("ECHO", str(number)))

    for _ in range(3):
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(ask, range(4))) == ["0", "1", "2", "3"]
        own.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert own.command("PING") == "PONG"


def test_a_redis_that_comes_back_is_used_again(tmp_path: Path) -> None:
    process, url = start_debian_redis(tmp_path)
    store = Store(client_for(url, "", 5.0, 4, ""))
    store.ping()
    process.kill()
    process.wait()
    assert detail_of(store.ping) == "ConnectionError"
    process, _ = start_debian_redis(tmp_path)
    store.ping()
    store.close()
    process.kill()
    process.wait()


def test_many_threads_never_read_each_others_answers(any_store: Store, append: Script) -> None:
    def ask(number: int) -> bool:
        batch = any_store.batch()
        key = f"{{{number}}}k"
        replies = [batch.command("SET", key, number), batch.script(append, (key,), ("x",)), batch.command("GET", key)]
        batch.run()
        return [reply.value for reply in replies] == ["OK", f"{number}x", f"{number}x"]

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(400)))


def test_closing_gives_connections_back(own: Store, tmp_path: Path) -> None:
    other = Store(client_for(f"unix://{tmp_path}/redis.sock", "", 5.0, 4, ""))
    other.ping()
    assert len(own.command("CLIENT", "LIST").splitlines()) == 2
    other.close()
    # Redis notices that in its own time.
    until(lambda: len(own.command("CLIENT", "LIST").splitlines()) == 1, "the end of the connection")
