"""What the settings say about logins, as the plain values that decisions are given."""

from __future__ import annotations

from urllib.parse import urlsplit

from casduo.admin.roles import AdminRoles, Members
from casduo.approvals.terms import ApprovalTerms
from casduo.authentication.names import canonical_username
from casduo.mfa.terms import duo_defaults
from casduo.rules import LoginRules
from casduo.settings import AdminRole, Settings


def login_rules(settings: Settings) -> LoginRules:
    """Return what the settings say about logins."""
    login, logout, duo = settings.login, settings.logout, settings.duo
    return LoginRules(
        base=urlsplit(settings.server.url or "").path.rstrip("/"),
        form_lifetime=login.form_lifetime,
        flow_lifetime=login.flow_lifetime,
        session_lifetime=settings.session.lifetime,
        remember_me=settings.session.remember_me.enabled,
        remembered_lifetime=settings.session.remember_me.lifetime,
        username_case=login.username_case,
        group_attributes=tuple(login.group_attributes),
        duo=duo_defaults(duo),
        duo_fallback=duo.prompt_fallback if duo else False,
        duo_enrollment=duo is not None and settings.enrollment.enabled,
        duo_end_sessions_on_fraud=duo.end_sessions_on_fraud if duo else True,
        duo_parameter=(duo.request_parameter or "") if duo else "",
        duo_passcodes=duo.push.passcodes if duo else "",
        duo_places=tuple(duo.push.places.items()) if duo else (),
        approvals=approval_terms(settings),
        admin=admin_roles(settings),
        logout_confirm=logout.confirm,
        logout_follow_service=logout.follow_service,
        logout_legacy_url=logout.legacy_url == "as_service",
    )


def approval_terms(settings: Settings) -> ApprovalTerms:
    """Return what the settings say about requests for access."""
    approvals, webex = settings.approvals, settings.webex
    return ApprovalTerms(
        zone=settings.zone,
        zone_name=settings.server.time_zone,
        ahead=approvals.ahead,
        most_open=approvals.most_open,
        refusals=approvals.refusals,
        refusal_window=approvals.refusal_window,
        room=(webex.room or "") if webex is not None else "",
    )


def admin_roles(settings: Settings) -> AdminRoles:
    """Return who has which role on the administration pages."""
    case = settings.login.username_case

    def members(role: AdminRole) -> Members:
        # As the sign-in form reads what people type, and as it is written: a directory may spell a name with capital
        # letters, and neither that nor a capital letter here is to keep an administrator out.
        users = frozenset(name for one in role.users for name in (one.strip(), canonical_username(one, case)))
        return Members(users, frozenset(role.groups))

    return AdminRoles(
        members(settings.admin.view), members(settings.admin.change), tuple(settings.login.group_attributes)
    )
