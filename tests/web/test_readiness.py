"""``/readyz``: whether a process should be sent people, why not, what it tells to whom, and what asking costs."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from casduo.diagnosis.readiness import KEEP, Readiness
from casduo.errors import UpstreamUnavailable
from tests.support.redis_servers import CountingRelay
from tests.support.site import Build, SetClock, Site

HERE = {"REMOTE_ADDR": "127.0.0.1"}
NO_SERVICES = "services: []\n"


def ready(site: Site, query: str = "?verbose", **environ: str) -> tuple[int, list[str]]:
    answer = site.browser().get(f"/readyz{query}", extra_environ={**HERE, **environ})
    return answer.status_int, answer.text.splitlines()


def test_everybody_is_told_a_word_and_those_who_watch_a_line_for_each_dependency(build: Build) -> None:
    site = build(registry=NO_SERVICES)
    version = site.composed.parts.services.current().version
    assert ready(site) == (200, ["ok", "redis: ok", f"registry: ok (state {version})"])
    assert ready(site, "?a=b&verbose=1")[1][0:2] == ["ok", "redis: ok"]
    assert ready(site, "") == (200, ["ok"])
    assert ready(site, REMOTE_ADDR="192.0.2.7") == (200, ["ok"])
    # A proxy that the settings do not know of tells this machine's address.
    assert ready(site, HTTP_X_FORWARDED_FOR="192.0.2.7") == (200, ["ok"])


def test_without_redis_it_is_not_ready_and_says_why(build: Build, relay: CountingRelay) -> None:
    site = build(relay.url, registry=NO_SERVICES)
    relay.cut()
    status, lines = ready(site)
    assert (status, lines[0]) == (503, "redis")
    assert lines[1].startswith("redis: unavailable (does not answer: ConnectionError")
    relay.mend()
    assert ready(site)[0] == 503, "an answer is good for a second, also a bad one"
    site.clock.advance(KEEP)
    assert ready(site)[0] == 200


def test_a_process_about_to_end_is_not_ready(build: Build) -> None:
    site = build(registry=NO_SERVICES)
    site.composed.application.server.draining.draining = True
    status, lines = ready(site)
    assert (status, lines[0]) == (503, "draining")
    assert ready(site, "", REMOTE_ADDR="192.0.2.7") == (503, ["draining"])
    assert site.browser().get("/healthz").status_int == 200


def test_proxies_that_want_it_are_told_by_404(build: Build) -> None:
    site = build(registry=NO_SERVICES)
    assert ready(site, "?otherwise=404") == (200, ["ok"])
    site.composed.application.server.draining.draining = True
    assert ready(site, "?otherwise=404") == (404, ["draining"])
    assert ready(site, "?otherwise=200") == (503, ["draining"])


def test_a_registry_that_cannot_be_used_is_told_and_takes_nobody_away(build: Build) -> None:
    site = build(registry=NO_SERVICES)
    services = site.composed.parts.services
    services.path.write_text("services: [\n")
    services.poll()
    status, lines = ready(site)
    assert (status, lines[0]) == (200, "ok")
    assert lines[2].startswith("registry: rejected (the file has changed")
    assert services.current().version in lines[2]


def test_a_directory_that_is_down_is_told_and_takes_nobody_away(build: Build) -> None:
    handlers = (
        "- {type: ldap, name: campus, servers: ['ldaps://127.0.0.1:1'], base: 'dc=example', bind_dn: 'cn=a', "
        "bind_password: secret, connect_timeout: 1s}\n"
    )
    site = build(registry=NO_SERVICES, handlers=handlers)
    assert ready(site)[1][-1] == "authentication campus: ok"
    for _ in range(3):
        site.browser().fill(site.browser().login_page(""), "nobody", "wrong")
    status, lines = ready(site)
    assert (status, lines[0]) == (200, "ok")
    assert lines[-1].startswith("authentication campus: unavailable")


def test_probes_are_no_way_to_keep_redis_busy(build: Build, relay: CountingRelay) -> None:
    site = build(relay.url, registry=NO_SERVICES)
    ready(site)
    relay.reset()
    with ThreadPoolExecutor(8) as threads:
        assert {status for status, _ in threads.map(lambda _: ready(site), range(40))} == {200}
    assert relay.round_trips == 0


@pytest.mark.parametrize("error", [None, UpstreamUnavailable("redis", "TimeoutError")])
def test_those_who_ask_at_once_share_one_question(build: Build, error: Exception | None) -> None:
    asked = []

    def ping() -> None:
        asked.append(1)
        time.sleep(0.05)
        if error is not None:
            raise error

    services = build(registry=NO_SERVICES).composed.parts.services
    readiness = Readiness(ping, services, dict, SetClock(1000.0))
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: readiness.standing(draining=False).ready, range(8)))
    assert found == {error is None}
    assert len(asked) == 1
