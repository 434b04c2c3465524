"""Builds the stores of users that the settings name."""

from __future__ import annotations

from casduo import settings as configured
from casduo.authentication.handler import AuthenticationHandler
from casduo.authentication.passwords import Argon2Settings
from casduo.authentication.ucm_pin import UcmPinHandler
from casduo.authentication.users_file import UsersFileHandler, UsersFileSettings
from casduo.settings import Settings
from casduo.ucm.build import Ucm


def build_handlers(settings: Settings, ucm: Ucm | None = None) -> list[AuthenticationHandler]:
    """Return the stores of users that ``settings`` name, in order.

    :param ucm: where PINs are checked; without it no handler for them is made

    :raises SettingsError: a users file cannot be used
    :raises UpstreamMisconfigured: a file that an LDAP handler needs cannot be read
    """
    made = (_handler(handler, settings, ucm) for handler in settings.authentication)
    return [handler for handler in made if handler is not None]


def _handler(handler: configured.Handler, settings: Settings, ucm: Ucm | None) -> AuthenticationHandler | None:
    if isinstance(handler, configured.UcmPinHandler):
        if ucm is None:
            return None
        assert settings.ucm is not None
        waiting = handler.max_waiting or 0
        return UcmPinHandler(handler.name, ucm.directory, handler.principal, settings.ucm.budget, waiting)
    if isinstance(handler, configured.UsersFileHandler):
        argon2 = Argon2Settings(handler.argon2.memory_kib, handler.argon2.time_cost, handler.argon2.parallelism)
        return UsersFileHandler(UsersFileSettings(handler.path, handler.name, argon2, handler.max_waiting or 0))
    assert isinstance(handler, configured.LdapHandler)
    # ldap3 takes a fifth of a second to import: only for those who use it.
    from casduo.authentication.ldap.handler import LdapHandler
    from casduo.authentication.ldap.settings import LdapSettings

    direct = handler.direct_bind_dn or ""
    return LdapHandler(
        LdapSettings(
            servers=tuple(handler.servers),
            base=handler.base or direct.partition(",")[2],
            name=handler.name,
            bind_dn=handler.bind_dn or "",
            bind_password=handler.bind_password.get_secret_value() if handler.bind_password else "",
            filter=handler.filter,
            scope="one" if handler.scope == "one_level" else "subtree",
            direct_bind_dn=direct,
            decoy_dn=handler.decoy_dn or "",
            start_tls=handler.start_tls,
            allow_plaintext=handler.allow_plaintext,
            ca_file=handler.ca_file or settings.outbound.ca_file,
            connect_timeout=handler.connect_timeout,
            receive_timeout=handler.receive_timeout,
            pause=handler.pause,
            pool_size=handler.pool_size,
            attributes={name: tuple(names) for name, names in handler.attributes.items()},
            principal_attribute=handler.principal_attribute or "uid",
            vendor=handler.vendor,
            password_policy=handler.password_policy,
            max_waiting=handler.max_waiting or 0,
        )
    )
