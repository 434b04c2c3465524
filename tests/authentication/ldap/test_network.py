from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from casduo.authentication.ldap.network import NetworkDirectory
from casduo.authentication.ldap.settings import PAUSE, LdapSettings
from casduo.errors import UpstreamMisconfigured, UpstreamUnavailable
from casduo.outbound.breaker import BreakerState
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.clock import VirtualClock
from tests.authentication.slapd import BASE, PEOPLE, READER, Slapd
from tests.authentication.tcp import canned_ldap, server
from tests.support.ports import free_port

ADA = f"uid=ada,{PEOPLE}"
Make = Callable[..., LdapSettings]
Start = Callable[..., Slapd]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(start=1000.0)


@pytest.fixture
def connect(clock: VirtualClock) -> Iterator[Callable[[LdapSettings], NetworkDirectory]]:
    opened: list[NetworkDirectory] = []

    def open_directory(settings: LdapSettings) -> NetworkDirectory:
        opened.append(NetworkDirectory(settings, clock))
        return opened[-1]

    yield open_directory
    for directory in opened:
        directory.close()


Connect = Callable[[LdapSettings], NetworkDirectory]


def be_silent(connection: socket.socket) -> None:
    while connection.recv(1024):
        pass


def send_drops(connection: socket.socket) -> None:
    """Promise a long answer and send it one octet at a time, for ever."""
    connection.recv(1024)
    connection.settimeout(0.005)
    try:
        connection.sendall(b"\x30\x82\x0f\x00")
        while True:
            try:
                if not connection.recv(1024):
                    return
            except TimeoutError:
                connection.sendall(b"\x00")
    except OSError:
        return


def talk_nonsense(octets: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        connection.recv(1024)
        connection.sendall(octets)

    return behave


# -- encryption ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start_tls", [False, True])
def test_a_server_of_another_authority_is_not_talked_to(
    start_slapd: Start, make_settings: Make, connect: Connect, tmp_path: Path, start_tls: bool
) -> None:
    stranger = CertificateAuthority.create(tmp_path / "stranger", "somebody else")
    slapd = start_slapd(tls=stranger.issue())
    directory = connect(make_settings(slapd.url if start_tls else slapd.secure_url, start_tls=start_tls))

    with capture_logs() as logs, pytest.raises(UpstreamUnavailable):
        directory.bind_as(ADA, "ada's password")

    assert "certificate verify failed" in logs[0]["detail"]
    assert slapd.binds() == []


@pytest.mark.parametrize("start_tls", [False, True])
def test_a_server_with_a_certificate_for_another_name_is_not_talked_to(
    start_slapd: Start, make_settings: Make, connect: Connect, authority: CertificateAuthority, start_tls: bool
) -> None:
    slapd = start_slapd(tls=authority.issue(["ldap.example.edu"], localhost=False))
    directory = connect(make_settings(slapd.url if start_tls else slapd.secure_url, start_tls=start_tls))

    with capture_logs() as logs, pytest.raises(UpstreamUnavailable):
        directory.bind_as(ADA, "ada's password")

    assert "Hostname mismatch" in logs[0]["detail"]
    assert slapd.binds() == []


def test_a_server_with_an_expired_certificate_is_not_talked_to(
    start_slapd: Start, make_settings: Make, connect: Connect, authority: CertificateAuthority
) -> None:
    slapd = start_slapd(tls=authority.issue(expired=True))

    with capture_logs() as logs, pytest.raises(UpstreamUnavailable):
        connect(make_settings(slapd.secure_url)).bind_as(ADA, "ada's password")

    assert "certificate has expired" in logs[0]["detail"]


def test_a_server_that_refuses_start_tls_gets_no_password(
    start_slapd: Start, make_settings: Make, connect: Connect
) -> None:
    slapd = start_slapd(tls=None)

    with pytest.raises(UpstreamMisconfigured, match="refuses StartTLS"):
        connect(make_settings(slapd.url, start_tls=True)).bind_as(ADA, "ada's password")

    assert slapd.binds() == []


def test_an_address_is_checked_against_the_certificate_too(
    shared_slapd: Slapd, make_settings: Make, connect: Connect
) -> None:
    by_address = shared_slapd.secure_url.replace("localhost", "127.0.0.1")

    assert connect(make_settings(by_address)).bind_as(ADA, "ada's password").code == 0


def test_a_missing_file_of_authorities_is_told_at_start(make_settings: Make, tmp_path: Path) -> None:
    with pytest.raises(UpstreamMisconfigured, match="ca_file"):
        NetworkDirectory(make_settings("ldaps://localhost", ca_file=tmp_path / "missing.pem"))


def test_old_versions_of_tls_are_not_spoken(make_settings: Make, connect: Connect, shared_slapd: Slapd) -> None:
    directory = connect(make_settings(shared_slapd.secure_url))

    assert directory._transport.tls.minimum_version == ssl.TLSVersion.TLSv1_2


# -- servers that do not answer as they should -----------------------------------------------------------------------


@pytest.mark.parametrize("behave", [be_silent, send_drops], ids=["silent", "one octet at a time"])
@pytest.mark.parametrize("way", [{"allow_plaintext": True}, {"start_tls": True}])
def test_a_server_that_is_too_slow_is_given_up(
    make_settings: Make, connect: Connect, behave: Callable[[socket.socket], None], way: dict[str, bool]
) -> None:
    with server(behave) as url, capture_logs() as logs:
        directory = connect(make_settings(url, receive_timeout=0.1, **way))
        with pytest.raises(UpstreamUnavailable):
            directory.bind_as(ADA, "ada's password")
        with pytest.raises(UpstreamUnavailable):
            directory.search_user("ada")

    assert [entry["detail"] for entry in logs] == ["no answer in time"] * 2


def test_a_handshake_that_never_ends_is_given_up(make_settings: Make, connect: Connect) -> None:
    with server(be_silent) as url, capture_logs() as logs:
        directory = connect(make_settings(url.replace("ldap://", "ldaps://"), receive_timeout=0.1))
        with pytest.raises(UpstreamUnavailable):
            directory.search_user("ada")

    assert "timed out" in logs[0]["detail"]


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x30\x00",
        b"\x30\x05\x02\x01\x01\x61\x00",
        b"\x30\x0c\x02\x01\x7f\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
        b"\xff" * 64,
        b"\x00" * 64,
        b"\x30\x84\xff\xff\xff\xff" + b"\x00" * 64,
    ],
    ids=ascii,
)
def test_a_server_that_talks_nonsense_is_unavailable(make_settings: Make, connect: Connect, octets: bytes) -> None:
    with server(talk_nonsense(octets)) as url:
        directory = connect(make_settings(url, allow_plaintext=True, receive_timeout=0.5))
        with pytest.raises(UpstreamUnavailable):
            directory.bind_as(ADA, "ada's password")
        with pytest.raises(UpstreamUnavailable):
            directory.search_user("ada")


