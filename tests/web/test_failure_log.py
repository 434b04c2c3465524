"""Failed validations at the endpoints find their way to the owner: which are noted, under which entry, at what cost."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from casduo.protocol.failures import UNREGISTERED, Failure
from tests.support.redis_servers import CountingRelay
from tests.support.site import LIBRARY, Browser, Build, Site, ticket_of

MARK = "f0rb1dden"
REGISTRY = """
services:
  - {id: library, name: Library catalogue, url: "https://library.example.edu/**"}
  - {id: archive, name: Archive, url: "https://archive.example.edu/**", protocols: [cas1]}
  - {id: plain, name: Plain, url: "http://plain.example.edu/**"}
"""
SAML = (
    '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body>'
    '<samlp:Request xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol" MajorVersion="1" MinorVersion="1" '
    'RequestID="_1"><samlp:AssertionArtifact>{}</samlp:AssertionArtifact></samlp:Request>'
    "</SOAP-ENV:Body></SOAP-ENV:Envelope>"
)


@pytest.fixture
def site(build: Build) -> Site:
    return build(registry=REGISTRY)


@pytest.fixture
def ada(site: Site) -> Browser:
    browser = site.browser()
    browser.sign_in("ada", "")
    return browser


def failures(site: Site, service_id: str) -> list[Failure]:
    parts = site.composed.parts
    parts.later.flush()
    return parts.failures.of_service(service_id, site.clock())


def test_a_wrong_service_is_kept_with_both_addresses_and_found_in_the_log(site: Site, ada: Browser) -> None:
    ticket = ticket_of(ada.login_page(f"{LIBRARY}&key={MARK}"))
    presented = f"{LIBRARY}&key={MARK}".replace("https", "http")

    site.validate(ticket, presented)

    (kept,) = failures(site, "library")
    assert kept.code == "INVALID_SERVICE"
    assert kept.cause == "https_lost"
    assert kept.endpoint == "/p3/serviceValidate"
    assert kept.address == "192.0.2.7"
    assert kept.at == site.clock()
    assert kept.granted == "https://library.example.edu/catalogue?q=[1]&q=[2]&key=[3]"
    assert kept.presented == "http://library.example.edu/catalogue?q=[1]&q=[2]&key=[3]"
    assert kept.ticket == f"ST-…{ticket[-4:]}"
    (event,) = site.journal.named("ticket.refused")
    assert (event.about.reference, event.about.service) == (kept.reference, "library")
    assert event.why == f"{kept.granted} is not {kept.presented}: scheme: https and http"
    assert MARK not in f"{kept} {event}"


def test_a_ticket_validated_twice_is_unknown_the_second_time(site: Site, ada: Browser) -> None:
    ticket = ticket_of(ada.login_page(LIBRARY))
    site.validate(ticket)
    assert failures(site, "library") == []
    site.validate(ticket, path="/serviceValidate")
    (kept,) = failures(site, "library")
    assert (kept.cause, kept.endpoint) == ("unknown", "/serviceValidate")


@pytest.mark.parametrize("path", ["/validate", "/serviceValidate", "/proxyValidate", "/p3/proxyValidate"])
def test_every_endpoint_notes_what_it_refuses(site: Site, path: str) -> None:
    site.validate("ST-1", path=path)
    assert [(kept.endpoint, kept.cause) for kept in failures(site, "library")] == [(path, "foreign")]


@pytest.mark.parametrize(
    ("parameters", "cause"),
    [
        ({"format": "YAML"}, "format"),
        ({"service": ""}, "incomplete"),
        ({"service": "library"}, "malformed"),
        ({"service": "https://games.example.net/"}, "foreign"),
    ],
)
def test_what_belongs_to_no_entry_is_kept_apart(site: Site, parameters: dict[str, str], cause: str) -> None:
    asked = {"service": "", "ticket": "ST-1"} | parameters
    site.browser().get("/serviceValidate?" + "&".join(f"{name}={quote(text)}" for name, text in asked.items()))
    assert [kept.cause for kept in failures(site, UNREGISTERED)] == [cause]


def test_a_request_that_cannot_be_read_is_kept_without_its_parts(site: Site) -> None:
    site.browser().get(f"/serviceValidate?service=a&service={MARK}&ticket=ST-1")
    (kept,) = failures(site, UNREGISTERED)
    assert (kept.code, kept.cause, kept.why, kept.presented) == ("INVALID_REQUEST", "unreadable", "repeated", "")


def saml(site: Site, ticket: str, target: str) -> None:
    site.browser().app.post(
        f"https://sso.example.edu/cas/samlValidate?TARGET={quote(target, safe='')}",
        SAML.format(ticket),
        content_type="text/xml",
    )


def test_saml_has_its_failures_too(site: Site, ada: Browser) -> None:
    saml(site, ticket_of(ada.login_page(LIBRARY)), f"{LIBRARY}&n=1")
    saml(site, "<!-- -->", LIBRARY)
    saml(site, ticket_of(ada.login_page("http://plain.example.edu/")), "http://plain.example.edu/")

    assert [(kept.endpoint, kept.cause) for kept in failures(site, "library")] == [
        ("/samlValidate", "unreadable"),
        ("/samlValidate", "added_parameter"),
    ]
    assert [kept.cause for kept in failures(site, "plain")] == ["plain_http"]


def test_other_reasons_have_their_own_causes(site: Site, ada: Browser) -> None:
    site.validate(ticket_of(ada.login_page("https://archive.example.edu/")), "https://archive.example.edu/")
    site.validate(ticket_of(ada.login_page(LIBRARY)), renew="true")
    site.validate(ticket_of(ada.login_page(LIBRARY)), pgtUrl="https://library.example.edu/pgt")
    ticket = ticket_of(ada.login_page(LIBRARY))
    ada.get("/logout")
    site.validate(ticket)

    assert [kept.cause for kept in failures(site, "archive")] == ["protocol"]
    assert [kept.cause for kept in failures(site, "library")] == ["ended", "proxying", "renew"]


def test_noting_costs_no_round_trip(build: Build, relay: CountingRelay) -> None:
    far = build(redis_url=relay.url, registry=REGISTRY)
    far.composed.parts.store.ping()
    relay.reset()
    for _ in range(5):
        far.validate("ST-1")
    assert relay.round_trips == 0
    assert len(failures(far, "library")) == 5


def test_redis_that_is_away_is_no_reason_to_answer_otherwise(build: Build, relay: CountingRelay) -> None:
    far = build(redis_url=relay.url, registry=REGISTRY)
    relay.cut()
    answer = far.validate("ST-1")
    assert 'code="INVALID_TICKET"' in answer.text
    far.composed.parts.later.flush()
    relay.mend()
    assert failures(far, "library") == []
