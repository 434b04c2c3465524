"""Sample applications: a library that needs no Duo, a payroll that does, and what others are made of.

Each is a plain WSGI application that knows of its user only what the middleware in front of it puts into ``environ``:
``REMOTE_USER``, ``casduo.user``, ``casduo.attributes`` and ``casduo.session``. Their pages show exactly that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

SIGNED_OUT_PATH: Final = "/signed-out"
STYLE_PATH: Final = "/style.css"
ICON_PATH: Final = "/icon.svg"
LOGOUT_PATH: Final = "/logout"
USER: Final = "%USER%"
"""Stands for the user name in an application's own part of the page."""

_HEADERS: Final = {
    # No form-action: signing out is a form whose answer redirects to the CAS server, whose address is unknown here.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_STANDARD: Final = (
    "authenticationDate",
    "isFromNewLogin",
    "longTermAuthenticationRequestTokenUsed",
    "authnContextClass",
    "bypassMultifactorAuthentication",
    "bypassedMultifactorAuthenticationProviderId",
)


@dataclass(frozen=True, slots=True)
class SampleApp:
    """One application: call it as WSGI applications are called, behind a CAS middleware.

    :param name: short name; also what the style sheet colours by.
    :param title: what people call it.
    :param requires_duo: whether the registry is to ask for Duo.
    :param icon: the drawing inside its icon, on a field of 24 by 24.
    :param colour: ground of the icon.
    :param lead: a sentence under the greeting.
    :param content: the page's own part, as HTML; :data:`USER` in it becomes who is signed in.
    :param middleware_options: what the middleware in front of it should be told.
    """

    name: str
    title: str
    requires_duo: bool
    icon: str
    colour: str
    lead: str
    content: str
    middleware_options: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        response = self._answer(Request(environ))
        response.headers.extend(_HEADERS)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response("This page can only be read.\n", 405, {"Allow": "GET, HEAD"})
        root = request.root_path.rstrip("/")
        match request.path:
            case "/":
                return _html(_home(self, request, root))
            case "/signed-out":
                return _html(_signed_out(self, root))
            case "/style.css":
                return _asset(files("casduo.simulators").joinpath("sample_apps.css").read_text("utf-8"), "text/css")
            case "/icon.svg":
                return _asset(_icon_file(self), "image/svg+xml")
            case _:
                return _html(_not_found(self, root), 404)


def _html(body: str, status: int = 200) -> Response:
    return Response(body, status, content_type="text/html; charset=utf-8")


def _asset(text: str, content_type: str) -> Response:
    return Response(text, 200, {"Cache-Control": "max-age=300"}, content_type=f"{content_type}; charset=utf-8")


def _icon_file(app: SampleApp) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect width="24" height="24" rx="6" '
        f'fill="{app.colour}"/><g transform="translate(4 4) scale(.6667)" fill="none" stroke="#fff" stroke-width="2" '
        f'stroke-linecap="round" stroke-linejoin="round">{app.icon}</g></svg>'
    )


def _drawing(paths: str) -> str:
    return f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{paths}</svg>'


def _layout(app: SampleApp, root: str, title: str, main: str, account: str = "") -> str:
    return (
        f'<!doctype html><html lang="en" dir="ltr" data-app="{app.name}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)} - Example University</title>"
        f'<link rel="icon" href="{root}{ICON_PATH}" type="image/svg+xml">'
        f'<link rel="stylesheet" href="{root}{STYLE_PATH}"></head><body>'
        '<a class="skip" href="#main">Skip to content</a>'
        f'<header><div class="bar"><a class="brand" href="{root}/">{_drawing(app.icon)}'
        f"<span>{escape(app.title)}<small>Example University</small></span></a>{account}</div></header>"
        f'<main id="main">{main}</main>'
        "<footer><p>A sample application. It knows of you what stands on this page, and nothing else.</p></footer>"
        "</body></html>"
    )


def _home(app: SampleApp, request: Request, root: str) -> str:
    environ = request.environ
    user = environ.get("casduo.user")
    if user is None:
        return _layout(app, root, f"{app.title}: nobody is signed in", _message(_NOBODY))
    attributes: Mapping[str, Sequence[str]] = environ.get("casduo.attributes", {})
    name = next(iter(attributes.get("displayName", ())), user)
    account = (
        f'<div class="account"><span class="person">{_initials(name)}<span class="name">{escape(name)}</span></span>'
        f'<form method="post" action="{root}{LOGOUT_PATH}"><button type="submit">Sign out</button></form></div>'
    )
    content = app.content.replace(USER, escape(user))
    main = (
        f'<div class="welcome"><h1>Hello, {escape(name)}</h1><p>{escape(app.lead)}</p></div>'
        f'<div class="columns"><section class="card" aria-labelledby="own">{content}</section>'
        f'<section class="card" aria-labelledby="you">{_identity(environ, user, attributes)}</section></div>'
    )
    return _layout(app, root, app.title, main, account)


def _initials(name: str) -> str:
    words = [word for word in name.split() if word[:1].isalnum()]
    letters = "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"
    return f'<span class="initials" aria-hidden="true">{escape(letters)}</span>'


def _identity(environ: WSGIEnvironment, user: str, attributes: Mapping[str, Sequence[str]]) -> str:
    session = environ.get("casduo.session")
    context: Sequence[str] = getattr(session, "authn_context", ())
    typed = getattr(session, "is_from_new_login", False)
    date = getattr(session, "authentication_date", None)
    facts = [
        ("User name", f"<code>{escape(user)}</code>"),
        ("Second factor", _second_factor(context, skipped="bypassMultifactorAuthentication" in attributes)),
        ("This sign-in", "With your password" if typed else "Single sign-on"),
    ]
    if date:
        facts.append(("Password checked", f'<time datetime="{escape(date)}">{escape(_readable(date))}</time>'))
    rows = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    return f'<h2 id="you">How you signed in</h2><dl class="facts">{rows}</dl>{_attributes(attributes)}'


