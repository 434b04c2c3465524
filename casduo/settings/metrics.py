"""The section of casduo.yaml about numbers for Prometheus."""

from __future__ import annotations

from pydantic import Field

from casduo.fieldtypes import Address, Section, parse_network
from casduo.services.policies import Networks


class MetricsSettings(Section):
    """Numbers for Prometheus, at `/metrics`."""

    enabled: bool = Field(default=True, description="Whether anything is measured, and `/metrics` exists.")
    networks: Networks = Field(
        default=(parse_network("127.0.0.0/8"), parse_network("::1")),
        description="Address blocks that may ask for `/metrics`, such as that of Prometheus; nobody if empty. Behind a "
        "reverse proxy `server.trusted_proxies` must be right, else nobody may who comes through it.",
    )
    by_service: bool = Field(
        default=False,
        description="Count tickets and validations for each service too. Every entry of the registry becomes series "
        "of its own: leave it off with thousands of entries.",
    )
    listen: Address | None = Field(
        default=None,
        description="Address and port, such as `127.0.0.1:9102`, at which a worker that no server started answers "
        "`/metrics` and `/healthz` itself, to the same networks. Of the worker of a server, the server tells.",
    )
