"""Several nodes behind HAProxy with the file of ``deploy/``: what people see is what HAProxy makes of a fault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from casduo.simulators.certificates import LeafFiles
from tests.faults.redises import RedisProcess, running_redis
from tests.faults.stage import Stage, on_stage
from tests.faults.stream import LONGEST, Stream
from tests.support.ports import free_ports
from tests.support.proxies import Proxy, haproxy
from tests.support.waiting import until

NODES = 3
DRAIN = 4
"""Seconds: the proxy asks every two whether a node is about to end."""


@dataclass(frozen=True)
class Front:
    """The nodes, the proxy before them, and the address (with a slash at the end) under which people know both."""

    stage: Stage
    proxy: Proxy
    base: str
    ca: str
    redis: RedisProcess

    def wait(self) -> None:
        """Wait until the proxy sends people to every node."""

        def goes_to_all() -> bool:
            before = len(self.proxy.written)
            for _ in self.stage.nodes:
                requests.get(f"{self.base}healthz", verify=self.ca, timeout=LONGEST)
            asked = set(re.findall(r'"path":"/cas/healthz".*"node":"(sso\d)"', self.proxy.written[before:]))
            return len(asked) == len(self.stage.nodes)

        until(goes_to_all, "the proxy sends people to every node")

    def stream(self, threads: int = 4) -> Stream:
        """People who come through the proxy."""
        return Stream([self.base], verify=self.ca, threads=threads)


@contextmanager
def behind_haproxy(directory: Path, leaf: LeafFiles, handlers: str = "") -> Iterator[Front]:
    """Run Redis, three nodes, a worker and HAProxy, which asks one node after the other, whoever comes.

    :param handlers: see :func:`tests.support.site.write_site`
    """
    ports = free_ports(NODES)
    with running_redis(directory / "redis", "always") as redis, haproxy(leaf, ports) as proxy:
        url, server = f"https://localhost:{proxy.port}/cas", "trusted_proxies: 1"
        with on_stage(
            directory / "stage", redis.url, ports=ports, url=url, drain=DRAIN, server=server, handlers=handlers
        ) as stage:
            front = Front(stage, proxy, f"{url}/", str(leaf.ca), redis)
            front.wait()
            yield front
