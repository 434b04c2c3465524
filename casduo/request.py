"""Request in: what the server reads of a request, as far as it is needed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from werkzeug.http import parse_cookie

from casduo.errors import BadRequest, ForeignOrigin, UpstreamBusy
from casduo.events.model import Subject
from casduo.protocol.parameters import MAX_BYTES, Parameters, parse_parameters
from casduo.webflow.context import Inbound
from casduo.webflow.effects import TRUST_COOKIE, WAY_COOKIE

SESSION_COOKIE = "TGC-casduo"
FLOW_COOKIE = "casduo-flow"
LANGUAGE_COOKIE = "casduo-language"
"""The language that a person has chosen for our pages; no secret."""
FLOW_COOKIE_LENGTH = 24
"""Characters of the mark that keys of flows are bound to."""
_FLOW_MARK = re.compile(rf"[A-Za-z0-9]{{{FLOW_COOKIE_LENGTH}}}")
_PHONE_FIELDS = frozenset({"device", "t", "userid", "pin", "passcode", "factor", "profile", "from"})
_LONGEST_WAY = 64
_REFERENCE = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_FORM_TYPE = "application/x-www-form-urlencoded"
_MOST_DIGITS = 10

ReadBody = Callable[[Mapping[str, Any], int], bytes]
"""Reads so many bytes of a body, or all there are if it was cut off; see :meth:`casduo.bodies.Bodies.read`."""


def read_at_leisure(environ: Mapping[str, Any], length: int) -> bytes:
    """Read a body, however long it takes to come."""
    body: bytes = environ["wsgi.input"].read(length)
    return body


@dataclass(slots=True)
class Request:
    """One request, read as far as needed.

    ``origin`` is our own, ``https://sso.example.edu``. ``language`` is the one that the request itself asks pages in,
    empty for none. ``way_back`` says at which address of ours the page that answers it can be had once more, given the
    key of the flow that waits there. ``route`` names what answers it, once that is found. ``broken_off`` says that its
    body was not taken to the end: nothing that follows on the connection can be read.
    """

    environ: dict[str, Any] = field(repr=False)
    path: str = field(repr=False)
    origin: str
    now: float
    reference: str
    language: str = ""
    way_back: Callable[[str], str] = field(default=lambda execution: "", repr=False)
    route: str = "none"
    read_body: ReadBody = field(default=read_at_leisure, repr=False)
    broken_off: bool = False
    _parameters: Parameters | None = None
    _cookies: Mapping[str, str] | None = field(default=None, repr=False)

    @property
    def method(self) -> str:
        """The method in capitals, as the server passes it."""
        return str(self.environ["REQUEST_METHOD"])

    @property
    def address(self) -> str:
        """The browser's address, as far as the configured number of proxies can be trusted to tell."""
        return str(self.environ.get("REMOTE_ADDR", ""))

    @property
    def flow_cookie(self) -> str:
        """The browser's mark that keys of flows are bound to; empty where what it brings is none that we make. Phones
        have marks of another form, which everybody can guess and nobody can bring in a cookie.
        """
        mark = self.cookies.get(FLOW_COOKIE, "")
        return mark if _FLOW_MARK.fullmatch(mark) else ""

    @property
    def prefetched(self) -> bool:
        """Whether a browser only guesses that this page may be wanted: nothing may be made or used up then."""
        environ = self.environ
        return "prefetch" in f"{environ.get('HTTP_SEC_PURPOSE', '')} {environ.get('HTTP_PURPOSE', '')}".lower()

    @property
    def parameters(self) -> Parameters:
        """Query and form.

        :raises BadRequest: they cannot be read
        """
        if self._parameters is None:
            query = self.environ.get("QUERY_STRING", "")
            self._parameters = parse_parameters(query, self._body() if self.method == "POST" else b"")
        return self._parameters

    @property
    def phone_parameters(self) -> Parameters:
        """Query and form as a phone sends them: in UTF-8, or in ISO-8859-1 by those that know no better.

        :raises BadRequest: they cannot be read
        """
        if self._parameters is None:
            query, body = self.environ.get("QUERY_STRING", ""), self._body() if self.method == "POST" else b""
            try:
                self._parameters = parse_parameters(query, body, single=_PHONE_FIELDS)
            except BadRequest as error:
                if error.reason != "encoding":
                    raise
                self._parameters = parse_parameters(query, body, encoding="iso-8859-1", single=_PHONE_FIELDS)
        return self._parameters

    @property
    def query_parameters(self) -> Parameters:
        """The query alone, for an address whose body is no form.

        :raises BadRequest: it cannot be read
        """
        return parse_parameters(self.environ.get("QUERY_STRING", ""))

    def raw_body(self, most: int) -> bytes:
        """Return the body as it was sent, whatever its type.

        :param most: bytes; nothing is read of a longer one
        :raises BadRequest: it is longer, cut off, did not come in time, or its length is not told
        :raises UpstreamBusy: it does not come at once, and too many others do not either
        """
        length = self._length(most)
        if self.broken_off:
            # The page that tells of it asks for parameters too.
            raise BadRequest("broken_off")
        try:
            body = self.read_body(self.environ, length) if length else b""
        except (BadRequest, UpstreamBusy):
            self.broken_off = True
            raise
        if len(body) < length:
            # Cut off on the way: the last value may be half of what was meant.
            raise BadRequest("length")
        return body

    @property
    def cookies(self) -> Mapping[str, str]:
        """The request's cookies; of two with one name the first."""
        if self._cookies is None:
            # Ours are ASCII; what a neighbour under the same name has set in another charset must keep nobody out.
            header = self.environ.get("HTTP_COOKIE", "").encode("ascii", "replace").decode("ascii")
            self._cookies = parse_cookie(header).to_dict(flat=True)
        return self._cookies

    @property
    def cross_site(self) -> bool:
        """Whether the browser says that another site caused this request."""
        return self.environ.get("HTTP_SEC_FETCH_SITE", "none") in ("cross-site", "same-site")

    def refuse_foreign_post(self) -> None:
        """Let nobody else's page post to us.

        Browsers that send ``Sec-Fetch-Site`` are believed; ``Origin: null`` is what our own pages send because of their
        referrer policy, so without the former it proves nothing either way and the flow key has to.

        :raises ForeignOrigin: the request comes from another site
        """
        site = self.environ.get("HTTP_SEC_FETCH_SITE", "")
        origin = self.environ.get("HTTP_ORIGIN", "")
        if site in ("cross-site", "same-site"):
            raise ForeignOrigin(site)
        if not site and origin not in ("", "null", self.origin):
            raise ForeignOrigin("origin")

    def inbound(self, flow_cookie: str, *, submitted: bool = False) -> Inbound:
        """Return what actions may know of this request."""
        referrer = self.environ.get("HTTP_REFERER", "")
        return Inbound(
            now=self.now,
            address=self.address,
            agent=str(self.environ.get("HTTP_USER_AGENT", ""))[:200],
            fields=self.parameters,
            session_cookie=self.cookies.get(SESSION_COOKIE, ""),
            flow_cookie=flow_cookie,
            trust_cookie=self.cookies.get(TRUST_COOKIE, ""),
            way_cookie=self.cookies.get(WAY_COOKIE, "")[:_LONGEST_WAY],
            cross_site=self.cross_site,
            submitted=submitted,
            posted=self.method == "POST",
            referrer_host=_host_of(referrer) if referrer else "",
            reference=self.reference,
        )

    def subject(self, principal: str = "", service: str = "") -> Subject:
        """Return whom and what events of this request are about."""
        return Subject(self.reference, self.address, principal, service)

    def _body(self) -> bytes:
        kind = self.environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        length = self._length(MAX_BYTES)
        if kind != _FORM_TYPE:
            if length == 0:
                return b""
            raise BadRequest("content_type")
        return self.raw_body(MAX_BYTES)

    def _length(self, most: int) -> int:
        digits = self.environ.get("CONTENT_LENGTH") or "0"
        if not (digits.isascii() and digits.isdecimal()) or "HTTP_TRANSFER_ENCODING" in self.environ:
            # A body whose end the headers do not tell is not begun.
            raise BadRequest("length")
        if len(digits) > _MOST_DIGITS or (length := int(digits)) > most:
            raise BadRequest("too_long")
        return length


def new_reference() -> str:
    """Return what a page shows and the log repeats: eight characters that read well aloud."""
    text = "".join(_REFERENCE[byte & 31] for byte in secrets.token_bytes(8))
    return f"{text[:4]}-{text[4:]}"


def _host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