def _second_factor(context: Sequence[str], *, skipped: bool) -> str:
    if "mfa-duo" in context:
        return f'<span class="badge good">{_drawing(_CHECK)}Approved with Duo</span>'
    if context:
        return f'<span class="badge good">{_drawing(_CHECK)}{escape(", ".join(context))}</span>'
    return f'<span class="badge">{_drawing(_DASH)}{"Let in without Duo" if skipped else "Not asked for"}</span>'


def _readable(date: str) -> str:
    day, _, moment = date.partition("T")
    clock = moment.removesuffix("Z").partition(".")[0]
    return f"{day} {clock} UTC" if moment.endswith("Z") else date


def _attributes(attributes: Mapping[str, Sequence[str]]) -> str:
    released = {name: values for name, values in sorted(attributes.items()) if name not in _STANDARD}
    if not released:
        return '<h3>Attributes</h3><p class="quiet">None were released to this application.</p>'
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{"<br>".join(escape(value) for value in values)}</td></tr>'
        for name, values in released.items()
    )
    return f"<h3>Attributes</h3><table><tbody>{rows}</tbody></table>"


def _signed_out(app: SampleApp, root: str) -> str:
    text = (
        f"<h1>You are signed out</h1><p>Of {escape(app.title)} and of the sign-in page. "
        "Other applications that you opened may still be open.</p>"
        f'<p><a class="button" href="{root}/">Sign in again</a></p>'
    )
    return _layout(app, root, f"Signed out of {app.title}", _message(text))


def _not_found(app: SampleApp, root: str) -> str:
    text = f'<h1>There is no such page</h1><p><a class="button" href="{root}/">Back to {escape(app.title)}</a></p>'
    return _layout(app, root, "Page not found", _message(text))


def _message(html: str) -> str:
    return f'<section class="card message">{html}</section>'


_NOBODY: Final = "<h1>Nobody is signed in</h1><p>This application must stand behind the CAS middleware.</p>"
_CHECK: Final = '<path d="M5 12.5l4.5 4.5L19 7.5"/>'
_DASH: Final = '<path d="M6 12h12"/>'
_BOOK: Final = (
    '<path d="M12 6.5C10 5 7 4.5 3 4.5v13.5c4 0 7 .5 9 2 2-1.5 5-2 9-2V4.5c-4 0-7 .5-9 2z"/><path d="M12 6.5V20"/>'
)
_NOTE: Final = (
    '<rect x="2.5" y="6" width="19" height="12" rx="2"/><circle cx="12" cy="12" r="2.75"/>'
    '<path d="M6 12h.01M18 12h.01"/>'
)

_LOANS: Final = (
    ("Sketch of the Analytical Engine", "L. F. Menabrea", "2027-01-12", "12 January"),
    ("The Education of a Computer", "G. M. Hopper", "2027-01-19", "19 January"),
    ("On Computable Numbers", "A. M. Turing", "2027-02-02", "2 February"),
)
_PAYSLIP: Final = (
    ("Salary", "4,820.00"),
    ("Night shifts", "260.00"),
    ("Income tax", "\N{MINUS SIGN}914.50"),
    ("Pension", "\N{MINUS SIGN}381.00"),
)


def _loans() -> str:
    rows = "".join(
        f'<tr><th scope="row"><cite>{title}</cite><small>{author}</small></th>'
        f'<td><time datetime="{date}">{shown}</time></td></tr>'
        for title, author, date, shown in _LOANS
    )
    return (
        '<h2 id="own">Your loans</h2><table class="own"><thead><tr><th scope="col">Title</th>'
        f'<th scope="col">Due</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _payslip() -> str:
    rows = "".join(f'<tr><th scope="row">{name}</th><td>{amount}</td></tr>' for name, amount in _PAYSLIP)
    return (
        '<h2 id="own">Payslip, October</h2><table class="own"><thead><tr><th scope="col">Item</th>'
        f'<th scope="col">Euro</th></tr></thead><tbody>{rows}</tbody><tfoot><tr><th scope="row">Paid out</th>'
        "<td>3,784.50</td></tr></tfoot></table>"
    )


_PUBLIC: Final = (SIGNED_OUT_PATH, STYLE_PATH, ICON_PATH)

LIBRARY: Final = SampleApp(
    name="library",
    title="Library",
    requires_duo=False,
    icon=_BOOK,
    colour="#7b2d43",
    lead="Three books are out on your card. A password was enough to see them.",
    content=_loans(),
    middleware_options={
        "app_name": "Library",
        "public_paths": _PUBLIC,
        "logout_path": LOGOUT_PATH,
        "after_logout": SIGNED_OUT_PATH,
    },
)

PAYROLL: Final = SampleApp(
    name="payroll",
    title="Payroll",
    requires_duo=True,
    icon=_NOTE,
    colour="#0f5c4d",
    lead="Nobody but you should see this, so a password alone is not enough.",
    content=_payslip(),
    middleware_options={
        "app_name": "Payroll",
        "public_paths": _PUBLIC,
        "logout_path": LOGOUT_PATH,
        "after_logout": SIGNED_OUT_PATH,
        "require_context": "mfa-duo",
    },
)

SAMPLE_APPS: Final = (LIBRARY, PAYROLL)
"""The demo's applications, in the order in which to try them."""
