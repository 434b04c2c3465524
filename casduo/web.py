"""Request in, response out: everything HTTP and every template is here, and nothing that decides about a login."""

from __future__ import annotations

import hashlib
import mimetypes
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes
from jinja2.visitor import NodeTransformer
from werkzeug.http import dump_cookie, parse_cookie

from casduo import messages
from casduo.errors import BadRequest, ForeignOrigin
from casduo.protocol.parameters import MAX_BYTES, Parameters, parse_parameters
from casduo.webflow.context import Inbound
from casduo.webflow.effects import Form, HeaderAnswer, Page, Redirect
from casduo.webflow.engine import Effect
from casduo.webflow.execution import Answer

StartResponse = Callable[..., Any]

SESSION_COOKIE = "TGC-casduo"
FLOW_COOKIE = "casduo-flow"
_REFERENCE = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_FORM_TYPE = "application/x-www-form-urlencoded"

_NO_STORE = [
    ("Cache-Control", "no-store"),
    ("Pragma", "no-cache"),
    ("Expires", "Thu, 01 Jan 1970 00:00:00 GMT"),
]
_HEADERS = [
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("X-Robots-Tag", "noindex"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    *_NO_STORE,
]


@dataclass(frozen=True, slots=True)
class Site:
    """What every page shows of the place it belongs to. ``base`` is the server's path without a trailing slash."""

    base: str
    organisation: str = "casduo"
    logo: str = ""
    logo_alt: str = ""
    help_text: str = ""
    help_url: str = ""
    privacy_url: str = ""
    accent_colour: str = ""
    forgot_password_url: str = ""
    change_password_url: str = ""


@dataclass(slots=True)
class Reply:
    """An answer ready to be sent, itself a WSGI application.

    Headers go out as they were made: applications compare the address they come back with byte by byte, so nothing on
    the way may encode ``Location`` once more.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""

    def __call__(self, environ: Mapping[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response(_STATUS_LINES[self.status], self.headers)
        return () if environ["REQUEST_METHOD"] == "HEAD" else (self.body,)


@dataclass(slots=True)
class Request:
    """One request, read as far as needed. ``origin`` is our own, ``https://sso.example.edu``."""

    environ: dict[str, Any]
    path: str
    origin: str
    now: float
    reference: str
    _parameters: Parameters | None = None
    _cookies: Mapping[str, str] | None = None

    @property
    def method(self) -> str:
        """The method in capitals, as the server passes it."""
        return str(self.environ["REQUEST_METHOD"])

    @property
    def address(self) -> str:
        """The browser's address, as far as the configured number of proxies can be trusted to tell."""
        return str(self.environ.get("REMOTE_ADDR", ""))

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
    def cookies(self) -> Mapping[str, str]:
        """The request's cookies; of two with one name the first."""
        if self._cookies is None:
            self._cookies = parse_cookie(self.environ.get("HTTP_COOKIE")).to_dict(flat=True)
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
            cross_site=self.cross_site,
            submitted=submitted,
            referrer_host=_host_of(referrer) if referrer else "",
            reference=self.reference,
        )

    def _body(self) -> bytes:
        environ = self.environ
        kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        try:
            length = int(environ.get("CONTENT_LENGTH") or 0)
        except ValueError as error:
            raise BadRequest("length") from error
        if length > MAX_BYTES:
            raise BadRequest("too_long")
        if kind != _FORM_TYPE:
            if length == 0:
                return b""
            raise BadRequest("content_type")
        body: bytes = environ["wsgi.input"].read(length)
        return body


def new_reference() -> str:
    """Return what a page shows and the log repeats: eight characters that read well aloud."""
    text = "".join(_REFERENCE[byte & 31] for byte in secrets.token_bytes(8))
    return f"{text[:4]}-{text[4:]}"


class FoldingEnvironment(Environment):
    """An environment that calls the functions in ``fold`` once, when a template is compiled, wherever all arguments are
    constants: the texts of a page and the addresses of its files do not change while the server runs.
    """

    fold: Mapping[str, Callable[..., str]] = MappingProxyType({})

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Folder(self.fold).visit(super()._parse(source, name, filename))
        return tree


class _Folder(NodeTransformer):
    def __init__(self, functions: Mapping[str, Callable[..., str]]) -> None:
        self._functions = functions

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        self.generic_visit(node)
        plain = not (node.kwargs or node.dyn_args or node.dyn_kwargs)
        if not plain or not isinstance(node.node, nodes.Name) or node.node.name not in self._functions:
            return node
        if not all(isinstance(argument, nodes.Const) for argument in node.args):
            return node
        return nodes.Const(self._functions[node.node.name](*(argument.as_const() for argument in node.args)))