def test_an_endless_answer_is_cut_off(make_settings: Make, connect: Connect) -> None:
    def flood(connection: socket.socket) -> None:
        connection.recv(1024)
        try:
            connection.sendall(b"\x30\x84\x7f\xff\xff\xff" + b"\x00" * (8 * 1024 * 1024))
        except OSError:
            return

    with server(flood) as url, capture_logs() as logs:
        directory = connect(make_settings(url, allow_plaintext=True, receive_timeout=30))
        with pytest.raises(UpstreamUnavailable):
            directory.bind_as(ADA, "ada's password")

    assert logs[0]["detail"] == "LDAPSocketReceiveError"


def test_a_referral_is_not_followed(start_slapd: Start, make_settings: Make, connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        slapd = start_slapd(globally=f"referral ldap://127.0.0.1:{elsewhere.getsockname()[1]}")
        directory = connect(make_settings(slapd.url, allow_plaintext=True, base="dc=example,dc=org"))

        with pytest.raises(UpstreamMisconfigured, match="result 10"):
            directory.search_user("ada")
        assert directory.bind_as("uid=ada,dc=example,dc=org", "ada's password").code != 0
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


# -- a set-up that cannot work ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"bind_password": "wrong"}, "bind_dn refused with result 49"),
        ({"base": f"ou=nowhere,{BASE}"}, "search answered with result 32"),
        ({"filter": "(uid={username}"}, "filter is not valid"),
    ],
)
def test_a_wrong_setting_is_told_as_such(
    shared_slapd: Slapd, make_settings: Make, connect: Connect, changes: dict[str, str], says: str
) -> None:
    directory = connect(make_settings(shared_slapd.secure_url, **changes))

    for _ in range(5):
        with pytest.raises(UpstreamMisconfigured, match=says):
            directory.search_user("ada")


def test_anonymous_searching_needs_no_account(start_slapd: Start, make_settings: Make, connect: Connect) -> None:
    slapd = start_slapd(readers="anonymous")
    directory = connect(make_settings(slapd.url, allow_plaintext=True, bind_dn="", bind_password=""))

    assert len(directory.search_user("ada")) == 1
    assert slapd.binds() == []


# -- several servers -------------------------------------------------------------------------------------------------


def test_the_next_server_takes_over_and_the_first_is_tried_again_later(
    start_slapd: Start, make_settings: Make, connect: Connect, clock: VirtualClock
) -> None:
    first, second = start_slapd(), start_slapd()
    directory = connect(make_settings(first.secure_url, second.secure_url))
    first.stop()

    with capture_logs() as logs:
        assert directory.bind_as(ADA, "ada's password").code == 0
        assert len(directory.search_user("ada")) == 1
    assert [entry["server"] for entry in logs] == [first.secure_url]

    first.start()
    directory.bind_as(ADA, "ada's password")
    assert first.binds() == []

    clock.advance(PAUSE)
    directory.bind_as(ADA, "ada's password")
    assert first.binds() == [ADA]


