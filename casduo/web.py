"""Response out: every header, cookie and template is here, and nothing that decides about a login."""

from __future__ import annotations

import hashlib
import json
import mimetypes
import re
import secrets
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from markupsafe import escape
from werkzeug.http import dump_cookie

from casduo import messages
from casduo.languages import NAMES, best_language
from casduo.localtext import in_language
from casduo.looks import Picture, Scheme, in_scheme, theme
from casduo.request import FLOW_COOKIE, LANGUAGE_COOKIE, SESSION_COOKIE, Request
from casduo.templating import CompiledOnce, FoldingEnvironment, Templates, environment, read_views
from casduo.webflow.actions.facts import ServiceFacts
from casduo.webflow.effects import HeaderAnswer, Page, Redirect
from casduo.webflow.engine import Effect
from casduo.webflow.execution import Answer

_log = structlog.get_logger("casduo")

StartResponse = Callable[..., Any]

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}

_ASKED = ("again_url", "status_url", "lint_url")
"""Data of pages whose script asks the server something."""

THEME = "theme.css"
"""The style sheet that is made of a site's colours."""

_MOST_KEPT = 1000
_LONGEST_PAGE = 4 * 1024 * 1024
"""Characters that a site's template may write; the longest pages of ours have a tenth of that."""
_YEAR = 365 * 86_400
_NO_STORE = [
    ("Cache-Control", "no-store"),
    ("Pragma", "no-cache"),
    ("Expires", "Thu, 01 Jan 1970 00:00:00 GMT"),
]
_NOTHING = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
"""The policy of answers that are no page: were one taken for a page, it would load nothing and stand in no frame."""
_HEADERS = [
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("X-Robots-Tag", "noindex"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    *_NO_STORE,
]


@dataclass(frozen=True, slots=True)
class Link:
    """A link in the foot of every page."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Site:
    """What every page shows of the place it belongs to. ``base`` is the server's path without a trailing slash."""

    base: str
    organisation: str = "casduo"
    logo: str = ""
    logo_dark: str = ""
    logo_alt: str = ""
    help_text: str = ""
    help_url: str = ""
    privacy_url: str = ""
    footer_links: tuple[Link, ...] = ()
    scheme: Scheme = "auto"
    forgot_password_url: str = ""
    change_password_url: str = ""

    def told_in(self, language: str) -> Site:
        """Return the same with the texts of one language."""
        return replace(
            self,
            organisation=in_language(self.organisation, language),
            logo_alt=in_language(self.logo_alt, language),
            help_text=in_language(self.help_text, language),
            footer_links=tuple(Link(in_language(link.text, language), link.url) for link in self.footer_links),
        )


@dataclass(frozen=True, slots=True)
class Look:
    """What a site brings along for its pages.

    ``templates`` and ``files`` are a folder of templates and a site's own files by name, which take the places of ours.
    Colours are ``#rrggbb``, empty for ours.
    """

    accent_colour: str = ""
    accent_colour_dark: str = ""
    logo: Picture | None = None
    logo_dark: Picture | None = None
    templates: Path | None = None
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


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


@dataclass(slots=True)
class Web:
    """Turns effects into responses.

    :param site: what all pages show
    :param views: the folder of templates, with ``static`` below it
    :param secure: whether the server is reached by https; cookies then say so
    :param subdomains: whether the promise to speak TLS only holds for hosts below ours as well
    :param languages: what people can choose from
    :param language: for who reads none of these
    :param look: what the site brings along
    :param local: whether the server is reached as localhost, where a promise to speak TLS only would bind other
        programs of the machine as well
    """

    site: Site
    views: Path
    secure: bool
    languages: tuple[str, ...] = ("en",)
    language: str = "en"
    look: Look = field(default_factory=Look)
    local: bool = False
    subdomains: bool = False
    _kept: dict[object, list[str]] = field(init=False, default_factory=dict)
    _environments: dict[tuple[str, Path | None], FoldingEnvironment] = field(init=False, default_factory=dict)
    _static: dict[str, tuple[bytes, str, str]] = field(init=False, default_factory=dict)
    _transport: list[tuple[str, str]] = field(init=False, default_factory=list)
    _headers: list[tuple[str, str]] = field(init=False)
    _ours: Templates = field(init=False)

    def __post_init__(self) -> None:
        self._ours = read_views(self.views)
        files = {path.name: path.read_bytes() for path in (self.views / "static").iterdir()} | dict(self.look.files)
        for name, body in sorted(files.items()):
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            self._add_static(name, in_scheme(body, self.site.scheme) if name.endswith(".css") else body, kind)
        self._add_static(
            THEME, theme(self.look.accent_colour, self.look.accent_colour_dark, self.site.scheme), "text/css"
        )
        logo = self._add_picture("organisation", self.look.logo)
        logo_dark = self._add_picture("organisation-dark", self.look.logo_dark)
        if self.site.scheme != "auto":
            logo, logo_dark = (logo_dark or logo) if self.site.scheme == "dark" else logo, ""
        self.site = replace(self.site, logo=logo or logo_dark, logo_dark=logo_dark)
        if self.secure and not self.local:
            # RFC 6797, 6.1: for a year, renewed by every answer.
            reach = "; includeSubDomains" if self.subdomains else ""
            self._transport.append(("Strict-Transport-Security", f"max-age={_YEAR}{reach}"))
        self._headers = [*_HEADERS, *self._transport]

    def language_of(self, request: Request) -> str:
        """Return in which language a request is answered: the one it asks for, or was chosen before, or is read by the
        person as the browser tells it, or the site's.
        """
        chosen = request.language or request.cookies.get(LANGUAGE_COOKIE, "")
        if chosen in self.languages:
            return chosen
        return best_language(request.environ.get("HTTP_ACCEPT_LANGUAGE", ""), self.languages, self.language)

    def keep_language(self, reply: Reply, language: str) -> None:
        """Let the browser remember a language of :attr:`languages` as the chosen one."""
        self._cookie(reply, LANGUAGE_COOKIE, language, _YEAR)

    def _environment(self, language: str, own: Path | None) -> FoldingEnvironment:
        """Return the templates of a language. They are compiled when they are asked for first: most sites are read in
        one or two languages.

        :param own: the folder of the site's templates, ``None`` to use none
        """
        found = self._environments.get((language, own))
        if found is None:
            # Of two threads that come here at once one works for nothing; what they make is the same.
            found = self._environments[language, own] = self._make_environment(language, own)
        return found

    def _make_environment(self, language: str, own: Path | None) -> FoldingEnvironment:
        made, catalogue = environment(self._ours, own), messages.catalogue(language)
        text = catalogue.text
        offered = tuple((tag, NAMES[tag]) for tag in self.languages)
        made.globals.update(
            t=text, static=self.static_url, site=self.site.told_in(language), lang=language, languages=offered
        )
        made.fold = {"t": text, "static": self.static_url}
        addresses = tuple((name, tag) for name, (_, _, tag) in sorted(self._static.items()))
        made.bytecode_cache = CompiledOnce((catalogue, self.site.base, addresses))
        return made

    def send(self, request: Request, answer: Answer, flow_cookie: str) -> Reply:
        """Carry out what a flow asks for, cookies included.

        :param flow_cookie: the browser's flow cookie, to be set if the browser has none yet
        """
        response = self._effect(request, answer.effect, answer.execution)
        if answer.set_cookie is not None:
            self._cookie(response, SESSION_COOKIE, answer.set_cookie, answer.cookie_lifetime)
        for name, cookie in answer.cookies.items():
            self._cookie(response, name, cookie.value, cookie.lifetime)
        if answer.execution and request.cookies.get(FLOW_COOKIE) != flow_cookie:
            self._cookie(response, FLOW_COOKIE, flow_cookie)
        return response

    def page(self, request: Request, page: Page, execution: str = "") -> Reply:
        """Render a page."""
        nonce = secrets.token_urlsafe(16)
        language = self.language_of(request)
        # What a site's own template makes of a value, such as a part of an address, only the value can tell.
        render = self._steady if page.steady and self.look.templates is None else self._render
        body = render(request, page, language, execution, nonce)
        extra = [("Content-Language", language)]
        if len(self.languages) > 1:
            extra.append(("Vary", "Accept-Language, Cookie"))
        if page.wait:
            extra.append(("Retry-After", str(page.wait)))
        return self._response(body.encode(), page.status, "text/html; charset=utf-8", extra, _policy(nonce, page))

    def redirect(self, request: Request, url: str) -> Reply:
        """Send the browser on: 303 after a POST, so that credentials are not sent again; 302 otherwise."""
        return self._response(b"", 303 if request.method == "POST" else 302, "", [("Location", url)])

    def machine(self, body: bytes, kind: str) -> Reply:
        """Answer an application: status 200 whatever the answer says (java, .NET and others read no other)."""
        return self._response(body, 200, kind, ())

    def news(self, status: int, facts: Mapping[str, object]) -> Reply:
        """Answer a script of our own pages."""
        body = json.dumps(facts, separators=(",", ":")).encode()
        return self._response(body, status, "application/json", ())

    def plain(self, status: int, text: str = "", extra: Iterable[tuple[str, str]] = ()) -> Reply:
        """Answer with a line of text, for probes and for what no person sees."""
        return self._response(text.encode(), status, "text/plain; charset=utf-8" if text else "", extra)

    def bare(self, status: int, reference: str) -> Reply:
        """Answer with the least page there can be: for when no other can be made."""
        body = (
            '<!doctype html><html lang="en"><title>Signing in does not work right now</title>'
            "<h1>Signing in does not work right now</h1><p>Please try again in a minute.</p>"
            f'<p class="reference">Reference: {escape(reference)}</p></html>'
        )
        return self._response(body.encode(), status, "text/html; charset=utf-8", [("Content-Language", "en")])

    def document(self, template: str, /, **data: object) -> str:
        """Fill in a template of ``views/`` that is no page for browsers, such as ``phone/text.xml``."""
        return self._environment(self.language, None).get_template(template).render(data)

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
            # Opened by itself, a picture must not become a page of ours with scripts of its own.
            ("Content-Security-Policy", f"{_NOTHING}; style-src 'unsafe-inline'; sandbox"),
            *self._transport,
        ]
        if etag == f'"{tag}"':
            return Reply(304, headers)
        return Reply(200, [*headers, ("Content-Type", kind), ("Content-Length", str(len(body)))], body)

    def static_url(self, name: str) -> str:
        """Return the address of a file of the pages; it changes with the content, so caches never show an old one."""
        return f"{self.site.base}/static/{name}?v={self._static[name][2]}"

    def _render(self, request: Request, page: Page, language: str, execution: str, nonce: str) -> str:
        data = {"form": None, **page.data}
        if page.form is not None:
            data["form"] = replace(page.form, execution=execution)
        moment = datetime.fromtimestamp(int(request.now), UTC).isoformat()
        facts = {"nonce": nonce, "back": request.way_back(execution), "reference": request.reference, "time": moment}
        return self._template(page.view, language, data, **facts)

    def _steady(self, request: Request, page: Page, language: str, execution: str, nonce: str) -> str:
        """Render a page whose data are almost always the same, such as the empty sign-in form.

        It is rendered once in each language with marks where key, nonce, way back and hidden fields go; afterwards only
        those are put in.
        """
        assert page.form is not None
        names = tuple(name for name, _ in page.form.hidden)
        switches = tuple(value for value in page.data.values() if isinstance(value, bool))
        service = page.data["service"]
        told = service.told_in(language) if isinstance(service, ServiceFacts) else service
        key = (language, page.view, page.form.action, names, told, switches)
        pieces = self._kept.get(key)
        if pieces is None:
            # Nobody outside can guess a mark, so nothing that a request brings can be taken for one.
            secret = secrets.token_hex(16)
            marks = [f"{secret}{number}e" for number in range(3 + len(names))]
            hidden = tuple(zip(names, marks[3:], strict=True))
            data = {**page.data, "form": replace(page.form, execution=marks[0], hidden=hidden)}
            whole = self._template(page.view, language, data, nonce=marks[1], back=marks[2], reference="", time="")
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            pieces = self._kept[key] = re.split(f"{secret}([0-9]+)e", whole)
        back = str(escape(request.way_back(execution)))
        values = [execution, nonce, back, *(str(escape(value)) for _, value in page.form.hidden)]
        filled = list(pieces)
        filled[1::2] = [values[int(number)] for number in pieces[1::2]]
        return "".join(filled)

    def _template(self, view: str, language: str, data: Mapping[str, object], **facts: str) -> str:
        """Fill in a page. ``facts`` are what all of them are told: nonce, back, reference and time.

        A template of the site that fails keeps nobody out: the log has it, and ours is shown.
        """
        name = f"{view}.html"
        if self.look.templates is not None:
            try:
                template = self._environment(language, self.look.templates).get_template(name)
                return _bounded(template.generate(page=data, **facts))
            except Exception as error:
                _log.error("template_failed", template=name, reference=facts["reference"], **_place(error))
        return self._environment(language, None).get_template(name).render(page=data, **facts)

    def _effect(self, request: Request, effect: Effect, execution: str) -> Reply:
        if isinstance(effect, Page):
            return self.page(request, effect, execution)
        if isinstance(effect, Redirect):
            return self.redirect(request, effect.url)
        assert isinstance(effect, HeaderAnswer)
        return self._response(b"", 200, "", [("service", effect.service), ("ticket", effect.ticket)])

    def _response(
        self, body: bytes, status: int, kind: str, extra: Iterable[tuple[str, str]], policy: str = _NOTHING
    ) -> Reply:
        headers = [*self._headers, ("Content-Security-Policy", policy), *extra]
        if kind:
            headers.append(("Content-Type", kind))
        if status != 204:
            headers.append(("Content-Length", str(len(body))))
        return Reply(status, headers, body)

    def phone_cookie(self, name: str, value: str, base: str) -> tuple[str, str]:
        """Return the header that gives a phone a cookie for its window.

        :param base: the address of the service that phones come to; the cookie goes nowhere else
        """
        url = urlsplit(base)
        cookie = dump_cookie(name, value, path=url.path, secure=url.scheme == "https", httponly=True, samesite=None)
        return ("Set-Cookie", cookie)

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

    def _add_picture(self, name: str, picture: Picture | None) -> str:
        """Serve a picture of the site with the other files, and return its address."""
        if picture is None:
            return ""
        self._add_static(name + picture.suffix, picture.body, picture.kind)
        return self.static_url(name + picture.suffix)

    def _add_static(self, name: str, body: bytes, kind: str) -> None:
        self._static[name] = (body, _with_charset(kind, body), hashlib.sha256(body).hexdigest()[:16])


