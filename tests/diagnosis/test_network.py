"""Why a connection does not come about, in words."""

from __future__ import annotations

import pytest

from casduo.diagnosis.model import Part
from casduo.diagnosis.network import Way, not_reached, reached
from casduo.outbound.tls import Destination

PART = Part("Duo")
HOST = "api-12345678.duosecurity.com"
DIRECT = Way(Destination(HOST, 443), "duo.api_host", "duo.proxy")
PROXIED = Way(Destination(HOST, 443, proxy="http://ada:lovelace@proxy.example.edu:3128"), "duo.api_host", "duo.proxy")
DETAILS = ("dns", "refused", "timeout", "reset", "unreadable", "connection")


def test_a_host_that_can_be_reached() -> None:
    finding = reached(PART, DIRECT, ("192.0.2.1", "2001:db8::1"))
    assert finding.found == f"{HOST}, port 443, takes connections (192.0.2.1, 2001:db8::1)"
    through = reached(PART, PROXIED, ("10.0.0.1",)).found
    assert (
        through
        == f"{HOST}, port 443, takes connections by way of the web proxy proxy.example.edu, port 3128 (10.0.0.1)"
    )


@pytest.mark.parametrize("detail", DETAILS)
def test_every_way_to_fail_names_the_setting_and_never_the_password(detail: str) -> None:
    direct, proxied = not_reached(PART, DIRECT, detail), not_reached(PART, PROXIED, detail)
    assert direct.level == proxied.level == "fault"
    assert direct.detail == detail
    assert direct.cause
    assert proxied.remedy
    everything = repr((direct, proxied))
    assert "lovelace" not in everything
    if detail != "connection":
        assert "duo.api_host" in direct.cause + direct.remedy
        assert "duo.proxy" in proxied.cause + proxied.remedy


def test_the_ways_to_fail_differ() -> None:
    assert len({not_reached(PART, DIRECT, detail).found for detail in DETAILS}) == len(DETAILS)


def test_where_a_firewall_drops_everything_a_proxy_is_thought_of() -> None:
    finding = not_reached(PART, DIRECT, "timeout")
    assert "does not answer within 3s" in finding.found
    assert "name the web proxy that they go by in duo.proxy" in finding.remedy


@pytest.mark.parametrize(
    ("status", "cause"), [(407, "a name and a password"), (403, "not allowed"), (502, f"cannot reach {HOST} itself")]
)
def test_a_proxy_that_refuses(status: int, cause: str) -> None:
    finding = not_reached(PART, PROXIED, "proxy_refused", status)
    assert (finding.detail, finding.facts) == ("proxy_refused", {"status": status})
    assert cause in finding.cause