def test_a_silent_server_costs_one_wait_and_is_then_left_alone(
    start_slapd: Start, make_settings: Make, connect: Connect
) -> None:
    slapd = start_slapd()
    with server(be_silent) as silent, capture_logs() as logs:
        directory = connect(make_settings(silent, slapd.url, allow_plaintext=True, receive_timeout=0.1))
        for _ in range(3):
            assert directory.bind_as(ADA, "ada's password").code == 0

    assert [entry["detail"] for entry in logs] == ["no answer in time"]


def test_a_wrong_password_is_not_tried_on_the_next_server(
    start_slapd: Start, make_settings: Make, connect: Connect
) -> None:
    first, second = start_slapd(), start_slapd()

    assert connect(make_settings(first.url, second.url, allow_plaintext=True)).bind_as(ADA, "wrong").code == 49

    assert (first.binds(), second.binds()) == ([ADA], [])


def test_with_every_server_down_the_answer_comes_at_once_until_one_is_back(
    start_slapd: Start, make_settings: Make, connect: Connect, clock: VirtualClock
) -> None:
    slapd = start_slapd()
    closed = free_port()
    directory = connect(make_settings(f"ldap://localhost:{closed}", slapd.url, allow_plaintext=True))
    slapd.stop()
    with pytest.raises(UpstreamUnavailable, match="no server answers"):
        directory.search_user("ada")

    slapd.start()
    with capture_logs() as logs, pytest.raises(UpstreamUnavailable):
        directory.search_user("ada")
    assert logs == []

    clock.advance(PAUSE)
    assert len(directory.search_user("ada")) == 1


def test_a_server_without_a_deputy_gets_more_than_one_chance(
    start_slapd: Start, make_settings: Make, connect: Connect
) -> None:
    slapd = start_slapd()
    directory = connect(make_settings(slapd.url, allow_plaintext=True))
    slapd.stop()
    with pytest.raises(UpstreamUnavailable):
        directory.search_user("ada")

    slapd.start()

    assert len(directory.search_user("ada")) == 1


@pytest.mark.parametrize("code", [51, 52])
def test_a_server_that_says_it_cannot_is_passed_over(
    start_slapd: Start, make_settings: Make, connect: Connect, code: int
) -> None:
    slapd = start_slapd()
    with server(canned_ldap(bind=code)) as unable:
        directory = connect(make_settings(unable, slapd.url, allow_plaintext=True))
        assert directory.bind_as(ADA, "ada's password").code == 0
    with server(canned_ldap(bind=code)) as unable:
        directory = connect(make_settings(unable, slapd.url, allow_plaintext=True))
        assert len(directory.search_user("ada")) == 1


@pytest.mark.parametrize("code", [1, 3, 11, 51, 52, 80])
def test_a_server_that_cannot_search_is_passed_over(
    start_slapd: Start, make_settings: Make, connect: Connect, code: int
) -> None:
    slapd = start_slapd()
    with server(canned_ldap(search=code)) as unable, capture_logs() as logs:
        directory = connect(make_settings(unable, slapd.url, allow_plaintext=True))
        assert len(directory.search_user("ada")) == 1

    assert [entry["detail"] for entry in logs] == [f"search answered with result {code}"]


@pytest.mark.parametrize("code", [1, 2, 3, 7, 8, 10, 11, 13, 14, 54, 80])
def test_where_one_server_gives_no_verdict_the_next_one_is_asked(
    start_slapd: Start, make_settings: Make, connect: Connect, code: int
) -> None:
    slapd = start_slapd()
    with server(canned_ldap(bind=code)) as unable:
        directory = connect(make_settings(unable, slapd.url, allow_plaintext=True))
        assert directory.bind_as(ADA, "ada's password").code == 0
        assert directory.bind_as(ADA, "not hers").code == 49
        # Somebody's own entry may be what the server stumbles over: it is not left alone for that.
        assert set(directory.servers().values()) == {BreakerState.CLOSED}


def test_where_no_server_gives_a_verdict_the_first_ones_answer_stands(make_settings: Make, connect: Connect) -> None:
    with server(canned_ldap(bind=80)) as first, server(canned_ldap(bind=13)) as second:
        directory = connect(make_settings(first, second, allow_plaintext=True))
        assert directory.bind_as(ADA, "ada's password").code == 80


