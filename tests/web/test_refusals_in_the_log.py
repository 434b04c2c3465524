"""What is refused can be found in the log, by the reference on the page."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from tests.support.raw import Answer, call
from tests.support.site import LIBRARY, Site
from tests.web.endpoints import MACHINES, asking


def reference_on(answer: Answer) -> str:
    """The reference that a page shows, empty for none."""
    found = re.search(rb'class="reference">([0-9A-Z-]+)<', answer.body)
    return found[1].decode() if found else ""


@pytest.mark.parametrize(
    ("method", "path", "asked", "more"),
    [
        ("GET", "/login", "service=https://unregistered.example.com/", {}),
        ("GET", "/login", "service=https://closed.example.edu/", {}),
        ("GET", "/login", "service=nonsense", {}),
        ("GET", "/login", "service=a&service=b", {}),
        ("GET", "/login", "service=" + "a" * 70_000, {}),
        ("POST", "/login", "", {"HTTP_ORIGIN": "https://evil.example.com"}),
        ("POST", "/login", "execution=s.x", {}),
        ("POST", "/logout", "", {"HTTP_SEC_FETCH_SITE": "cross-site"}),
        ("GET", "/duo/callback", "state=x", {}),
        ("GET", "/duo/callback", "state=x", {"HTTP_COOKIE": "casduo-flow=x"}),
        ("GET", "/nothing", "", {}),
        ("DELETE", "/login", "", {}),
    ],
)
def test_the_reference_on_a_page_is_in_the_log(
    open_site: Site, method: str, path: str, asked: str, more: dict[str, str]
) -> None:
    before = len(open_site.journal.events)
    answer = call(open_site, method, f"/cas{path}", asked, **more)
    assert 400 <= answer.status < 500
    reference = reference_on(answer)
    assert reference
    logged = [event for event in open_site.journal.events[before:] if event.reference == reference]
    assert len(logged) == 1
    assert logged[0].about.address == "192.0.2.7"
    # Whatever somebody outside sends, it is no fault of ours.
    assert logged[0].level != "error"


@pytest.mark.parametrize("path", MACHINES)
@pytest.mark.parametrize(
    "asked", ["", "service=a&service=b", "service=x&ticket=y", f"service={quote(LIBRARY)}&ticket=ST-1"]
)
def test_each_refused_validation_is_one_line_in_the_log(open_site: Site, path: str, asked: str) -> None:
    before = len(open_site.journal.events)
    call(open_site, asking(path), f"/cas{path}", asked)
    (event,) = open_site.journal.events[before:]
    assert (event.name, event.level) == ("ticket.refused", "warning")
    assert event.reference