def _with_charset(kind: str, body: bytes) -> str:
    """Return a media type that says how a text is encoded, so that no browser has to guess."""
    if kind.startswith("text/") or kind.endswith(("/javascript", "+xml", "/xml", "/json")):
        with suppress(UnicodeDecodeError):
            body.decode()
            return f"{kind}; charset=utf-8"
    return kind


def _bounded(pieces: Iterable[str]) -> str:
    """Put a page of a site's template together, as long as it does not get out of hand.

    :raises OverflowError: it is longer than any page; maybe it would never have ended
    """
    whole, length = [], 0
    for piece in pieces:
        whole.append(piece)
        length += len(piece)
        if length > _LONGEST_PAGE:
            raise OverflowError
    return "".join(whole)


def _place(error: Exception) -> dict[str, object]:
    """Name class and place, not the message: what was to be shown may stand in it."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".html")]
    last = frames[-1] if frames else None
    return {"error": type(error).__name__, "file": last.filename if last else "", "line": last.lineno if last else 0}


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
    asking = "connect-src 'self'; " if any(page.data.get(name) for name in _ASKED) else ""
    return (
        f"default-src 'none'; style-src 'self'; script-src 'nonce-{nonce}'; img-src {pictures}; {frames}{asking}"
        "base-uri 'none'; frame-ancestors 'none'"
    )


def _frames(page: Page) -> Iterable[str]:
    frames = page.data.get("frames")
    return frames if isinstance(frames, tuple) else ()