@pytest.mark.parametrize("answers", [{"bind": 49}, {"search": 32}, {"search": 50}], ids=str)
def test_of_several_servers_one_that_is_set_up_wrongly_is_passed_over(
    start_slapd: Start, make_settings: Make, connect: Connect, answers: dict[str, int]
) -> None:
    slapd = start_slapd()
    with server(canned_ldap(**answers)) as wrong, capture_logs() as logs:
        directory = connect(make_settings(wrong, slapd.url, allow_plaintext=True))
        assert len(directory.search_user("ada")) == 1

    assert [entry["server"] for entry in logs] == [wrong]


@pytest.mark.parametrize("operation", [0x61, 0x65, 0x69, 0x78], ids=hex)
def test_an_answer_to_something_else_is_no_answer(make_settings: Make, connect: Connect, operation: int) -> None:
    # Success, under the very id that was asked with.
    with server(canned_ldap(operation=operation)) as url:
        directory = connect(make_settings(url, allow_plaintext=True, bind_dn="", bind_password=""))
        if operation != 0x61:
            with pytest.raises(UpstreamUnavailable):
                directory.bind_as(ADA, "ada's password")
        if operation != 0x65:
            with pytest.raises(UpstreamUnavailable):
                directory.search_user("ada")


def test_start_tls_is_begun_by_its_own_answer_alone(make_settings: Make, connect: Connect) -> None:
    def behave(connection: socket.socket) -> None:
        request = connection.recv(4096)
        connection.sendall(b"\x30\x0c" + request[2:5] + b"\x61\x07\x0a\x01\x00\x04\x00\x04\x00")
        heard.append(connection.recv(4096))

    heard: list[bytes] = []
    with server(behave) as url, pytest.raises(UpstreamUnavailable):
        connect(make_settings(url, start_tls=True)).bind_as(ADA, "ada's password")
    # At most a goodbye.
    assert len(heard[0]) < 10


# -- the pool --------------------------------------------------------------------------------------------------------


def test_searches_share_a_connection_and_binds_do_not(
    start_slapd: Start, make_settings: Make, connect: Connect
) -> None:
    slapd = start_slapd()
    directory = connect(make_settings(slapd.secure_url))

    for _ in range(3):
        directory.search_user("ada")
        directory.bind_as(ADA, "ada's password")

    assert slapd.binds() == [READER, ADA, ADA, ADA]


def test_a_connection_that_died_while_idle_is_replaced_unnoticed(
    start_slapd: Start, make_settings: Make, connect: Connect
) -> None:
    slapd = start_slapd()
    directory = connect(make_settings(slapd.secure_url))
    directory.search_user("ada")
    slapd.stop()
    slapd.start()

    with capture_logs() as logs:
        assert len(directory.search_user("ada")) == 1

    assert [entry["event"] for entry in logs] == ["ldap_connection_stale"]


def test_a_connection_that_was_idle_for_long_is_not_used_again(
    start_slapd: Start, make_settings: Make, connect: Connect, clock: VirtualClock
) -> None:
    slapd = start_slapd()
    directory = connect(make_settings(slapd.secure_url))

    directory.search_user("ada")
    clock.advance(61)
    directory.search_user("ada")

    assert slapd.binds() == [READER, READER]


@pytest.mark.parametrize("pool_size", [0, 2])
def test_no_more_idle_connections_are_kept_than_set(
    shared_slapd: Slapd, make_settings: Make, connect: Connect, pool_size: int
) -> None:
    directory = connect(make_settings(shared_slapd.url, allow_plaintext=True, pool_size=pool_size))
    together = threading.Barrier(6)
    found: list[int] = []

    def search() -> None:
        together.wait(10)
        found.append(len(directory.search_user("ada")))

    threads = [threading.Thread(target=search) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert found == [1] * 6
    assert all(len(pool._idle) <= pool_size for pool in directory._pools.values())


def test_many_threads_get_everybodys_own_entry(shared_slapd: Slapd, make_settings: Make, connect: Connect) -> None:
    directory = connect(make_settings(shared_slapd.url, allow_plaintext=True, pool_size=2))
    mixed_up: list[str] = []

    def search(username: str) -> None:
        for _ in range(15):
            if [entry.dn for entry in directory.search_user(username)] != [f"uid={username},{PEOPLE}"]:
                mixed_up.append(username)

    threads = [threading.Thread(target=search, args=(name,)) for name in ("ada", "grace", "linus", "frances")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert mixed_up == []


def test_nothing_that_is_logged_or_raised_repeats_a_password(make_settings: Make, connect: Connect) -> None:
    with server(talk_nonsense(b"\x30\x00")) as url, capture_logs() as logs:
        directory = connect(make_settings(url, allow_plaintext=True, receive_timeout=0.5))
        with pytest.raises(UpstreamUnavailable) as failed:
            directory.bind_as(ADA, "engine")

    assert "engine" not in f"{logs} {failed.value!r} {failed.value}"
