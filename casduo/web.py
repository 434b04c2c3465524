"""Response out: every header, cookie and template is here, and nothing that decides about a login."""

from __future__ import annotations

import hashlib
import mimetypes
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import escape
from werkzeug.http import dump_cookie

from casduo import messages
from casduo.request import FLOW_COOKIE, SESSION_COOKIE, Request
from casduo.webflow.actions.facts import ServiceFacts
from casduo.webflow.effects import HeaderAnswer, Page, Redirect
from casduo.webflow.engine import Effect
from casduo.webflow.execution import Answer

StartResponse = Callable[..., Any]

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}

_MOST_KEPT = 1000
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
    headers: list[tuple[str, str]] = field(repr=False)
    body: bytes = field(default=b"", repr=False)

    def __call__(self, environ: Mapping[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response(_STATUS_LINES[self.status], self.headers)
        return () if environ["REQUEST_METHOD"] == "HEAD" else (self.body,)


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
    :param logo: the organisation's logo, served with the other files of the pages
    :param local: whether the server is reached as localhost, where a promise to speak TLS only would bind other
        programs of the machine as well
    """

    site: Site
    views: Path
    secure: bool
    language: str = "en"
    logo: Path | None = None
    local: bool = False
    _kept: dict[object, list[str]] = field(init=False, default_factory=dict)
    _environment: FoldingEnvironment = field(init=False)
    _static: dict[str, tuple[bytes, str, str]] = field(init=False, default_factory=dict)
    _headers: list[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        for path in sorted((self.views / "static").iterdir()):
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            self._add_static(path.name, path.read_bytes(), kind)
        if self.logo is not None:
            name = f"organisation{self.logo.suffix}"
            self._add_static(name, self.logo.read_bytes(), mimetypes.guess_type(name)[0] or "image/png")
            self.site = replace(self.site, logo=self.static_url(name))
        colour = self.site.accent_colour
        self._add_static("theme.css", f":root{{--accent:{colour}}}\n".encode() if colour else b"", "text/css")
        self._headers = list(_HEADERS)
        if self.secure and not self.local:
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
            self._cookie(response, SESSION_COOKIE, answer.set_cookie, answer.cookie_lifetime)
        if answer.execution and request.cookies.get(FLOW_COOKIE) != flow_cookie:
            self._cookie(response, FLOW_COOKIE, flow_cookie)
        return response

    def page(self, request: Request, page: Page, execution: str = "") -> Reply:
        """Render a page."""
        nonce = secrets.token_urlsafe(16)
        body = self._steady(page, execution, nonce) if page.steady else self._render(request, page, execution, nonce)
        extra = [("Content-Security-Policy", _policy(nonce, page))]
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

    def _render(self, request: Request, page: Page, execution: str, nonce: str) -> str:
        data = {"form": None, **page.data}
        if page.form is not None:
            data["form"] = replace(page.form, execution=execution)
        moment = datetime.fromtimestamp(int(request.now), UTC).isoformat()
        return self._template(page.view, data, nonce, request.reference, moment)

    def _steady(self, page: Page, execution: str, nonce: str) -> str:
        """Render a page whose data are almost always the same, such as the empty sign-in form.

        It is rendered once with marks where key, nonce and hidden fields go; afterwards only those are put in.
        """
        assert page.form is not None
        names = tuple(name for name, _ in page.form.hidden)
        switches = tuple(value for value in page.data.values() if isinstance(value, bool))
        key = (page.view, page.form.action, names, page.data["service"], switches)
        pieces = self._kept.get(key)
        if pieces is None:
            # Nobody outside can guess a mark, so nothing that a request brings can be taken for one.
            secret = secrets.token_hex(16)
            marks = [f"{secret}{number}e" for number in range(2 + len(names))]
            hidden = tuple(zip(names, marks[2:], strict=True))
            data = {**page.data, "form": replace(page.form, execution=marks[0], hidden=hidden)}
            whole = self._template(page.view, data, marks[1], "", "")
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            pieces = self._kept[key] = re.split(f"{secret}([0-9]+)e", whole)
        values = [execution, nonce, *(str(escape(value)) for _, value in page.form.hidden)]
        filled = list(pieces)
        filled[1::2] = [values[int(number)] for number in pieces[1::2]]
        return "".join(filled)

    def _template(self, view: str, data: Mapping[str, object], nonce: str, reference: str, time: str) -> str:
        template = self._environment.get_template(f"{view}.html")
        return template.render(page=data, nonce=nonce, reference=reference, time=time)

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

    def _cookie(self, response: Reply, name: str, value: str, lifetime: int | None = None) -> None:
        cookie = dump_cookie(
            name,
            value,
            max_age=lifetime if value else 0,
            expires=None if value else 0,
            path=self.site.base or "/",
            secure=self.secure,
            httponly=True,
            samesite="Lax",
        )
        response.headers.append(("Set-Cookie", cookie))

    def _add_static(self, name: str, body: bytes, kind: str) -> None:
        self._static[name] = (body, kind, hashlib.sha256(body).hexdigest()[:16])


def _policy(nonce: str, page: Page) -> str:
    """Return the content security policy. There is no ``form-action``: Chromium applies it to the redirect that follows
    a form, which leads to the application.
    """
    shown = page.data.get("service")
    logo = urlsplit(shown.logo) if isinstance(shown, ServiceFacts) and shown.logo else None
    # The signs of the stylesheet are data: URLs; a logo from elsewhere only where the registry names one.
    pictures = "'self' data:" + (f" {logo.scheme}://{logo.netloc}" if logo is not None and logo.netloc else "")
    # Applications that the browser tells of a sign-out; addresses of the registry, never of the request.
    framed = sorted({"{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in _frames(page)})
    frames = f"frame-src {' '.join(framed)}; " if framed else ""
    asking = "connect-src 'self'; " if page.data.get("again_url") else ""
    return (
        f"default-src 'none'; style-src 'self'; script-src 'nonce-{nonce}'; img-src {pictures}; {frames}{asking}"
        "base-uri 'none'; frame-ancestors 'none'"
    )


def _frames(page: Page) -> Iterable[str]:
    frames = page.data.get("frames")
    return frames if isinstance(frames, tuple) else ()
