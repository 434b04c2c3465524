"""The pages' collaborator as the settings describe it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casduo.enrollment.build import build_enrollment
from casduo.enrollment.service import Enrollment
from casduo.mfa.duo.applications import DuoApplications
from casduo.mfa.duo.errors import DuoMisconfigured
from casduo.settings import Settings
from casduo.store import Store
from tests.support.site import Recorder

KEYS = {"client_id": "DI" + "0" * 18, "client_secret": "s" * 40}
ADMIN = {"integration_key": "DI" + "1" * 18, "secret_key": "t" * 40}
DUO = {"api_host": "api-casduo01.duo.test", "universal": KEYS}


def built(store: Store, duo: dict[str, Any] | None, **enrollment: Any) -> Enrollment | None:
    settings = Settings.model_validate({"duo": duo, "enrollment": enrollment})
    return build_enrollment(settings, store, DuoApplications({}), Recorder())


def test_there_is_none_without_duo_or_where_it_is_switched_off(store: Store) -> None:
    assert built(store, None) is None
    assert built(store, DUO, enabled=False) is None


def test_the_settings_say_how_long_things_last(store: Store) -> None:
    enrollment = built(store, DUO, code_lifetime="15m", password_age="5m")
    assert enrollment is not None
    assert (enrollment.terms.code_lifetime, enrollment.terms.password_age) == (900, 300.0)
    # A code that was asked for in the last moment of the password ends before the session does.
    assert enrollment.sessions.lifetime > 900 + 300


def test_the_admin_api_s_keys_are_good_for_the_applications_of_its_own_account(store: Store) -> None:
    others = {"clinic": {}, "same": {"api_host": DUO["api_host"], "universal": KEYS}}
    others["subsidiary"] = {"api_host": "api-casduo02.duo.test", "universal": KEYS}
    enrollment = built(store, {**DUO, "applications": others, "admin_api": ADMIN})
    assert enrollment is not None
    assert enrollment.terms.admin_applications == {"", "clinic", "same"}


def test_a_file_of_authorities_that_cannot_be_read_is_told_at_the_start(store: Store, tmp_path: Path) -> None:
    with pytest.raises(DuoMisconfigured) as caught:
        built(store, {**DUO, "admin_api": ADMIN, "ca_file": tmp_path / "none.pem"})
    assert caught.value.detail == "ca_file"
