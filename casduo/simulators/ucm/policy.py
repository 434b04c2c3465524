"""The settings of a cluster: what its administrator decides, and what Cisco's documents leave open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

MultipleLogin = Literal["allow", "refuse", "auto_logout"]
UnknownUser = Literal["refusal", "fault"]
AxlRefusal = Literal["fault", "false"]
EmDialect = Literal["current", "old"]
ProfileQuery = Literal["both", "deviceProfileQuery", "userDeviceProfileQuery"]

MULTIPLE_LOGINS: tuple[MultipleLogin, ...] = get_args(MultipleLogin)
UNKNOWN_USERS: tuple[UnknownUser, ...] = get_args(UnknownUser)
AXL_REFUSALS: tuple[AxlRefusal, ...] = get_args(AxlRefusal)
EM_DIALECTS: tuple[EmDialect, ...] = get_args(EmDialect)
PROFILE_QUERIES: tuple[ProfileQuery, ...] = get_args(ProfileQuery)


@dataclass(slots=True)
class Policy:
    """Settings that hold for every node; times are seconds.

    The defaults are those of a fresh UCM 14 as far as the documents tell them.
    """

    multiple_login: MultipleLogin = "refuse"
    """What becomes of a login of somebody who is logged in on another phone: also allowed, refused with code 25, or
    carried out after the first phone was logged out."""
    axl_keeps_policy: bool = False
    """Whether AXL goes by :attr:`multiple_login` too. Cisco does not say, so a client must not lean on it."""
    axl_refusal: AxlRefusal = "fault"
    """What AXL answers to a login it does not carry out: a fault, or the text ``false``."""
    own_profiles_only: bool = True
    """Whether people are logged in with profiles of their own only."""
    max_concurrent: int = 5
    """Logins and logouts one node's Extension Mobility service works on at once; one more gets code 26."""
    maximum_login_seconds: float | None = None
    """After how long the Extension Mobility service ends every login of its own; None: only when the login says so."""

    lockout_failures: int = 3
    """Wrong PINs, or passwords, after which no more are looked at."""
    lockout_seconds: float = 1800.0
    """How long a credential stays locked."""
    failures_forgotten_seconds: float = 1800.0
    """Time without a failure after which earlier ones are forgotten."""
    pin_cache_seconds: float = 0.0
    """How long the old PIN goes on working after a change; a real UCM may take 120."""
    unknown_user: UnknownUser = "refusal"
    """What the PIN check answers about a user nobody knows: the refusal a wrong PIN gets, or fault 5007."""
    expiry_warning_days: int = 14
    """From how many days before a PIN runs out its owner is to be warned."""

    axl_versions: tuple[str, ...] = ("12.0", "12.5", "14.0")
    """Versions of the AXL schema on offer, the newest last: its own and those of two major releases before."""
    session_seconds: float = 1800.0
    """Idle time after which a session cookie is answered with 404."""
    replication_seconds: float = 0.0
    """How long a login needs from the node it was made on to the others."""
    axl_writes_need_publisher: bool = False
    """Whether logins over AXL fail on other nodes while the first is down. Cisco does not say."""

    em_dialect: EmDialect = "current"
    """How the Extension Mobility API answers: as the published DTD has it, or as older releases do."""
    profile_query: ProfileQuery = "both"
    """Which name of the question for somebody's profiles is understood; the other gets code 8."""
    ris_requests_per_minute: int = 15
    """Questions where phones are registered that are answered within a minute, by all nodes together."""
    ris_returned_devices: int = 1000
    """Phones that one answer to them holds; those beyond are left out without a word."""
    ris_silent_nodes: int = 0
    """How many nodes, the last ones, do not tell the others which phones are registered with them."""

    tells_last_login: bool = True
    """Whether the answer about a phone also names who used it last, as newer releases do."""
