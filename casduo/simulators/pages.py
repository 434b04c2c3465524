"""What the pages of simulators share: where a form may come from, files for browsers, and answers without a page."""

from __future__ import annotations

from importlib import resources

from werkzeug.wrappers import Request, Response

_FILE_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


def from_own_page(request: Request) -> bool:
    """Return whether no other site made a browser send this. Browsers say where a form came from (Fetch Metadata, or
    ``Origin``); programs say nothing, and they are welcome.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or origin == request.host_url.rstrip("/")


def static_file(package: str, name: str) -> Response:
    """Return a file of the folder ``static`` of a package; 404 where there is none that browsers may have.

    :param name: one segment of a path
    """
    content_type = next((kind for suffix, kind in _FILE_TYPES.items() if name.endswith(suffix)), None)
    source = resources.files(package) / "static" / name
    if content_type is None or not source.is_file():
        return text("no such file", 404)
    return Response(source.read_bytes(), content_type=content_type, headers={"Cache-Control": "public, max-age=60"})


def see_other(location: str) -> Response:
    """Return a redirect that a browser follows with GET."""
    return Response(status=303, headers={"Location": location}, content_type="text/plain; charset=utf-8")


def text(body: str, status: int = 200) -> Response:
    """Return a short text."""
    return Response(body, status, content_type="text/plain; charset=utf-8")
