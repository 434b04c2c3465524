"""The section ``phones``: what is refused, with its place, and what is understood."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import pytest

from casduo.phone.devices import device_name
from casduo.phone.models import traits_of
from casduo.settings import Settings, load_settings, read_settings

Write = Callable[[str], Path]

UCM = "ucm: {axl: {servers: ucm1, username: a, password: b}}\n"


@pytest.fixture
def phones_of(settings_file: Write) -> Callable[..., Settings]:
    """Read a section ``phones`` under the variables given and return all settings."""

    def read(section: str = "{}", **environ: str) -> Settings:
        return load_settings(settings_file(f"{UCM}phones: {section}\n"), environ)

    return read


def test_what_nobody_says(phones_of: Callable[..., Settings]) -> None:
    phones = phones_of().phones
    assert (phones.device_names, phones.networks, phones.address_binding) == ("SEP[0-9A-F]{12}", (), "exact")
    assert (phones.show_occupant, phones.other_user, phones.elsewhere) == (True, "refuse", "ucm")
    assert (phones.profiles, phones.no_profile) == ("ask", "before_duo")
    assert (phones.login_lifetime, phones.logout_pin, phones.clear_call_history) == (None, False, False)
    assert (phones.refresh, phones.transaction_lifetime, phones.device_failures) == (3.0, 180.0, 20)
    assert {model for model in phones.post_models if model.startswith("CP-8821")} == set()


def test_everything_can_be_said(phones_of: Callable[..., Settings]) -> None:
    phones = phones_of(
        "{device_names: '(SEP|CSF)[0-9A-Z]{1,47}', networks: [10.64.0.0/12, '2001:db8::/32'], address_binding: network,"
        " post_models: [CP-88, DP-98], show_occupant: false, other_user: take_over, elsewhere: move, profiles: default,"
        " no_profile: after_duo, login_lifetime: 12h, logout_pin: true, clear_call_history: true, refresh: 5s,"
        " transaction_lifetime: 5m, device_failures: 50}"
    ).phones
    assert phones.networks == (ip_network("10.64.0.0/12"), ip_network("2001:db8::/32"))
    assert (phones.login_lifetime, phones.refresh, phones.transaction_lifetime) == (43_200.0, 5.0, 300.0)
    assert device_name("csfada", phones.device_names) == "CSFADA"
    assert traits_of({"HTTP_X_CISCOIPPHONEMODELNAME": "DP-9861"}, phones.post_models).posts


def test_one_network_and_one_model_need_no_list(phones_of: Callable[..., Settings]) -> None:
    phones = phones_of("{networks: 10.64.0.0/12, post_models: CP-8845}").phones
    assert (phones.networks, phones.post_models) == ((ip_network("10.64.0.0/12"),), ("CP-8845",))


def test_the_environment_comes_first(phones_of: Callable[..., Settings]) -> None:
    phones = phones_of("{networks: 10.0.0.0/8}", CASDUO_PHONES__NETWORKS="10.1.0.0/16,10.2.0.0/16").phones
    assert phones.networks == (ip_network("10.1.0.0/16"), ip_network("10.2.0.0/16"))


@pytest.mark.parametrize(
    ("written", "key", "said"),
    [
        ("device_names: ''", "device_names", "must not be empty"),
        ("device_names: 'SEP['", "device_names", ""),
        ("device_names: '(S*)*'", "device_names", ""),
        ("device_names: '(?=SEP).*'", "device_names", ""),
        ("networks: [10.1.2.3/8]", "networks[0]", "did you mean 10.0.0.0/8?"),
        ("networks: voice", "networks", "is not an address block"),
        ("address_binding: loose", "address_binding", "exact"),
        ("post_models: [8845]", "post_models[0]", ""),
        ("post_models: [cp-8845]", "post_models", "must be beginnings of model names such as CP-8845"),
        ("post_models: ['CP-8845 ', 'CP-*']", "post_models", "must be beginnings of model names such as CP-8845"),
        ("show_occupant: maybe", "show_occupant", ""),
        ("other_user: allow", "other_user", "take_over"),
        ("elsewhere: follow", "elsewhere", "move"),
        ("profiles: first", "profiles", "default"),
        ("no_profile: never", "no_profile", "before_duo"),
        ("login_lifetime: 0", "login_lifetime", "must be a duration above zero"),
        ("login_lifetime: false", "login_lifetime", "must be a duration"),
        ("refresh: 1s", "refresh", "2"),
        ("refresh: 31s", "refresh", "30"),
        ("transaction_lifetime: 89s", "transaction_lifetime", "90"),
        ("transaction_lifetime: 16m", "transaction_lifetime", "900"),
        ("device_failures: 0", "device_failures", "1"),
        ("device_failures: 1001", "device_failures", "1000"),
        ("networks_of_phones: []", "networks_of_phones", "unknown key"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(settings_file: Write, written: str, key: str, said: str) -> None:
    settings, problems = read_settings(settings_file(f"{UCM}phones:\n  {written}\n"), {})
    assert settings is None
    assert [(problem.line, problem.path) for problem in problems] == [(3, f"phones.{key}")]
    assert said in problems[0].message
