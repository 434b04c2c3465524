"""The section of casduo.yaml about who may see how the server is."""

from __future__ import annotations

from pydantic import Field

from casduo.fieldtypes import Section, parse_network
from casduo.services.policies import Networks


class HealthSettings(Section):
    """The health detail. The plain answers, `/healthz` and `/readyz`, are for everybody."""

    networks: Networks = Field(
        default=(parse_network("127.0.0.0/8"), parse_network("::1")),
        description="Address blocks that may ask for `/healthz/detail`, such as that of the monitoring; nobody if "
        "empty. Behind a reverse proxy `server.trusted_proxies` must be right, else nobody may who comes through it.",
    )
