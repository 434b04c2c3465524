"""Requests that nobody thought of: whatever comes, it is answered, gives nothing away and uses nothing up."""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casduo.routes import ROUTES
from tests.support.raw import FORM, call
from tests.support.site import LIBRARY, Site

TICKET = re.compile(r"\b(?:ST|PT|TGT|PGT)-[A-Za-z0-9]{4}-[A-Za-z0-9]{20,}")
INTERESTING = [
    "",
    "a",
    LIBRARY,
    "https://evil.example.com/",
    "https://library.example.edu@evil.example.com/",
    "//evil.example.com",
    "ST-abcd-" + "A" * 24,
    "TGT-abcd-" + "A" * 43,
    "PT-abcd-" + "A" * 24,
    "PGT-abcd-" + "A" * 43,
    "https://127.0.0.1:1/pgt",
    "s.x",
    "r.abcd.efgh.1",
    *("true", "JSON", "POST", "HEADER"),
    *("\x00", "\r\nX: y", "\u00fc", "\U0001f600", "%", "%2525"),
    *("<script>", "{{7*7}}", "${7*7}"),
    *("ada", "Analytical-Engine"),
]
NAMES = [
    *("service", "TARGET", "ticket", "renew", "gateway", "method", "format", "pgtUrl", "SAMLart"),
    *("pgt", "targetService", "pgtId", "pgtIou"),
    *("execution", "username", "password", "warn", "state", "duo_code", "error", "csrf", "url", "key", "x"),
]
BYTES = st.text(st.characters(max_codepoint=255), max_size=60)
PAIRS = st.lists(
    st.tuples(st.sampled_from(NAMES) | st.text(max_size=5), st.sampled_from(INTERESTING) | st.text(max_size=20)),
    max_size=8,
)
QUERIES = PAIRS.map(urlencode) | BYTES
PATHS = st.sampled_from([*(f"/cas{path}" for path in ROUTES), "/", "/cas", "/cas/", "/cas/static/casduo.css"]) | BYTES
BOTH_COOKIES = st.builds("TGC-casduo={}; casduo-flow={}".format, *[st.sampled_from(INTERESTING)] * 2)
COOKIES = BYTES | BOTH_COOKIES.map(lambda text: text.encode().decode("latin-1"))
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "HTTP_COOKIE": COOKIES,
        "HTTP_ORIGIN": BYTES,
        "HTTP_REFERER": BYTES
        | st.sampled_from(["https://[", "https://library.example.edu/", "https://evil.example.com:x/"]),
        "HTTP_SEC_FETCH_SITE": st.sampled_from(["cross-site", "same-site", "same-origin", "none", "", "x"]),
        "HTTP_USER_AGENT": BYTES,
        "HTTP_HOST": BYTES,
        "HTTP_X_FORWARDED_FOR": BYTES,
        "HTTP_IF_NONE_MATCH": BYTES,
        "CONTENT_LENGTH": BYTES,
        "REMOTE_ADDR": BYTES,
    },
)


@given(
    method=st.sampled_from(["GET", "POST", "POST", "HEAD", "PUT"]) | BYTES,
    path=PATHS,
    asked=QUERIES,
    body=QUERIES.map(lambda text: text.encode("latin-1", "replace")) | st.binary(max_size=100),
    kind=st.sampled_from([FORM, FORM, "text/plain", ""]) | BYTES,
    headers=HEADERS,
)
@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_anything_is_answered_and_gives_nothing_away(
    open_site: Site, method: str, path: str, asked: str, body: bytes, kind: str, headers: dict[str, str]
) -> None:
    answer = call(open_site, method, path, asked, body, kind, **headers)
    assert answer.status < 500
    text = answer.body.decode()
    assert "Traceback" not in text
    assert ".py" not in text
    location = urlsplit(answer.header("Location"))
    assert location.hostname in (None, "library.example.edu")
    assert location.hostname or location.path.startswith("/cas/login") or not location.path
    for name, value in answer.headers:
        assert value.isascii()
        assert not re.search(r"[\x00-\x1f\x7f]", name + value)
        # Nobody is signed in, so nothing is granted; what a request brings may come back in a form and nowhere else.
        assert not set(TICKET.findall(value)) - set(INTERESTING)
    minted = set(TICKET.findall(text)) - set(INTERESTING)
    assert not minted
    assert method != "HEAD" or not answer.body