@dataclass(slots=True)
class Web:
    """Turns effects into responses.

    :param site: what all pages show
    :param views: the folder of templates, with ``static`` below it
    :param secure: whether the server is reached by https; cookies then say so
    :param flow_lifetime: not used for cookies, which end with the browser
    """

    site: Site
    views: Path
    secure: bool
    language: str = "en"
    _environment: FoldingEnvironment = field(init=False)
    _static: dict[str, tuple[bytes, str, str]] = field(init=False, default_factory=dict)
    _headers: list[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        for path in sorted((self.views / "static").iterdir()):
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            self._add_static(path.name, path.read_bytes(), kind)
        colour = self.site.accent_colour
        self._add_static("theme.css", f":root{{--accent:{colour}}}\n".encode() if colour else b"", "text/css")
        self._headers = list(_HEADERS)
        if self.secure:
            self._headers.append(("Strict-Transport-Security", "max-age=31536000"))
        self._environment = FoldingEnvironment(
            loader=FileSystemLoader(self.views),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        text = messages.catalogue(self.language).text
        self._environment.globals.update(t=text, static=self.static_url, site=self.site, lang=self.language)
        self._environment.fold = {"t": text, "static": self.static_url}

    def send(self, request: Request, answer: Answer, flow_cookie: str) -> Reply:
        """Carry out what a flow asks for, cookies included.

        :param flow_cookie: the browser's flow cookie, to be set if the browser has none yet
        """
        response = self._effect(request, answer.effect, answer.execution)
        if answer.set_cookie is not None:
            self._cookie(response, SESSION_COOKIE, answer.set_cookie)
        if answer.execution and request.cookies.get(FLOW_COOKIE) != flow_cookie:
            self._cookie(response, FLOW_COOKIE, flow_cookie)
        return response

    def page(self, request: Request, page: Page, execution: str = "") -> Reply:
        """Render a page."""
        data = dict(page.data)
        if page.form is not None:
            data["form"] = Form(page.form.action, page.form.hidden, page.form.csrf, execution)
        elif "form" not in data:
            data["form"] = None
        nonce = secrets.token_urlsafe(16)
        body = self._environment.get_template(f"{page.view}.html").render(
            page=data,
            nonce=nonce,
            reference=request.reference,
            time=datetime.fromtimestamp(int(request.now), UTC).isoformat(),
        )
        policy = (
            f"default-src 'none'; style-src 'self'; script-src 'nonce-{nonce}'; img-src 'self' data: https:; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        extra = [("Content-Security-Policy", policy)]
        if page.wait:
            extra.append(("Retry-After", str(page.wait)))
        return self._response(body.encode(), page.status, "text/html; charset=utf-8", extra)

    def redirect(self, request: Request, url: str) -> Reply:
        """Send the browser on: 303 after a POST, so that credentials are not sent again; 302 otherwise."""
        return self._response(b"", 303 if request.method == "POST" else 302, "", [("Location", url)])

    def machine(self, body: bytes, kind: str) -> Reply:
        """Answer an application: status 200 whatever the answer says (java, .NET and others read no other)."""
        return self._response(body, 200, kind, [("Content-Security-Policy", "default-src 'none'")])

    def plain(self, status: int, text: str = "", extra: Iterable[tuple[str, str]] = ()) -> Reply:
        """Answer with a line of text, for probes and for what no person sees."""
        return self._response(text.encode(), status, "text/plain; charset=utf-8" if text else "", extra)

    def static(self, name: str, etag: str) -> Reply | None:
        """Return a file of the pages, ``None`` if there is none of that name."""
        found = self._static.get(name)
        if found is None:
            return None
        body, kind, tag = found
        headers = [
            ("Cache-Control", "public, max-age=31536000, immutable"),
            ("ETag", f'"{tag}"'),
            ("X-Content-Type-Options", "nosniff"),
        ]
        if etag == f'"{tag}"':
            return Reply(304, headers)
        return Reply(200, [*headers, ("Content-Type", kind), ("Content-Length", str(len(body)))], body)

    def static_url(self, name: str) -> str:
        """Return the address of a file of the pages; it changes with the content, so caches never show an old one."""
        return f"{self.site.base}/static/{name}?v={self._static[name][2]}"

    def _effect(self, request: Request, effect: Effect, execution: str) -> Reply:
        if isinstance(effect, Page):
            return self.page(request, effect, execution)
        if isinstance(effect, Redirect):
            return self.redirect(request, effect.url)
        assert isinstance(effect, HeaderAnswer)
        return self._response(b"", 200, "", [("service", effect.service), ("ticket", effect.ticket)])

    def _response(self, body: bytes, status: int, kind: str, extra: Iterable[tuple[str, str]]) -> Reply:
        headers = [*self._headers, *extra]
        if kind:
            headers.append(("Content-Type", kind))
        if status != 204:
            headers.append(("Content-Length", str(len(body))))
        return Reply(status, headers, body)

    def _cookie(self, response: Reply, name: str, value: str) -> None:
        cookie = dump_cookie(
            name,
            value,
            max_age=None if value else 0,
            expires=None if value else 0,
            path=self.site.base or "/",
            secure=self.secure,
            httponly=True,
            samesite="Lax",
        )
        response.headers.append(("Set-Cookie", cookie))

    def _add_static(self, name: str, body: bytes, kind: str) -> None:
        self._static[name] = (body, kind, hashlib.sha256(body).hexdigest()[:16])


def _host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
