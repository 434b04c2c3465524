"""The handler for people in an LDAP directory: OpenLDAP, Active Directory and others."""

from __future__ import annotations

from casduo.authentication.ldap.handler import LdapHandler
from casduo.authentication.ldap.settings import LdapSettings

__all__ = ["LdapHandler", "LdapSettings"]
