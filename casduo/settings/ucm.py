"""The section of casduo.yaml that names a Cisco Unified Communications Manager."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator

from casduo.fieldtypes import Duration, Line, Location, Section, one_or_many, parse_duration

DEFAULT_PORT = 8443
"""Where UCM serves AXL and the Extension Mobility API."""


def _node(value: str) -> str:
    found = re.fullmatch(
        r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?", value, re.ASCII
    )
    if not found or (found[1] and not 0 < int(found[1]) < 65_536):
        raise ValueError("must be host or host:port, without https:// and without a path")
    return value if found[1] else f"{value}:{DEFAULT_PORT}"


def _version(value: object) -> object:
    # YAML reads 14.0 as a number.
    return str(value) if isinstance(value, float) else value


def _known_version(value: str) -> str:
    if not re.fullmatch(r"1[0-9]\.[0-9]", value):
        raise ValueError("must be a version of UCM's AXL schema such as '12.5', '14.0' or '15.0'")
    return value


Nodes = Annotated[
    tuple[Annotated[Line, AfterValidator(_node)], ...],
    BeforeValidator(one_or_many, json_schema_input_type=str | list[str]),
]
AxlVersion = Annotated[
    Line, BeforeValidator(_version, json_schema_input_type=str | float), AfterValidator(_known_version)
]


class UcmAccount(Section):
    """Nodes of the cluster and the application user by whom they are asked."""

    servers: Nodes = Field(
        min_length=1, description="`host` or `host:port` of each node, tried in order. Without a port: 8443."
    )
    username: Line = Field(description="Application user.")
    password: SecretStr = Field(description="Password of `username`.")
    password_file: Location | None = Field(default=None, description="File that holds `password`.")

    @field_validator("password")
    @classmethod
    def _not_empty(cls, password: SecretStr) -> SecretStr:
        if not password.get_secret_value():
            raise ValueError("must not be empty")
        return password


class UcmSettings(Section):
    """The UCM whose phones people log in on."""

    version: AxlVersion = Field(default="14.0", description="Version of the AXL schema to speak.")
    axl: UcmAccount = Field(
        description="Nodes with the AXL service, publisher first. For looking things up a read-only role is enough."
    )
    em: UcmAccount | None = Field(
        default=None,
        description="Nodes with the Extension Mobility service, and an application user with the right to log in "
        "others. With it logins go by UCM's own rules for them; without it they are written by AXL.",
    )
    ris: UcmAccount | None = Field(
        default=None,
        description="Nodes with the real-time information service (RisPort70), and an application user who may ask it, "
        "such as one in the group 'Standard CCM Server Monitoring'. Asked for `phones.registered_address` only.",
    )
    ca_file: Location | None = Field(
        default=None, description="PEM file of the authorities to trust for UCM's nodes, in place of the system's."
    )
    wsdl: Location | None = Field(
        default=None, description="UCM's own AXLAPI.wsdl, to be used in place of the small schema built in."
    )
    connect_timeout: Duration = Field(default=parse_duration("1s"), description="For connecting to one node.")
    read_timeout: Duration = Field(default=parse_duration("3s"), description="For an answer of one node.")
    budget: Duration = Field(
        default=parse_duration("4s"), description="For all questions that one request of a phone needs, over all nodes."
    )
    pause: Duration = Field(
        default=parse_duration("30s"),
        description="How long a node is left alone that failed five times in a row, on whichever server of casduo.",
    )
    max_in_flight: Annotated[int, Field(ge=1, le=64)] = Field(
        default=4, description="Questions under way to one node at a time; UCM throttles who asks more."
    )
    lockout_failures: Annotated[int, Field(ge=2, le=100)] = Field(
        default=3, description="Wrong PINs after which UCM itself locks a user out. casduo stops one short of it."
    )
    lockout_window: Duration = Field(
        default=parse_duration("30m"), description="Time after which UCM forgets wrong PINs."
    )

    @property
    def back_end(self) -> Literal["emapi", "axl"]:
        """By what logins are written."""
        return "emapi" if self.em is not None else "axl"
