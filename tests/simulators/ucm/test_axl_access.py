"""Who may ask over AXL: accounts and roles, sessions, the version and the header that names it."""

from __future__ import annotations

import pytest

from casduo.simulators.clock import VirtualClock
from casduo.simulators.ucm import UcmSimulator
from tests.simulators.ucm.conftest import AXL_SECRET, EM_SECRET, PHONE, AxlClient, EmClient


def cookie_of(axl: AxlClient, **how: int) -> str:
    return axl("getCCMVersion", **how).response.cookies["JSESSIONIDSSO"]


class TestAccounts:
    @pytest.mark.parametrize("account", [None, ("axl", "wrong"), ("nobody", AXL_SECRET), ("ada", "Analytical")])
    def test_who_is_not_known_gets_401(self, axl: AxlClient, account: tuple[str, str] | None) -> None:
        answer = axl("getCCMVersion", account=account)
        assert answer.status == 401
        assert answer.response.headers["WWW-Authenticate"].startswith("Basic ")
        assert "JSESSIONIDSSO" not in answer.response.cookies

    def test_an_account_without_the_role_gets_403(self, axl: AxlClient) -> None:
        assert axl("getCCMVersion", account=("em", EM_SECRET)).status == 403

    def test_a_reader_reads_and_does_not_write(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        reader = ("reader", AXL_SECRET)
        assert axl.pin("ada", "1815", account=reader).text("userAuthenticated") == "true"
        assert axl("getUser", "<userid>ada</userid>", account=reader).status == 200
        assert axl.log_in(PHONE, "ada", "ada-ward", account=reader).status == 403
        assert axl.log_out(PHONE, account=reader).status == 403
        assert ucm.login_of(PHONE) is None

    def test_wrong_passwords_lock_the_account_on_every_node(self, axl: AxlClient) -> None:
        for node in range(3):
            axl("getCCMVersion", account=("axl", "wrong"), node=node)
        assert axl("getCCMVersion").status == 401


class TestTheAddress:
    def test_the_slash_at_the_end_is_needed(self, axl: AxlClient) -> None:
        assert axl("getCCMVersion", path="/axl").status == 404

    def test_other_paths_are_not_there(self, axl: AxlClient) -> None:
        assert axl("getCCMVersion", path="/realtimeservice2/").status == 404

    def test_a_service_that_does_not_run_is_not_found(self, ucm: UcmSimulator, axl: AxlClient, em: EmClient) -> None:
        ucm.nodes[0].services.discard("axl")
        ucm.nodes[1].services.discard("em")
        assert (axl("getCCMVersion").status, axl("getCCMVersion", node=1).status) == (404, 200)
        assert (em.log_out(PHONE).status, em.log_out(PHONE, node=1).status) == (200, 404)


class TestTheVersion:
    def test_the_header_may_leave_the_operation_out(self, axl: AxlClient) -> None:
        assert axl("getCCMVersion", headers={"SOAPAction": '"CUCM:DB ver=14.0"'}).status == 200

    @pytest.mark.parametrize(
        "header",
        [None, "", '"getCCMVersion"', '"CUCM:DB ver=12.5 getCCMVersion"', '"CUCM:DB ver=14.0 getUser"'],
    )
    def test_a_header_that_is_missing_or_says_something_else_is_an_error(
        self, axl: AxlClient, header: str | None
    ) -> None:
        answer = axl("getCCMVersion", headers={"SOAPAction": header})
        assert (answer.status, answer.text("axlcode")) == (500, "5003")

    @pytest.mark.parametrize("version", ["12.0", "12.5", "14.0"])
    def test_older_versions_are_answered_in_their_own_namespace(self, axl: AxlClient, version: str) -> None:
        answer = axl("getUser", "<userid>ada</userid>", version=version)
        assert answer.status == 200
        assert f'xmlns:ns="http://www.cisco.com/AXL/API/{version}"' in answer.response.text

    @pytest.mark.parametrize("version", ["11.5", "15.0"])
    def test_versions_out_of_reach_get_599(self, ucm: UcmSimulator, axl: AxlClient, version: str) -> None:
        assert axl("getCCMVersion", version=version).status == 599
        ucm.policy.axl_versions = ("11.5", "12.0", "12.5", "14.0", "15.0")
        assert axl("getCCMVersion", version=version).status == 200


class TestSessions:
    def test_the_cookie_stands_for_the_password(self, axl: AxlClient) -> None:
        answer = axl("getCCMVersion", cookie=cookie_of(axl), account=None)
        assert answer.status == 200
        assert "JSESSIONIDSSO" not in answer.response.cookies

    def test_a_session_lives_thirty_minutes_from_its_last_use(self, axl: AxlClient, clock: VirtualClock) -> None:
        cookie = cookie_of(axl)
        for _ in range(3):
            clock.advance(29 * 60)
            assert axl("getCCMVersion", cookie=cookie).status == 200
        clock.advance(30 * 60)
        assert axl("getCCMVersion", cookie=cookie).status == 404

    def test_after_404_the_password_alone_works(self, axl: AxlClient, clock: VirtualClock) -> None:
        cookie = cookie_of(axl)
        clock.advance(1800)
        assert axl("getCCMVersion", cookie=cookie).status == 404
        assert axl("getCCMVersion").status == 200

    def test_a_session_of_one_node_is_unknown_to_the_others(self, axl: AxlClient) -> None:
        assert axl("getCCMVersion", cookie=cookie_of(axl, node=0), node=1).status == 404

    def test_a_restart_ends_the_sessions(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        cookie = cookie_of(axl)
        ucm.nodes[0].stop_listening()
        ucm.nodes[0].listen_again()
        assert axl("getCCMVersion", cookie=cookie).status == 404

    def test_the_role_is_looked_at_in_a_session_too(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        cookie = cookie_of(axl)
        ucm.add_application_user("axl", AXL_SECRET, {"em"})
        assert axl("getCCMVersion", cookie=cookie).status == 403
