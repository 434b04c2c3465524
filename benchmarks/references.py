"""The reference points: what the WSGI server alone can do, and what werkzeug with one Redis call can do.

Run under the same server with the same settings as everything else; ``REFERENCE_REDIS`` holds the path of the Redis
server's unix socket.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PAGE = b"<!doctype html><title>reference</title>".ljust(600, b".")


def empty_page(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer every request with the same 600 bytes."""
    start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(PAGE)))])
    return [PAGE]


def _one_redis_call() -> Any:
    import redis
    from werkzeug.wrappers import Request, Response

    connection = redis.Redis.from_url(f"unix://{os.environ['REFERENCE_REDIS']}")

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Read the request with werkzeug, ask Redis one thing, answer 600 bytes."""
        request = Request(environ)
        connection.get(f"reference:{request.args.get('ticket', '')}")
        return Response(PAGE, mimetype="text/html")(environ, start_response)

    return application


if "REFERENCE_REDIS" in os.environ:
    one_redis_call = _one_redis_call()
