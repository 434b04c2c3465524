"""Everything that can go wrong with a node, each where and as often as a test wants it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ReadTimeout, SSLError

from casduo.simulators.certificates import CERTIFICATE_FAULTS, CertificateFault
from casduo.simulators.ucm import UcmSimulator
from casduo.simulators.ucm.faults import AnswerKind, SpoilKind
from tests.simulators.ucm.conftest import OTHER_PHONE, PHONE, Answer, AxlClient, EmClient


class TestCannedAnswers:
    @pytest.mark.parametrize(
        ("kind", "status", "content_type", "text"),
        [
            ("unavailable", 503, "text/html", "not available"),
            ("unavailable_empty", 503, "text/xml", ""),
            ("html", 200, "text/html", "maintenance"),
            ("empty", 200, "text/xml", ""),
            ("unauthorized", 401, "text/html", "authentication"),
            ("forbidden", 403, "text/html", "denied"),
            ("not_found", 404, "text/html", "nothing"),
            ("version_not_offered", 599, "text/html", "version"),
            ("memory", 500, "text/xml", "<axlmessage>Maximum AXL Memory Allocation Consumed"),
            ("too_large", 500, "text/xml", "<axlmessage>Query request too large"),
        ],
    )
    def test_nobody_is_asked(
        self, ucm: UcmSimulator, axl: AxlClient, kind: AnswerKind, status: int, content_type: str, text: str
    ) -> None:
        ucm.nodes[0].faults.answer(kind)
        answer = axl.log_in(PHONE, "ada", "ada-ward")
        assert (answer.status, answer.response.headers["Content-Type"].partition(";")[0]) == (status, content_type)
        assert text in answer.response.text
        assert ucm.login_of(PHONE) is None

    def test_a_fault_is_of_one_node_one_operation_and_so_many_times(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        ucm.nodes[0].faults.answer("unavailable", "getUser", times=2)
        ask = ("getUser", "<userid>ada</userid>")
        assert axl(*ask, node=1).status == 200
        assert axl("getCCMVersion").status == 200
        assert [axl(*ask).status for _ in range(3)] == [503, 503, 200]

    def test_both_interfaces_have_them(self, ucm: UcmSimulator, em: EmClient) -> None:
        ucm.nodes[0].faults.answer("unavailable", "login")
        assert em.log_in(PHONE, "ada").status == 503
        assert em.log_out(PHONE).status == 200

    def test_they_can_be_taken_back(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        ucm.nodes[0].faults.answer("html")
        ucm.nodes[0].faults.clear()
        assert axl("getCCMVersion").status == 200

    def test_never_is_no_number_of_times(self, ucm: UcmSimulator) -> None:
        with pytest.raises(ValueError, match="at least 1"):
            ucm.nodes[0].faults.answer("html", times=0)


class TestChosenRefusals:
    def test_over_axl(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        ucm.nodes[0].faults.refuse(-239, "duplicate value", "doDeviceLogin")
        answer = axl.log_in(PHONE, "ada", "ada-ward")
        assert (answer.status, answer.text("axlcode"), answer.text("axlmessage")) == (500, "-239", "duplicate value")

    def test_over_the_em_api(self, ucm: UcmSimulator, em: EmClient) -> None:
        ucm.nodes[0].faults.refuse(6, operation="login", times=1)
        assert [em.log_in(PHONE, "ada").code for _ in range(2)] == [6, 0]

    def test_only_who_may_ask_is_told(self, ucm: UcmSimulator, axl: AxlClient, em: EmClient) -> None:
        ucm.nodes[0].faults.refuse(6)
        assert axl("getCCMVersion", account=("axl", "wrong")).status == 401
        assert em.log_in(PHONE, "ada", caller=("em", "wrong")).code == 3


class TestSpoiledAnswers:
    def test_an_unknown_element_comes_before_what_is_wanted(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        ucm.nodes[0].faults.spoil("unknown_element")
        user = axl("getUser", "<userid>ada</userid>").root.find(".//user")
        assert user[0].tag == "notInAnySchema"
        assert user.findtext("mailid") == "ada@example.edu"

    def test_another_order_leaves_lists_as_they_are(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        ucm.nodes[0].faults.spoil("changed_order")
        user = axl("getUser", "<userid>ada</userid>").root.find(".//user")
        assert (user[0].tag, user[-1].tag) == ("mobileNumber", "firstName")
        assert [each.text for each in user.find("phoneProfiles")] == ["ada-ward", "ada-office"]

    def test_both_in_the_em_api(self, ucm: UcmSimulator, em: EmClient) -> None:
        ucm.log_in(PHONE, "ada")
        for kind in ("unknown_element", "changed_order"):
            ucm.nodes[0].faults.spoil(kind, times=1)
            answer = em.query("deviceUserQuery", "deviceName", PHONE)
            assert answer.root[0][0][0].tag != "userID"
            assert answer.text("userID") == "ada"

    def test_a_fault_with_a_namespace(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        ucm.nodes[0].faults.spoil("namespaced_fault")
        answer = axl("getUser", "<userid>nobody</userid>")
        assert answer.root.find(".//{http://www.cisco.com/AXL/API/14.0}axlError") is not None
        assert answer.text("axlcode") == "5007"

    def test_cut_xml(self, ucm: UcmSimulator, axl: AxlClient, em: EmClient) -> None:
        ucm.nodes[0].faults.spoil("cut_xml")
        for answer in (axl("getUser", "<userid>ada</userid>"), em.log_in(PHONE, "ada")):
            assert answer.status == 200
            with pytest.raises(SyntaxError):
                answer.root  # noqa: B018

    @pytest.mark.parametrize("text", ["f", "0", "", "t", "maybe"])
    def test_any_element_can_have_another_text(self, ucm: UcmSimulator, axl: AxlClient, text: str) -> None:
        ucm.nodes[0].faults.overwrite("doAuthenticateUser", "userAuthenticated", text)
        assert axl.pin("ada", "1815").text("userAuthenticated") == text

    def test_or_be_missing(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        ucm.nodes[0].faults.overwrite("doAuthenticateUser", "userAuthenticated", None)
        assert axl.pin("ada", "1815").texts("userAuthenticated") == []


class TestConnections:
    @pytest.mark.parametrize(
        ("kind", "error"),
        [("lost", NoConnection), ("lost_silently", ReadTimeout)],
    )
    def test_a_write_is_done_and_its_answer_is_lost(
        self, ucm: UcmSimulator, axl: AxlClient, em: EmClient, kind: SpoilKind, error: type[Exception]
    ) -> None:
        for faults in (node.faults for node in ucm.nodes):
            faults.spoil(kind, "doDeviceLogin", times=1)
            faults.spoil(kind, "login", times=1)
        with pytest.raises(error):
            axl.log_in(PHONE, "ada", "ada-ward", timeout=0.5)
        with pytest.raises(error):
            em.log_in(OTHER_PHONE, "grace", timeout=0.5)
        assert [len(ucm.logins_of(userid)) for userid in ("ada", "grace")] == [1, 1]
        assert (ucm.calls("doDeviceLogin"), ucm.calls("login")) == (1, 1)

    @pytest.mark.parametrize(("kind", "error"), [("dropped", NoConnection), ("hang", ReadTimeout)])
    def test_nothing_is_done(self, ucm: UcmSimulator, axl: AxlClient, kind: SpoilKind, error: type[Exception]) -> None:
        ucm.nodes[0].faults.spoil(kind, "doDeviceLogin")
        with pytest.raises(error):
            axl.log_in(PHONE, "ada", "ada-ward", timeout=0.5)
        assert ucm.login_of(PHONE) is None
        assert [record.status for record in ucm.requests("doDeviceLogin")] == [None]

    def test_a_node_that_is_down_refuses_and_the_others_do_not(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        ucm.nodes[0].stop_listening()
        with pytest.raises(NoConnection):
            axl("getCCMVersion")
        assert axl("getCCMVersion", node=1).status == 200
        ucm.nodes[0].listen_again()
        assert axl("getCCMVersion").status == 200

    def test_one_operation_can_be_slow(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        ucm.nodes[0].faults.delay(30, "getUser")
        assert axl("getCCMVersion").status == 200
        with pytest.raises(ReadTimeout):
            axl("getUser", "<userid>ada</userid>", timeout=0.3)

    def test_the_network_can_fail(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        ucm.nodes[0].transport.cut(after=5, times=1)
        with pytest.raises(NoConnection):
            axl("getCCMVersion")
        assert axl("getCCMVersion").status == 200

    @pytest.mark.parametrize("fault", CERTIFICATE_FAULTS)
    def test_a_wrong_certificate(self, ucm: UcmSimulator, axl: AxlClient, fault: CertificateFault) -> None:
        ucm.nodes[0].show_certificate(fault)
        with pytest.raises(SSLError):
            axl("getCCMVersion")
        assert axl("getCCMVersion", node=1).status == 200
        ucm.nodes[0].show_certificate(None)
        assert axl("getCCMVersion").status == 200

    def test_a_wrong_certificate_needs_an_authority(self) -> None:
        with UcmSimulator() as plain, pytest.raises(ValueError, match="authority"):
            plain.nodes[0].show_certificate("expired")

    def test_who_does_not_trust_us_sees_no_answer(self, ucm: UcmSimulator) -> None:
        with pytest.raises(SSLError):
            requests.post(f"{ucm.nodes[0].url}/axl/", timeout=5)

    def test_stopping_does_not_wait_for_what_hangs(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        ucm.nodes[0].faults.spoil("hang")
        with pytest.raises(ReadTimeout):
            axl("getCCMVersion", timeout=0.3)
        ucm.stop()
        assert not any(node.listening for node in ucm.nodes)


class TestTheLog:
    @pytest.fixture
    def everything(self, ucm: UcmSimulator, axl: AxlClient, em: EmClient) -> str:
        asks: list[Callable[[], Answer]] = [
            lambda: axl.pin("ada", "1815"),
            lambda: axl("doAuthenticateUser", "<userid>ada</userid><password>Analytical</password>"),
            lambda: axl("doAuthenticateUser", "<userid>ada</userid><PIN>1815</PIN>"),
            lambda: em.log_in(PHONE, "ada", caller=("ada", "Analytical")),
            lambda: em.send("<request><pin>1815"),
        ]
        for ask in asks:
            ask()
        return "\n".join(map(str, ucm.requests))

    def test_it_holds_no_secret(self, everything: str) -> None:
        for secret in ("1815", "Analytical", "Secret", "JSESSION"):
            assert secret not in everything
        assert "pin='[hidden]'" in everything

    def test_it_tells_what_became_of_each(self, ucm: UcmSimulator, everything: str) -> None:
        assert [(record.operation, record.status, record.outcome) for record in ucm.requests] == [
            ("doAuthenticateUser", 200, ""),
            ("doAuthenticateUser", 200, ""),
            ("doAuthenticateUser", 500, "axl 5003"),
            ("login", 200, ""),
            ("", 200, "em 1"),
        ]

    def test_calls_are_counted_by_operation_and_node(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        axl("getCCMVersion")
        axl("getCCMVersion", node=1)
        axl.pin("ada", "1815")
        assert (ucm.calls(), ucm.calls("getCCMVersion"), ucm.calls("getCCMVersion", 1)) == (3, 2, 1)
        ucm.requests.clear()
        assert len(ucm.requests) == 0
