"""Logins over both interfaces: the rules, what ends them, what the nodes see of them, and who is told."""

from __future__ import annotations

import pytest

from casduo.simulators.clock import VirtualClock
from casduo.simulators.ucm import UcmSimulator
from casduo.simulators.ucm.errors import LoginRefusal
from tests.simulators.ucm.conftest import OTHER_PHONE, PHONE, PLAIN_PHONE, AxlClient, EmClient


class TestOverAxl:
    def test_a_login_and_a_logout(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        assert axl.log_in(PHONE, "ada", "ada-office", "60").text("return") == "true"
        login = ucm.login_of(PHONE)
        assert login is not None
        assert (login.user, login.profile, login.by, login.duration) == ("ada", "ada-office", "axl", 60)
        assert axl("getPhone", f"<name>{PHONE}</name>").text("loginDuration") == "60"
        assert axl.log_out(PHONE).text("return") == "true"
        assert ucm.login_of(PHONE) is None

    def test_nothing_ends_it(self, ucm: UcmSimulator, axl: AxlClient, clock: VirtualClock) -> None:
        ucm.policy.maximum_login_seconds = 3600
        axl.log_in(PHONE, "ada", "ada-ward", "60")
        clock.advance(7 * 86400)
        assert ucm.login_of(PHONE) is not None

    def test_it_does_not_keep_the_policy_unless_told_to(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        axl.log_in(PHONE, "ada", "ada-ward")
        assert axl.log_in(OTHER_PHONE, "ada", "ada-ward").text("return") == "true"
        axl.log_out(OTHER_PHONE)
        ucm.policy.axl_keeps_policy = True
        assert axl.log_in(OTHER_PHONE, "ada", "ada-ward").text("axlcode") == "-1"
        assert ucm.login_of(OTHER_PHONE) is None

    @pytest.mark.parametrize(
        ("device", "userid", "profile", "code"),
        [
            ("SEP999999999999", "ada", "ada-ward", "5007"),
            (PHONE, "nobody", "ada-ward", "5007"),
            (PHONE, "ada", "nothing", "5007"),
            (PHONE, "ada", "grace <&> phone", "5007"),
            (PLAIN_PHONE, "ada", "ada-ward", "-1"),
        ],
    )
    def test_refusals(
        self, ucm: UcmSimulator, axl: AxlClient, device: str, userid: str, profile: str, code: str
    ) -> None:
        assert axl.log_in(device, userid, profile).text("axlcode") == code
        ucm.policy.axl_refusal = "false"
        assert axl.log_in(device, userid, profile).text("return") == "false"

    def test_a_phone_in_use_is_refused_to_others(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        axl.log_in(PHONE, "ada", "ada-ward")
        assert axl.log_in(PHONE, "grace", "grace <&> phone").text("axlcode") == "-1"
        assert axl.log_in(PHONE, "ada", "ada-office").text("axlcode") == "-1"
        assert axl.log_in(PHONE, "ada", "ada-ward").text("return") == "true"
        login = ucm.login_of(PHONE)
        assert login is not None
        assert login.profile == "ada-ward"

    def test_to_log_out_nobody_is_false(self, axl: AxlClient) -> None:
        assert axl.log_out(PHONE).text("return") == "false"
        assert axl.log_out("SEP999999999999").text("axlcode") == "5007"

    @pytest.mark.parametrize("duration", ["-1", "1.5", "", "ever"])
    def test_a_duration_is_a_number_from_0(self, axl: AxlClient, duration: str) -> None:
        assert axl.log_in(PHONE, "ada", "ada-ward", duration).text("axlcode") == "5003"

    def test_writes_may_need_the_publisher(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        ucm.nodes[0].stop_listening()
        assert axl.log_in(PHONE, "ada", "ada-ward", node=1).text("return") == "true"
        ucm.policy.axl_writes_need_publisher = True
        assert axl.log_out(PHONE, node=1).text("axlcode") == "-1"
        assert axl("getPhone", f"<name>{PHONE}</name>", node=1).text("loginUserId") == "ada"


class TestTheEnd:
    def test_a_login_over_the_em_api_ends_by_the_clock(
        self, ucm: UcmSimulator, em: EmClient, clock: VirtualClock
    ) -> None:
        em.log_in(PHONE, "ada", more="<exclusiveDuration><time>60</time></exclusiveDuration>")
        clock.advance(3599)
        assert ucm.login_of(PHONE) is not None
        clock.advance(1)
        assert ucm.login_of(PHONE) is None

    @pytest.mark.parametrize(
        "more", ["", "<exclusiveDuration><indefinite/></exclusiveDuration>"], ids=["nothing", "indefinite"]
    )
    def test_without_a_duration_it_does_not(
        self, ucm: UcmSimulator, em: EmClient, clock: VirtualClock, more: str
    ) -> None:
        em.log_in(PHONE, "ada", more=more)
        clock.advance(30 * 86400)
        assert ucm.login_of(PHONE) is not None

    def test_the_shortest_limit_counts(self, ucm: UcmSimulator, em: EmClient, clock: VirtualClock) -> None:
        ucm.policy.maximum_login_seconds = 1800
        ucm.user("ada").maximum_login_minutes = 20
        em.log_in(PHONE, "ada", more="<exclusiveDuration><time>60</time></exclusiveDuration>")
        clock.advance(1200)
        assert ucm.login_of(PHONE) is None

    def test_every_node_sees_the_end_at_once(
        self, ucm: UcmSimulator, em: EmClient, axl: AxlClient, clock: VirtualClock
    ) -> None:
        ucm.policy.replication_seconds = 60
        em.log_in(PHONE, "ada", more="<exclusiveDuration><time>60</time></exclusiveDuration>")
        clock.advance(3600)
        for node in range(3):
            assert axl("getPhone", f"<name>{PHONE}</name>", node=node).text("loginUserId") == ""


class TestReplication:
    def test_other_nodes_see_a_login_later(
        self, ucm: UcmSimulator, em: EmClient, axl: AxlClient, clock: VirtualClock
    ) -> None:
        ucm.policy.replication_seconds = 2
        em.log_in(PHONE, "ada", node=1)
        ask = f"<name>{PHONE}</name>"
        assert [axl("getPhone", ask, node=node).text("loginUserId") for node in range(3)] == ["", "ada", ""]
        assert em.query("userDevicesQuery", "userID", "ada", node=0).texts("deviceName") == []
        clock.advance(2)
        assert [axl("getPhone", ask, node=node).text("loginUserId") for node in range(3)] == ["ada"] * 3

    def test_a_logout_takes_its_time_too(
        self, ucm: UcmSimulator, em: EmClient, axl: AxlClient, clock: VirtualClock
    ) -> None:
        ucm.policy.replication_seconds = 2
        em.log_in(PHONE, "ada", node=1)
        clock.advance(5)
        em.log_out(PHONE, node=2)
        assert axl("getPhone", f"<name>{PHONE}</name>", node=0).text("loginUserId") == "ada"
        clock.advance(2)
        assert axl("getPhone", f"<name>{PHONE}</name>", node=0).text("loginUserId") == ""


class TestByHand:
    def test_the_default_profile_is_taken_or_the_first(self, ucm: UcmSimulator) -> None:
        assert ucm.log_in(PHONE, "ada").profile == "ada-ward"
        assert ucm.log_in(OTHER_PHONE, "grace").profile == "grace <&> phone"

    @pytest.mark.parametrize(
        ("device", "userid", "reason"),
        [(PHONE, "linus", "no_profile"), (PLAIN_PHONE, "ada", "not_enabled"), ("SEP1", "ada", "no_device")],
    )
    def test_the_rules_hold_here_too(self, ucm: UcmSimulator, device: str, userid: str, reason: str) -> None:
        with pytest.raises(LoginRefusal, match=reason):
            ucm.log_in(device, userid)

    def test_where_somebody_is(self, ucm: UcmSimulator, clock: VirtualClock) -> None:
        ucm.policy.multiple_login = "allow"
        ucm.log_in(OTHER_PHONE, "ada")
        clock.advance(1)
        ucm.log_in(PHONE, "ada")
        assert [login.device for login in ucm.logins_of("ADA")] == [OTHER_PHONE, PHONE]
        assert ucm.logins_of("nobody") == []

    def test_whoever_is_forgotten_is_logged_out(self, ucm: UcmSimulator) -> None:
        ucm.log_in(PHONE, "ada")
        ucm.remove_user("ada")
        assert ucm.login_of(PHONE) is None

    def test_a_profile_that_is_gone_is_nobodys(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        ucm.remove_profile("ada-ward")
        assert axl.log_in(PHONE, "ada", "ada-ward").text("axlcode") == "5007"
        assert ucm.log_in(PHONE, "ada").profile == "ada-office"

    def test_a_phone_that_is_gone(self, ucm: UcmSimulator) -> None:
        ucm.log_in(PHONE, "ada")
        ucm.remove_phone(PHONE)
        assert ucm.logins_of("ada") == []


class TestChanges:
    def test_whoever_wants_to_know_is_told_before_the_answer(
        self, ucm: UcmSimulator, em: EmClient, axl: AxlClient
    ) -> None:
        seen: list[tuple[str, bool]] = []
        ucm.on_change(lambda device: seen.append((device, ucm.login_of(device) is not None)))
        em.log_in(PHONE, "ada")
        em.log_out(PHONE)
        axl.log_in(OTHER_PHONE, "ada", "ada-ward")
        assert seen == [(PHONE, True), (PHONE, False), (OTHER_PHONE, True)]

    def test_nothing_is_told_where_nothing_changed(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        seen: list[str] = []
        axl.log_in(PHONE, "ada", "ada-ward")
        ucm.on_change(seen.append)
        axl.log_in(PHONE, "ada", "ada-ward")
        axl.log_in(PHONE, "grace", "grace <&> phone")
        assert seen == []

    def test_a_moved_login_tells_of_both_phones(self, ucm: UcmSimulator, em: EmClient) -> None:
        ucm.policy.multiple_login = "auto_logout"
        em.log_in(PHONE, "ada")
        seen: list[str] = []
        ucm.on_change(seen.append)
        em.log_in(OTHER_PHONE, "ada")
        assert seen == [PHONE, OTHER_PHONE]

    def test_a_login_that_ends_is_told_when_the_clock_moves(self, ucm: UcmSimulator, clock: VirtualClock) -> None:
        seen: list[str] = []
        ucm.log_in(PHONE, "ada", seconds=60)
        ucm.on_change(seen.append)
        clock.advance(60)
        assert seen == [PHONE]
