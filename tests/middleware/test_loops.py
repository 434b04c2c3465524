"""Whatever cookies a browser loses and whatever the CAS server says, the way ends at a page."""

from __future__ import annotations

from typing import Any

import pytest

APP = "https://app.example.edu"


def lose_cookies(browser: Any, suffixes: tuple[str, ...]) -> None:
    """Make the browser forget, before each request, every cookie whose name ends so."""
    plain_request = browser.request

    def request(url: str, *args: Any, **options: Any) -> Any:
        jar = browser.client._cookies
        for key in [key for key in jar if key[2].endswith(suffixes)]:
            del jar[key]
        return plain_request(url, *args, **options)

    browser.request = request


@pytest.mark.parametrize(
    "url", ["/", "/news?page=2", "/pay?x=1", "/static/a", "/news?ticket=ST-x", "/?casduo_check=sign-in"]
)
@pytest.mark.parametrize(
    "lost",
    [(), ("-in",), ("-gw",), ("-in", "-gw"), ("session",), ("session", "-gw"), ("session", "-in"), ("",)],
    ids=lambda lost: "+".join(lost) or "nothing",
)
@pytest.mark.parametrize("server", ["lets in", "refuses tickets", "nobody there", "away", "talks nonsense"])
def test_every_way_ends(browse: Any, cas: Any, url: str, lost: tuple[str, ...], server: str) -> None:
    browser = browse(
        cookie_name="session",
        gateway_paths=["/news"],
        renew_paths=["/pay"],
        public_paths=["/static/*"],
        **({"cas_back_channel_url": "http://127.0.0.1:1/cas"} if server == "away" else {}),
    )
    if server == "refuses tickets":
        cas.validate = lambda query: (
            b'<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">'
            b'<cas:authenticationFailure code="INVALID_TICKET">no</cas:authenticationFailure></cas:serviceResponse>'
        )
    elif server == "talks nonsense":
        cas.validate = lambda query: b"nonsense"
    elif server == "nobody there":
        cas.user = None
    if lost:
        lose_cookies(browser, lost)
    page = browser.visit(url)
    assert len(browser.trail) <= 24
    if page.status_code == 200 and page.json["path"] not in ("/news", "/static/a"):
        assert page.json["user"] == "ada"
        assert server == "lets in"
