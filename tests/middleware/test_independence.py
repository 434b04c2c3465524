"""The middleware stands alone: an application that uses it loads nothing of the server."""

from __future__ import annotations

import subprocess
import sys

FOREIGN_PARTS = ("jinja2", "redis", "pydantic", "ldap3", "duo_client", "duo_universal", "structlog", "zeep", "gevent")


def test_importing_it_loads_nothing_of_the_server_and_no_redis() -> None:
    code = (
        "import sys, casduo.middleware, casduo.middleware.paste\n"
        "print(' '.join(sorted(name for name in sys.modules if name.startswith('casduo'))))\n"
        f"print(' '.join(name for name in {FOREIGN_PARTS!r} if name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours, foreign = done.stdout.splitlines()
    assert [name for name in ours.split() if not name.startswith("casduo.middleware")] == ["casduo"]
    assert foreign == ""
