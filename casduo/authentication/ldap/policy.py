"""What a directory's answer to a bind means: result code, password policy control, Active Directory's data code."""

from __future__ import annotations

import re
from dataclasses import dataclass

from casduo.authentication.ldap.directory import INVALID_CREDENTIALS, SUCCESS, BindAnswer
from casduo.authentication.ldap.password_policy import (
    ACCOUNT_LOCKED,
    CHANGE_AFTER_RESET,
    PASSWORD_EXPIRED,
    PolicyResponse,
    decode,
)
from casduo.authentication.ldap.settings import Vendor
from casduo.authentication.model import ExpiresIn, GraceLogins, PasswordWarning, Reason

_DATA_CODE = re.compile(r"AcceptSecurityContext error, data ([0-9a-f]{1,8})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The password was right and the policy lets the person in."""

    warnings: tuple[PasswordWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The person is not let in; the fields are those of :class:`~casduo.authentication.model.Rejected`."""

    reason: Reason
    detail: str = ""
    proved: bool = False


Verdict = Accepted | Refused

_POLICY_ERRORS = {
    # Expiry is looked at only after the password, so it proves that it was right; a lock is looked at before.
    (INVALID_CREDENTIALS, PASSWORD_EXPIRED): Refused("expired", "passwordExpired", proved=True),
    (INVALID_CREDENTIALS, ACCOUNT_LOCKED): Refused("locked", "accountLocked"),
    # After a reset the bind succeeds, but for nothing except setting another password.
    (SUCCESS, CHANGE_AFTER_RESET): Refused("must_change", "changeAfterReset", proved=True),
    (SUCCESS, PASSWORD_EXPIRED): Refused("expired", "passwordExpired", proved=True),
    (SUCCESS, ACCOUNT_LOCKED): Refused("locked", "accountLocked"),
}

_DATA_CODES = {
    # Win32 error numbers, in hexadecimal. All but the first two and 775 are only answered to the right password.
    0x525: Refused("unknown", "data 525"),
    0x52E: Refused("wrong", "data 52e"),
    0x530: Refused("not_permitted_now", "data 530", proved=True),
    0x531: Refused("not_permitted_now", "data 531", proved=True),
    0x532: Refused("expired", "data 532", proved=True),
    0x533: Refused("disabled", "data 533", proved=True),
    0x701: Refused("expired", "data 701", proved=True),
    0x773: Refused("must_change", "data 773", proved=True),
    0x775: Refused("locked", "data 775"),
}

_RESULT_CODES = {
    # Of servers that say it without the control. They may do so before looking at the password, so nothing is proved,
    # and the person sees no difference.
    19: Refused("locked", "constraintViolation"),
    53: Refused("disabled", "unwillingToPerform"),
    # No such name, or one that has no password or may not sign in with it.
    16: Refused("wrong", "noSuchAttribute"),
    32: Refused("wrong", "noSuchObject"),
    34: Refused("wrong", "invalidDNSyntax"),
    48: Refused("wrong", "inappropriateAuthentication"),
    INVALID_CREDENTIALS: Refused("wrong", "invalidCredentials"),
    50: Refused("wrong", "insufficientAccessRights"),
}


def is_verdict(code: int) -> bool:
    """Say whether a result code of a bind is about the person. Of all others (RFC 4511, appendix A) the server is the
    reason: it cannot or will not check passwords, or not over this connection, and another one perhaps would.
    """
    return code == SUCCESS or code in _RESULT_CODES


def judge(answer: BindAnswer, vendor: Vendor, password_policy: bool) -> Verdict:
    """Return what ``answer`` means. Anything that is not understood is a refusal.

    :param vendor: which dialects to read, see :class:`LdapSettings`.
    :param password_policy: heed the password policy control. An unreadable one refuses even a successful bind: it may
        have said that the account is locked.
    """
    try:
        policy = decode(answer.policy) if password_policy and answer.policy is not None else PolicyResponse()
    except ValueError:
        return Refused("unavailable", "unreadable password policy control")
    if policy.error is not None and (answer.code, policy.error) in _POLICY_ERRORS:
        return _POLICY_ERRORS[answer.code, policy.error]
    if answer.code == SUCCESS:
        return Accepted(_warnings(policy))
    if answer.code == INVALID_CREDENTIALS and vendor != "openldap":
        return _judge_data_code(answer.diagnostic)
    if answer.code == INVALID_CREDENTIALS or not is_verdict(answer.code):
        # Nobody is told of a wrong password at which no server has looked.
        return Refused("wrong" if is_verdict(answer.code) else "unavailable", f"result {answer.code}")
    return _RESULT_CODES[answer.code]


def _judge_data_code(diagnostic: str) -> Refused:
    found = _DATA_CODE.search(diagnostic)
    if found is None:
        return Refused("wrong", f"result {INVALID_CREDENTIALS}")
    return _DATA_CODES.get(int(found[1], 16), Refused("wrong", f"data {found[1].lower()}"))


def _warnings(policy: PolicyResponse) -> tuple[PasswordWarning, ...]:
    warnings: list[PasswordWarning] = []
    if policy.grace_logins is not None:
        warnings.append(GraceLogins(policy.grace_logins))
    if policy.expires_in is not None:
        warnings.append(ExpiresIn(policy.expires_in))
    return tuple(warnings)
