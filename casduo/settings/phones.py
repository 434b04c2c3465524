"""The section of casduo.yaml about logging in on Cisco IP phones."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from casduo.fieldtypes import Duration, Line, Lines, Section, parse_duration
from casduo.phone.devices import LONGEST_NAME
from casduo.services.policies import Networks
from casduo.services.regexes import check_expression


def _expression(value: str) -> str:
    check_expression(value, LONGEST_NAME)
    return value


class PhoneSettings(Section):
    """Logging in on phones. What is asked of whom stands in the registry, at the entries with `channel: phone`."""

    device_names: Annotated[Line, AfterValidator(_expression)] = Field(
        default="SEP[0-9A-F]{12}", description="Regular expression of device names that may be logged in on."
    )
    networks: Networks = Field(default=(), description="Networks in which phones are; anywhere if empty.")
    address_binding: Literal["exact", "network", "off"] = Field(
        default="exact",
        description="Whether a login must end at the address where it began: the same one, one in the same /24 (IPv6: "
        "/64), or any, for phones that come through a proxy.",
    )
    registered_address: Literal["require", "ignore"] = Field(
        default="ignore",
        description="Whether a phone must ask from the address at which UCM has it registered; `require` needs "
        "`ucm.ris` and a worker, and makes `address_binding` `exact`. Not for phones behind a proxy or NAT.",
    )
    registered_address_age: Annotated[Duration, Field(ge=120, le=3600)] = Field(
        default=parse_duration("10m"), description="How old what UCM said about a phone's address may be."
    )
    post_models: Lines = Field(
        default=(
            *("CP-78", "CP-7832"),
            *("CP-8811", "CP-8832", "CP-8841", "CP-8845", "CP-8851", "CP-8861", "CP-8865"),
        ),
        description="Beginnings of the names of models that send forms by POST; others put the PIN into the address.",
    )
    show_occupant: bool = Field(default=True, description="Tell at a phone in use who is logged in.")
    other_user: Literal["refuse", "take_over"] = Field(
        default="refuse", description="What becomes of a login at a phone where somebody else is logged in."
    )
    elsewhere: Literal["ucm", "allow", "refuse", "move"] = Field(
        default="ucm",
        description="What becomes of a login of somebody who is logged in at another phone: as UCM decides (by AXL, "
        "which has no say: `refuse`), both, none, or the other phone is logged out first.",
    )
    profiles: Literal["ask", "default"] = Field(
        default="ask", description="Let people with several profiles choose, or take their default profile."
    )
    no_profile: Literal["before_duo", "after_duo"] = Field(
        default="before_duo", description="When people without a profile are told so."
    )
    login_lifetime: Duration | None = Field(
        default=None, description="After which people are logged out by themselves; never without it."
    )
    logout_pin: bool = Field(default=False, description="Ask for the PIN before logging out.")
    clear_call_history: bool = Field(
        default=False, description="Have the phone forget its lists of calls when somebody has logged out."
    )
    refresh: Annotated[Duration, Field(ge=2, le=30)] = Field(
        default=parse_duration("3s"), description="How often a waiting phone asks for news."
    )
    transaction_lifetime: Annotated[Duration, Field(ge=90, le=900)] = Field(
        default=parse_duration("180s"), description="How long a login may take."
    )
    device_failures: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=20, description="Wrong PINs at one phone within 15 minutes after which it has to pause."
    )

    @field_validator("post_models")
    @classmethod
    def _beginnings(cls, models: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"[A-Z]{2}-[A-Z0-9]{1,12}", model) for model in models):
            raise ValueError("must be beginnings of model names such as CP-8845")
        return models
