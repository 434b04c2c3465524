"""The pages a person may see instead of the application: small, styled, without script, and never with a ticket.

Everything here is text in, HTML out. The style is one constant sheet, allowed by its hash in the content security
policy, so that no page needs a second request.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Final

_STYLE: Final = """
:root{color-scheme:light dark;--ground:#f3f4f6;--card:#fff;--ink:#1b1f24;--quiet:#565e68;--line:#d5d9df;
--accent:#1f5fbf;--on-accent:#fff}
@media (prefers-color-scheme:dark){:root{--ground:#14171a;--card:#1e2226;--ink:#e8eaed;--quiet:#a5adb7;
--line:#3a4048;--accent:#8ab4f8;--on-accent:#10161f}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;grid-template-rows:1fr auto;background:var(--ground);color:var(--ink);
font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{align-self:center;justify-self:center;width:min(32rem,100% - 2rem);margin:2rem 0;padding:2rem;
background:var(--card);border:1px solid var(--line);border-radius:.75rem}
p{margin:.75rem 0}
.app{margin:0;color:var(--quiet);font-size:.9rem}
h1{margin:.25rem 0 1rem;font-size:1.45rem;line-height:1.25;overflow-wrap:anywhere}
.actions{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.5rem 0 0}
.actions form{margin:0}
.button{display:inline-flex;align-items:center;min-height:44px;padding:.5rem 1.25rem;border:1px solid transparent;
border-radius:.5rem;background:var(--accent);color:var(--on-accent);font:inherit;font-weight:600;text-decoration:none;
cursor:pointer}
.button.second{background:none;border-color:var(--quiet);color:var(--ink)}
:focus-visible{outline:3px solid var(--accent);outline-offset:3px}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:1.5rem 0 0;padding-top:1rem;
border-top:1px solid var(--line);color:var(--quiet);font-size:.875rem}
dt{font-weight:600}
dd{margin:0;overflow-wrap:anywhere}
footer{padding:1rem;text-align:center;font-size:.9rem}
footer a{color:var(--accent)}
@media (max-width:26rem){main{padding:1.25rem}dl{grid-template-columns:1fr}dd{margin-bottom:.5rem}}
""".strip()

_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")


@dataclass(frozen=True, slots=True)
class Link:
    """A way on: ``label`` is what the button says; ``new_tab`` keeps the page with what was typed before it."""

    label: str
    url: str
    new_tab: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says.

    :param status: HTTP status.
    :param title: what happened, in a few words.
    :param paragraphs: what it means and what one can do.
    :param links: ways on, the most likely first.
    :param code: the CAS server's code, if it is of use to a help desk.
    :param confirm: text of a button that posts ``token`` to the page's own address.
    :param token: hidden proof that the button was on our page.
    """

    status: int
    title: str
    paragraphs: tuple[str, ...]
    links: tuple[Link, ...] = ()
    code: str = ""
    confirm: str = ""
    token: str = ""


def render(page: Page, *, app_name: str, help_url: str | None, reference: str, now: float) -> str:
    """Return a page as HTML.

    :param app_name: what the application is called.
    :param help_url: where to ask for help, or ``None``.
    :param reference: what the log line of this page holds, or an empty text.
    :param now: epoch seconds, shown beside the reference.
    """
    paragraphs = "".join(f"<p>{escape(text)}</p>" for text in page.paragraphs)
    footer = f'<footer><a href="{escape(help_url)}">Help</a></footer>' if help_url else ""
    return (
        '<!doctype html><html lang="en" dir="ltr"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(page.title)} - {escape(app_name)}</title><style>{_STYLE}</style></head>"
        f'<body><main><p class="app">{escape(app_name)}</p><h1>{escape(page.title)}</h1>{paragraphs}'
        f"{_actions(page)}{_facts(page.code, reference, now)}</main>{footer}</body></html>"
    )


def headers(cas_origin: str, *, same_origin_referrer: bool = False) -> list[tuple[str, str]]:
    """Return the headers that every page is sent with.

    :param cas_origin: a form's answer may redirect there, which Chromium counts as a target of the form.
    :param same_origin_referrer: let a form on this page say where it comes from; browsers blank ``Origin`` otherwise.
    """
    return [
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "same-origin" if same_origin_referrer else "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
        (
            "Content-Security-Policy",
            f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self' {cas_origin}; "
            "base-uri 'none'; frame-ancestors 'none'",
        ),
    ]


def _actions(page: Page) -> str:
    buttons = []
    if page.confirm:
        buttons.append(
            f'<form method="post"><input type="hidden" name="token" value="{escape(page.token)}">'
            f'<button class="button" type="submit">{escape(page.confirm)}</button></form>'
        )
    for link in page.links:
        style = "button second" if buttons else "button"
        target = ' target="_blank" rel="noopener noreferrer"' if link.new_tab else ""
        hint = " (opens a new tab)" if link.new_tab else ""
        buttons.append(f'<a class="{style}" href="{escape(link.url)}"{target}>{escape(link.label)}{hint}</a>')
    return f'<div class="actions">{"".join(buttons)}</div>' if buttons else ""


def _facts(code: str, reference: str, now: float) -> str:
    facts = []
    if code:
        facts.append(("Code", escape(code)))
    if reference:
        moment = datetime.fromtimestamp(now, UTC)
        shown = f'<time datetime="{moment:%Y-%m-%dT%H:%M:%SZ}">{moment:%Y-%m-%d %H:%M:%S} UTC</time>'
        facts += [("Reference", escape(reference)), ("Time", shown)]
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts) + "</dl>" if facts else ""
