"""The UCM of the settings: what it is made of, and how its two interfaces work together."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Template
from typing import Any

import pytest

from casduo.outbound.budget import Budget
from casduo.settings import Settings
from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.simulators.clock import VirtualClock
from casduo.simulators.ucm import UcmSimulator
from casduo.store import Store
from casduo.store.breakers import RedisBreakerMemory
from casduo.ucm import build as module
from casduo.ucm.build import Ucm, build_ucm
from casduo.ucm.errors import UcmMisconfigured, UcmRefused, UcmUnavailable
from casduo.ucm.model import PhoneState
from tests.ucm.axl_rig import CLOSED_PHONE, PASSWORD, PHONE, PIN, USERNAME, budget, populate

Configure = Callable[..., Settings]


@pytest.fixture(scope="module")
def leaf(tmp_path_factory: pytest.TempPathFactory) -> LeafFiles:
    return CertificateAuthority.create(tmp_path_factory.mktemp("authority")).issue()


@pytest.fixture
def ucm(leaf: LeafFiles) -> Iterator[UcmSimulator]:
    with UcmSimulator(leaf, nodes=2) as simulator:
        populate(simulator)
        yield simulator


@pytest.fixture
def configure(ucm: UcmSimulator) -> Configure:
    def make(*, em: bool = False, outbound: dict[str, Any] | None = None, **section: Any) -> Settings:
        account = {"servers": ucm.servers, "username": USERNAME, "password": PASSWORD}
        found = {"axl": account, "ca_file": str(ucm.ca_file), **({"em": account} if em else {}), **section}
        return Settings.model_validate({"ucm": found, "outbound": outbound or {}})

    return make


def built(settings: Settings, **options: Any) -> Ucm:
    found = build_ucm(settings, VirtualClock(), **options)
    assert found is not None
    return found


def test_nothing_is_built_where_there_is_no_ucm() -> None:
    assert build_ucm(Settings(), VirtualClock()) is None


def test_who_has_no_ucm_loads_nothing_for_one() -> None:
    code = (
        "import sys, casduo.compose, casduo.clock, casduo.settings as s; from casduo.ucm.build import build_ucm\n"
        "assert build_ucm(s.Settings(), casduo.clock.system_clock) is None\n"
        "print([name for name in ('zeep', 'lxml') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_building_asks_nobody(ucm: UcmSimulator, configure: Configure) -> None:
    built(configure(em=True))
    assert ucm.calls() == 0


def test_axl_alone_does_everything(ucm: UcmSimulator, configure: Configure) -> None:
    found = built(configure())
    assert not found.logins.has_policy
    assert found.directory.check_pin("ada", PIN, budget()).right
    found.logins.log_in(PHONE, "ada", "ada-ward", 0.0, budget())
    assert found.logins.state(PHONE, budget()) == PhoneState(PHONE, enabled=True, user="ada", profile="ada-ward")
    assert found.logins.devices_of("ada", budget()) == (PHONE,)
    found.logins.log_out(PHONE, budget())
    assert ucm.login_of(PHONE) is None


def test_authorities_of_all_outbound_calls_are_trusted_where_ucm_has_none(
    ucm: UcmSimulator, configure: Configure
) -> None:
    settings = configure(ca_file=None, outbound={"ca_file": str(ucm.ca_file)})
    assert built(settings).directory.user("ada", budget()) is not None


def test_a_certificate_of_strangers_is_not_trusted(configure: Configure) -> None:
    with pytest.raises(UcmUnavailable) as caught:
        built(configure(ca_file=None)).directory.check_pin("ada", PIN, budget())
    assert not caught.value.sent


def test_an_administrators_schema_is_used(ucm: UcmSimulator, configure: Configure, tmp_path: Path) -> None:
    for name in ("axl.wsdl", "axl.xsd"):
        text = (Path(module.__file__).parent / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(Template(text).substitute(version="12.5"), encoding="utf-8")
    found = built(configure(version="12.5", wsdl=str(tmp_path / "axl.wsdl")))
    assert found.directory.check_pin("ada", PIN, budget()).right


@pytest.mark.parametrize(
    ("changes", "detail"),
    [({"wsdl": "/no/such/AXLAPI.wsdl"}, "wsdl_unreadable"), ({"ca_file": "/no/such/ca.pem"}, "ca_file")],
)
def test_files_that_cannot_be_used_are_told(changes: dict[str, str], detail: str, configure: Configure) -> None:
    with pytest.raises(UcmMisconfigured) as caught:
        built(configure(**changes))
    assert caught.value.detail == detail


def test_what_one_process_learns_of_a_node_all_know(ucm: UcmSimulator, configure: Configure, store: Store) -> None:
    account = {"servers": ucm.servers[:1], "username": USERNAME, "password": PASSWORD}
    settings = configure(axl=account)
    first = built(settings, memory=RedisBreakerMemory(store))
    second = built(settings, memory=RedisBreakerMemory(store))
    ucm.nodes[0].stop_listening()
    for _ in range(5):
        with pytest.raises(UcmUnavailable):
            first.directory.user("ada", budget())
    ucm.nodes[0].listen_again()
    with pytest.raises(UcmUnavailable, match="breaker_open"):
        second.directory.user("ada", budget())
    assert ucm.calls() == 0


# -- With the Extension Mobility API -----------------------------------------------------------------------------------


def test_logins_go_by_the_extension_mobility_api_where_it_is_set_up(ucm: UcmSimulator, configure: Configure) -> None:
    found = built(configure(em=True))
    assert (found.logins.has_policy, found.logins.ends_logins) == (True, True)
    found.logins.log_in(PHONE, "ada", "ada-ward", 0.0, budget())
    assert found.logins.devices_of("ada", budget()) == (PHONE,)
    found.logins.log_out(PHONE, budget())
    assert ucm.login_of(PHONE) is None
    with pytest.raises(UcmRefused) as caught:
        found.logins.log_in(CLOSED_PHONE, "ada", "ada-ward", 0.0, budget())
    assert caught.value.kind == "not_enabled"
    assert ucm.calls("doDeviceLogin") == ucm.calls("doDeviceLogout") == ucm.calls("executeSQLQuery") == 0


def test_the_profile_in_use_comes_from_axl(ucm: UcmSimulator, configure: Configure) -> None:
    ucm.log_in(PHONE, "ada", "ada-office")
    found = built(configure(em=True)).logins.state(PHONE, budget())
    assert found == PhoneState(PHONE, enabled=True, user="ada", profile="ada-office")


def test_about_a_free_phone_axl_is_not_asked(ucm: UcmSimulator, configure: Configure) -> None:
    found = built(configure(em=True))
    assert found.logins.state(PHONE, budget()) == PhoneState(PHONE)
    assert found.logins.state("SEP000000000000", budget()) == PhoneState("SEP000000000000", known=False)
    assert ucm.calls("getPhone") == 0


def test_without_axl_it_is_still_known_who_is_on_a_phone(ucm: UcmSimulator, configure: Configure) -> None:
    ucm.log_in(PHONE, "ada")
    found = built(configure(em=True))
    for kind in ("unavailable", "unauthorized", "html"):
        for node in ucm.nodes:
            node.faults.clear()
            node.faults.answer(kind, "getPhone")
        assert found.logins.state(PHONE, budget()) == PhoneState(PHONE, user="ada")


def test_an_axl_that_hangs_leaves_time_for_what_follows(ucm: UcmSimulator, configure: Configure) -> None:
    ucm.log_in(PHONE, "ada")
    for node in ucm.nodes:
        node.faults.spoil("hang", "getPhone")
    all_there_is = Budget(1.0)
    assert built(configure(em=True)).logins.state(PHONE, all_there_is) == PhoneState(PHONE, user="ada")
    assert all_there_is.left > 0.2


def test_a_profile_of_somebody_else_is_not_taken(ucm: UcmSimulator, configure: Configure) -> None:
    ucm.log_in(PHONE, "ada")
    for node in ucm.nodes:
        node.faults.overwrite("getPhone", "loginUserId", "grace")
    assert built(configure(em=True)).logins.state(PHONE, budget()) == PhoneState(PHONE, user="ada")
