"""The application that tests start under a server of its own: named to gunicorn as ``served_app:app``."""

from __future__ import annotations

import os
from typing import Any

from casduo.middleware import CasMiddleware


def plain(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    if environ["PATH_INFO"] == "/proxy":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["casduo.proxy"].proxy_ticket(environ["QUERY_STRING"]).encode()]
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length)
    start_response("200 OK", [("Content-Type", "text/plain")])
    told = "|".join([environ.get("REMOTE_USER", "-"), environ["PATH_INFO"], environ["QUERY_STRING"]])
    return [told.encode("latin-1") + b"|" + body]


def protected(cas_url: str, service_url: str, **options: Any) -> CasMiddleware:
    return CasMiddleware(
        plain, cas_url=cas_url, service_url=service_url, secret_key="k" * 40, public_paths=["/healthz"], **options
    )


if "CAS_URL" in os.environ:
    app = protected(
        os.environ["CAS_URL"],
        os.environ["SERVICE_URL"],
        session=os.environ.get("SESSION_STORE", "cookie"),
        ca_file=os.environ.get("CA_FILE"),
        proxy_callback=os.environ.get("PROXY_CALLBACK"),
    )
