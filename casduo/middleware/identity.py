"""Who the application is told is there: made from a session, put into ``environ``, and nobody else's word for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from casduo.middleware import proxies
from casduo.middleware.session import Session, session_info
from casduo.middleware.settings import Settings

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

USER_KEY: Final = "casduo.user"
ATTRIBUTES_KEY: Final = "casduo.attributes"
SESSION_KEY: Final = "casduo.session"
PROXY_KEY: Final = "casduo.proxy"

_OURS: Final = frozenset({USER_KEY, ATTRIBUTES_KEY, SESSION_KEY, PROXY_KEY})
_CLAIMS: Final = _OURS | {"REMOTE_USER", "AUTH_TYPE", "HTTP_REMOTE_USER", "HTTP_AUTH_TYPE"}
_CLAIM_PREFIXES: Final = ("HTTP_CAS_",)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NOT_IN_HEADER_NAMES: Final = re.compile(r"[^A-Z0-9]")


@dataclass(frozen=True, slots=True)
class Denial:
    """Why somebody the CAS server knows is not let in. ``code`` is fixed, ``context`` what would have to be proved."""

    code: str
    context: str = ""


def denial(session: Session, settings: Settings) -> Denial | None:
    """Return why a session does not let its user in, or ``None`` if it does."""
    wanted = settings.require_context
    if wanted is not None and wanted not in session.attributes.get("authnContextClass", ()):
        return Denial("INVALID_AUTHENTICATION_CONTEXT", wanted)
    if session.proxies and not proxies.allowed(session.proxies, settings.allowed_proxies):
        return Denial("PROXY_NOT_ALLOWED")
    if not remote_user(session, settings):
        return Denial("NO_REMOTE_USER")
    return None


def remote_user(session: Session, settings: Settings) -> str | None:
    """Return the application's name for a session's user, or ``None`` if it has none."""
    if settings.remote_user is None:
        return session.user
    if callable(settings.remote_user):
        name = settings.remote_user(session.user, _attribute_lists(session))
    else:
        name = next(iter(session.attributes.get(settings.remote_user, ())), None)
    return name if name and not _CONTROL.search(name) else None


def clear_claims(environ: WSGIEnvironment, settings: Settings) -> None:
    """Remove from ``environ`` whatever a client may have sent in order to look like our word."""
    prefixes = _CLAIM_PREFIXES + ((settings.header_prefix,) if settings.header_prefix else ())
    for name in [name for name in environ if name in _CLAIMS or name.startswith(prefixes)]:
        del environ[name]


def tell(environ: WSGIEnvironment, session: Session, settings: Settings) -> None:
    """Put a session into ``environ``. Texts in CGI variables are UTF-8 in Latin-1's clothes, as PEP 3333 has it."""
    environ["AUTH_TYPE"] = "CAS"
    environ["REMOTE_USER"] = _native(remote_user(session, settings) or "")
    environ[USER_KEY] = session.user
    environ[ATTRIBUTES_KEY] = _attribute_lists(session)
    environ[SESSION_KEY] = session_info(session, settings.session_lifetime)
    if settings.header_prefix:
        for name, values in session.attributes.items():
            variable = settings.header_prefix + _NOT_IN_HEADER_NAMES.sub("_", name.upper())
            environ.setdefault(variable, _native(_CONTROL.sub(" ", ";".join(values))))
        environ[f"{settings.header_prefix}USER"] = _native(session.user)


def _attribute_lists(session: Session) -> dict[str, list[str]]:
    return {name: list(values) for name, values in session.attributes.items()}


def _native(text: str) -> str:
    return text.encode().decode("latin-1")
