"""Policies of Apereo CAS: what becomes of who may get in, of Duo, of attributes, names, proxies and sign-out."""

from __future__ import annotations

import pytest

from casduo.importing.options import Options
from casduo.services.model import RegisteredService
from tests.importing.apereo_files import by_name, draft_of, hash_set, said, typed

ACCESS = "DefaultRegisteredServiceAccessStrategy"
MULTIFACTOR = "DefaultRegisteredServiceMultifactorPolicy"
DUO = hash_set("mfa-duo")


def own(draft):
    """Return what an entry says beyond its id, name and address, once the registry has accepted it."""
    RegisteredService.model_validate(draft.entry)
    dull = ("id", "name", "url", "disabled_reason")
    return {key: value for key, value in draft.entry.items() if key not in dull}


@pytest.mark.parametrize(
    ("kind", "members", "entry"),
    [
        (ACCESS, {"enabled": False}, {"enabled": False}),
        (ACCESS, {"ssoEnabled": False}, {"single_sign_on": False}),
        (
            ACCESS,
            {"requiredAttributes": by_name(memberOf=hash_set("staff|faculty", "^admin$"))},
            {"access": {"attributes": {"memberOf": ["staff", "faculty", "admin"]}}},
        ),
        (
            "TimeBasedRegisteredServiceAccessStrategy",
            {
                "startingDateTime": "2026-01-01T08:00:00.123456789Z",
                "endingDateTime": "2026-06-01T00:00:00+02:00[Europe/Berlin]",
            },
            {"access": {"from": "2026-01-01T08:00:00+00:00", "until": "2026-06-01T00:00:00+02:00"}},
        ),
        (
            "HttpRequestRegisteredServiceAccessStrategy",
            {"ipAddress": r"10\.1\.2\.3|10\.1\.2\.4"},
            {"access": {"networks": ["10.1.2.3", "10.1.2.4"]}},
        ),
        (
            "ChainingRegisteredServiceAccessStrategy",
            {
                "strategies": [
                    "java.util.ArrayList",
                    [typed(ACCESS, ssoEnabled=False), typed(ACCESS, requiredAttributes=by_name(a=hash_set("b")))],
                ]
            },
            {"single_sign_on": False, "access": {"attributes": {"a": ["b"]}}},
        ),
    ],
)
def test_access_that_can_be_said(kind, members, entry):
    draft = draft_of(accessStrategy=typed(kind, **members))
    assert own(draft) == entry
    assert not draft.of("lost", "closed")


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        (ACCESS, {"rejectedAttributes": by_name(status=hash_set("alumni"))}),
        (ACCESS, {"requiredAttributes": by_name(a=hash_set("x"), b=hash_set("y")), "requireAllAttributes": False}),
        (ACCESS, {"requiredAttributes": by_name(a=hash_set("x.*"))}),
        (ACCESS, {"requiredAttributes": by_name(a=hash_set("(x+)+"))}),
        (ACCESS, {"requiredAttributes": by_name(a=hash_set())}),
        (ACCESS, {"requiredAttributes": by_name(a=hash_set("groovy { return true }"))}),
        (ACCESS, {"activationCriteria": typed("GroovyRegisteredServiceAccessStrategyActivationCriteria", script="x")}),
        (ACCESS, {"delegatedAuthenticationPolicy": typed("X", exclusive=True)}),
        (ACCESS, {"onlyOnTuesdays": True}),
        ("TimeBasedRegisteredServiceAccessStrategy", {"endingDateTime": "next Tuesday"}),
        (
            "TimeBasedRegisteredServiceAccessStrategy",
            {"startingDateTime": "2026-06-01", "endingDateTime": "2026-01-01"},
        ),
        ("GroovyRegisteredServiceAccessStrategy", {"groovyScript": "file:/x.groovy"}),
        ("RemoteEndpointServiceAccessStrategy", {"endpointUrl": "https://x"}),
        ("HttpRequestRegisteredServiceAccessStrategy", {"ipAddress": "10\\..*"}),
        ("HttpRequestRegisteredServiceAccessStrategy", {"userAgent": "Firefox"}),
        (
            "ChainingRegisteredServiceAccessStrategy",
            {"operator": "OR", "strategies": ["java.util.ArrayList", [typed(ACCESS), typed(ACCESS)]]},
        ),
        ("SomethingOfOurOwn", {}),
        (ACCESS, {"ipAddress": "10.0.0.1"}),
        ("SurrogateRegisteredServiceAccessStrategy", {"requiredAttributes": by_name(a=hash_set("x.*"))}),
        ("HttpRequestRegisteredServiceAccessStrategy", {"requiredAttributes": by_name(a=hash_set("b"))}),
        ("ChainingRegisteredServiceAccessStrategy", {"requiredAttributes": by_name(a=hash_set("b"))}),
        ("ChainingRegisteredServiceAccessStrategy", {"strategies": {"a": 1}}),
        (
            "ChainingRegisteredServiceAccessStrategy",
            {
                "strategies": [
                    typed("HttpRequestRegisteredServiceAccessStrategy", ipAddress=address)
                    for address in ("10.0.0.1", "10.0.0.2")
                ]
            },
        ),
        (ACCESS, {"enabled": "perhaps"}),
        (ACCESS, {"ssoEnabled": 7}),
        (ACCESS, {"requiredAttributes": ["memberOf"]}),
        ("TimeBasedRegisteredServiceAccessStrategy", {"endingDateTime": {"x": 1}}),
        ("HttpRequestRegisteredServiceAccessStrategy", {"ipAddress": ["10.0.0.1"]}),
    ],
)
def test_access_that_cannot_be_said_closes_the_entry(kind, members):
    draft = draft_of(accessStrategy=typed(kind, **members))
    assert draft.closed
    assert own(draft)["enabled"] is False


def test_strategy_about_surrogates_is_the_default_one_beside_that():
    strategy = typed(
        "SurrogateRegisteredServiceAccessStrategy",
        requiredAttributes=by_name(a=hash_set("b")),
        surrogateRequiredAttributes=by_name(c=hash_set("d")),
    )
    assert own(draft_of(accessStrategy=strategy)) == {"access": {"attributes": {"a": ["b"]}}}


def test_expiry_that_says_more_closes_the_entry():
    assert draft_of(expirationPolicy=typed("X", expirationDate="2026-06-01", graceDays=3)).closed


def test_end_of_a_service_is_the_earlier_of_two():
    draft = draft_of(
        accessStrategy=typed("TimeBasedRegisteredServiceAccessStrategy", endingDateTime="2026-12-01T00:00:00Z"),
        expirationPolicy=typed(
            "DefaultRegisteredServiceExpirationPolicy", expirationDate="2026-06-01", deleteWhenExpired=True
        ),
    )
    assert own(draft) == {"access": {"until": "2026-06-01T00:00:00+00:00"}}


def test_handlers_that_are_demanded_need_their_names_here():
    policy = typed("DefaultRegisteredServiceAuthenticationPolicy", requiredAuthenticationHandlers=hash_set("LDAP1"))
    assert draft_of(authenticationPolicy=policy).closed
    named = draft_of(Options(handlers={"LDAP1": "staff"}), authenticationPolicy=policy)
    assert own(named) == {"authentication": ["staff"]}
    assert draft_of(requiredHandlers=hash_set("LDAP1")).closed
    for kind, demands in [("Any", False), ("Allowed", False), ("All", True), ("Groovy", True)]:
        criteria = typed(f"{kind}AuthenticationHandlersRegisteredServiceAuthenticationPolicyCriteria")
        assert draft_of(authenticationPolicy=typed("X", criteria=criteria)).closed is demands
    assert draft_of(authenticationPolicy=typed("X", excludedAuthenticationHandlers=hash_set("A"))).closed
    assert not draft_of(authenticationPolicy=typed("X")).closed


# --- Duo --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "rule"),
    [
        ({"multifactorAuthenticationProviders": DUO}, True),
        ({"multifactorAuthenticationProviders": DUO, "failureMode": "CLOSED"}, {"fail": "closed"}),
        ({"multifactorAuthenticationProviders": DUO, "failureMode": "OPEN"}, {"fail": "open"}),
        ({"multifactorAuthenticationProviders": DUO, "failureMode": "PHANTOM"}, {"fail": "open"}),
        ({"multifactorAuthenticationProviders": DUO, "failureMode": "NONE"}, {"fail": "closed"}),
        ({"multifactorAuthenticationProviders": DUO, "failureMode": "NONSENSE"}, {"fail": "closed"}),
        ({"multifactorAuthenticationProviders": DUO, "failureMode": "NOT_SET"}, True),
        (
            {
                "multifactorAuthenticationProviders": DUO,
                "principalAttributeNameTrigger": "memberOf",
                "principalAttributeValueToMatch": "^(faculty|allMfaMembers)$",
            },
            {"when": {"attributes": {"memberOf": ["faculty", "allMfaMembers"]}}},
        ),
        (
            # A part of a value was enough in some versions: "faculty-emeriti" was asked too.
            {
                "multifactorAuthenticationProviders": DUO,
                "principalAttributeNameTrigger": "memberOf",
                "principalAttributeValueToMatch": "faculty|allMfaMembers",
            },
            True,
        ),
        (
            {
                "multifactorAuthenticationProviders": DUO,
                "principalAttributeNameTrigger": "memberOf",
                "principalAttributeValueToMatch": "^("
                + "|".join(f"cn=group{n},{'ou=x,' * 20}" for n in range(20))
                + ")$",
            },
            True,
        ),
        (
            {
                "multifactorAuthenticationProviders": DUO,
                "principalAttributeNameTrigger": "memberOf",
                "principalAttributeValueToMatch": "facul.*",
            },
            True,
        ),
        (
            {
                "multifactorAuthenticationProviders": DUO,
                "principalAttributeNameTrigger": "memberOf,affiliation",
                "principalAttributeValueToMatch": "staff",
            },
            True,
        ),
        ({"multifactorAuthenticationProviders": DUO, "bypassTrustedDeviceEnabled": True}, {"trusted_browser": False}),
        (
            {"multifactorAuthenticationProviders": DUO, "forceExecution": True},
            {"max_age": "1m", "trusted_browser": False},
        ),
        ({"multifactorAuthenticationProviders": hash_set("mfa-gauth")}, True),
        ({"multifactorAuthenticationProviders": {"id": "mfa-duo"}}, True),
        ({"multifactorAuthenticationProviders": DUO, "bypassEnabled": True}, None),
        (
            {
                "multifactorAuthenticationProviders": DUO,
                "bypassEnabled": True,
                "principalAttributeNameTrigger": "a",
                "principalAttributeValueToMatch": ".+",
            },
            True,
        ),
        ({"script": "file:/etc/cas/mfa.groovy"}, True),
        ({"multifactorAuthenticationProvider": "mfa-duo"}, True),
        ({"multifactorAuthenticationProviders": DUO, "bypassEnabled": True, "bypassPrincipalAttributeName": "a"}, True),
        ({"multifactorAuthenticationProviders": DUO, "principalAttributeValueToMatch": "x"}, True),
        ({}, None),
    ],
)
def test_multifactor_policy(members, rule):
    draft = draft_of(multifactorPolicy=typed(MULTIFACTOR, **members))
    assert own(draft).get("requires_duo") == rule
    assert not draft.closed


def test_script_about_multifactor_asks_everybody():
    draft = draft_of(multifactorPolicy=typed("GroovyRegisteredServiceMultifactorPolicy", script="file:/x.groovy"))
    assert own(draft) == {"requires_duo": True}
    assert ("lost", "multifactorPolicy") in said(draft)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("requiresDuo", typed("DefaultRegisteredServiceProperty", values=hash_set("true")), True),
        ("Requires Duo", typed("DefaultRegisteredServiceProperty", values=hash_set("Yes")), True),
        ("requiresDuo", typed("DefaultRegisteredServiceProperty", values=hash_set("false")), None),
        ("authn_method", typed("DefaultRegisteredServiceProperty", values=hash_set("duo-two-factor")), True),
        ("authnMethod", typed("DefaultRegisteredServiceProperty", values=hash_set("mfa-duo")), True),
        ("strongFactorOfOurs2FA", typed("DefaultRegisteredServiceProperty", values=hash_set("on")), True),
        ("wiki", typed("DefaultRegisteredServiceProperty", values=hash_set("x")), None),
        ("requiresDuo", True, True),
        ("requiresDuo", [True], True),
        ("requiresDuo", {"values": {"a": "b"}}, True),
        ("requiresDuo", [False], None),
        ("requiresDuo", None, None),
    ],
)
def test_properties_that_asked_for_duo(name, value, rule):
    draft = draft_of(properties=by_name(**{name: value}))
    assert own(draft).get("requires_duo") == rule


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"requiresDuo": True}, True),
        ({"requiresDuo": "Y"}, True),
        ({"requiresDuo": False}, None),
        ({"secondFactorNeeded": {"x": 1}}, True),
        (
            {
                "authenticationPolicy": typed(
                    "DefaultRegisteredServiceAuthenticationPolicy", multifactorAuthenticationProviders=DUO
                )
            },
            True,
        ),
    ],
)
def test_fields_that_universities_had_put_into_cas(fields, rule):
    draft = draft_of(**fields)
    assert own(draft) == ({"requires_duo": rule} if rule else {})


def test_property_of_everybody_outweighs_a_policy_of_some():
    draft = draft_of(
        multifactorPolicy=typed(
            MULTIFACTOR,
            multifactorAuthenticationProviders=DUO,
            principalAttributeNameTrigger="a",
            principalAttributeValueToMatch="b",
            failureMode="OPEN",
        ),
        properties=by_name(requiresDuo=typed("P", values=hash_set("true"))),
    )
    assert own(draft)["requires_duo"] == {"fail": "open"}


# --- attributes and names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "members", "attributes"),
    [
        ("ReturnAllowed", {"allowedAttributes": ["java.util.ArrayList", ["mail", "cn"]]}, ["mail", "cn"]),
        (
            "ReturnMapped",
            {"allowedAttributes": by_name(mail="email", cn=["java.util.ArrayList", ["displayName", "fullName"]])},
            {"email": "mail", "displayName": "cn", "fullName": "cn"},
        ),
        ("ReturnStatic", {"allowedAttributes": by_name(org=hash_set("Example"))}, {"org": {"static": "Example"}}),
        ("DenyAll", {}, None),
        ("ReturnAllowed", {"allowedAttributes": ["a", "b"], "excludedAttributes": ["b"]}, ["a"]),
        (
            "ReturnAllowed",
            {
                "allowedAttributes": ["java.util.ArrayList", ["mail"]],
                "attributeFilter": typed("RegisteredServiceRegexAttributeFilter", pattern=r"\w+@example\.edu"),
            },
            {"mail": {"from": "mail", "match": r"\w+@example\.edu"}},
        ),
        (
            "Chaining",
            {"policies": ["java.util.ArrayList", [
                typed("ReturnAllowedAttributeReleasePolicy", allowedAttributes=hash_set("mail")),
                typed("ReturnMappedAttributeReleasePolicy", allowedAttributes=by_name(cn="name2")),
            ]]},
            {"mail": "mail", "name2": "cn"},
        ),
    ],
)  # fmt: skip
def test_release_that_can_be_said(kind, members, attributes):
    draft = draft_of(attributeReleasePolicy=typed(f"{kind}AttributeReleasePolicy", **members))
    assert own(draft).get("attributes") == attributes
    assert not draft.of("lost", "closed")


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("ReturnAll", {}),
        ("ReturnMapped", {"allowedAttributes": by_name(x="groovy { return ['a'] }", y="file:/etc/cas/y.groovy")}),
        ("GroovyScript", {"groovyScript": "x"}),
        ("ReturnRestful", {"endpoint": "https://x"}),
        ("ReturnEncrypted", {"allowedAttributes": hash_set("mail")}),
        ("ReturnAllowed", {"allowedAttributes": hash_set("mail"), "consentPolicy": typed("C", status="TRUE")}),
        ("ReturnAllowed", {"allowedAttributes": hash_set("mail"), "activationCriteria": typed("C", x=1)}),
        (
            "ReturnAllowed",
            {
                "allowedAttributes": hash_set("mail"),
                "attributeFilter": typed("RegisteredServiceRegexAttributeFilter", pattern="(a+)+"),
            },
        ),
        ("ReturnAllowed", {"allowedAttributes": hash_set("user")}),
        ("ReturnAllowed", {"allowedAttributes": hash_set("mail"), "onlyOnCampus": True}),
        (
            "ReturnAllowed",
            {
                "allowedAttributes": hash_set("mail"),
                "consentPolicy": typed("C", includeOnlyAttributes=hash_set("mail")),
            },
        ),
    ],
)
def test_release_that_cannot_be_said_is_none(kind, members):
    draft = draft_of(attributeReleasePolicy=typed(f"{kind}AttributeReleasePolicy", **members))
    assert "attributes" not in own(draft)
    assert draft.of("lost")
    assert not draft.closed


def test_all_attributes_are_those_that_are_named():
    policy = typed("ReturnAllAttributeReleasePolicy", excludedAttributes=hash_set("cn"))
    draft = draft_of(Options(all_attributes=("mail", "cn", "uid")), attributeReleasePolicy=policy)
    assert own(draft) == {"attributes": ["mail", "uid"]}


def test_password_and_proxy_granting_ticket_are_never_attributes():
    policy = typed("ReturnAllowedAttributeReleasePolicy", authorizedToReleaseCredentialPassword=True)
    assert draft_of(attributeReleasePolicy=policy).of("lost")


@pytest.mark.parametrize(
    ("kind", "members", "entry"),
    [
        ("DefaultRegisteredServiceUsernameProvider", {"canonicalizationMode": "NONE"}, {}),
        (
            "PrincipalAttributeRegisteredServiceUsernameProvider",
            {"usernameAttribute": "mail"},
            {"username_attribute": "mail"},
        ),
        (
            "PrincipalAttributeRegisteredServiceUsernameProvider",
            {"usernameAttribute": "mail", "canonicalizationMode": "LOWER"},
            {"username_attribute": {"attribute": "mail", "case": "lower"}},
        ),
    ],
)
def test_names_that_can_be_said(kind, members, entry):
    draft = draft_of(usernameAttributeProvider=typed(kind, **members))
    assert own(draft) == entry
    assert not draft.of("lost", "closed")


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("DefaultRegisteredServiceUsernameProvider", {"canonicalizationMode": "UPPER"}),
        ("DefaultRegisteredServiceUsernameProvider", {"encryptUsername": True}),
        ("PrincipalAttributeRegisteredServiceUsernameProvider", {"usernameAttribute": "mail", "scope": "example.edu"}),
        ("PrincipalAttributeRegisteredServiceUsernameProvider", {}),
        ("AnonymousRegisteredServiceUsernameAttributeProvider", {"persistentIdGenerator": typed("G", salt="c2FsdA==")}),
        ("GroovyRegisteredServiceUsernameProvider", {"groovyScript": "x"}),
        ("StaticRegisteredServiceUsernameProvider", {"value": "root"}),
    ],
)
def test_names_that_would_change_close_the_entry(kind, members):
    draft = draft_of(usernameAttributeProvider=typed(kind, **members))
    assert draft.closed
    assert own(draft)["enabled"] is False
    assert "c2FsdA" not in repr(draft)


def test_anonymous_names_are_said_to_change_every_account():
    draft = draft_of(usernameAttributeProvider=typed("AnonymousRegisteredServiceUsernameAttributeProvider"))
    assert own(draft)["pairwise_id"] is True
    assert "NOBODY KEEPS THEIR ACCOUNT" in draft.of("closed")[0].sentence


def test_fields_of_4_0():
    draft = draft_of(allowedAttributes=["mail"], attributeFilter=typed("X", pattern="a"), usernameAttribute="uid")
    assert own(draft) == {"username_attribute": "uid"}
    assert ("lost", "attributeReleasePolicy.attributeFilter") in said(draft)
    filtered = typed("RegisteredServiceRegexAttributeFilter", pattern="[a-z]+")
    assert own(draft_of(attributeFilter=filtered, allowedAttributes=["mail"])) == {
        "attributes": {"mail": {"from": "mail", "match": "[a-z]+"}}
    }
    assert draft_of(anonymousAccess=True).closed
    assert draft_of(ignoreAttributes=True, allowedAttributes=["mail"]).of("lost")


# --- proxies, sign-out, sessions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "proxy", "kind"),
    [
        (typed("RefuseRegisteredServiceProxyPolicy"), None, "taken"),
        (
            typed("RegexMatchingRegisteredServiceProxyPolicy", pattern=r"^https://app\.example\.edu/pgt$"),
            {"allow": True, "callback": "https://app.example.edu/pgt?"},
            "taken",
        ),
        (
            typed("RegexMatchingRegisteredServiceProxyPolicy", useServiceId=True),
            {"allow": True, "callback": "https://app.example.edu/**"},
            "taken",
        ),
        (typed("RegexMatchingRegisteredServiceProxyPolicy", pattern="^https?://.*"), None, "lost"),
        # The address would have to be the expression itself.
        (
            typed("RegexMatchingRegisteredServiceProxyPolicy", useServiceId=True, exactMatch=True),
            None,
            "lost",
        ),
        (typed("RegexMatchingRegisteredServiceProxyPolicy", pattern="(?i)https://x/"), None, "lost"),
        (typed("RestfulRegisteredServiceProxyPolicy", endpoint="https://x"), None, "lost"),
    ],
)
def test_proxy_policy(policy, proxy, kind):
    draft = draft_of(proxyPolicy=policy)
    assert own(draft).get("proxy") == proxy
    assert any(finding.kind == kind and finding.field.startswith("proxyPolicy") for finding in draft.findings)


@pytest.mark.parametrize(
    ("fields", "entry", "lost"),
    [
        ({"logoutType": "BACK_CHANNEL"}, {}, False),
        ({"logoutType": "FRONT_CHANNEL"}, {"logout": {"type": "front_channel"}}, False),
        ({"logoutType": ["org.apereo.cas.services.LogoutType", "NONE"]}, {}, True),
        ({"logoutType": "NONE"}, {"logout": {"type": "none"}}, False),
        ({"logoutUrl": "https://app.example.edu/slo"}, {"logout": {"url": "https://app.example.edu/slo"}}, False),
        (
            {"logoutUrl": "https://a.example.edu/x,https://b.example.edu/y"},
            {"logout": {"url": "https://a.example.edu/x"}},
            True,
        ),
        ({"logoutUrl": "javascript:alert(1)"}, {}, True),
    ],
)
def test_sign_out(fields, entry, lost):
    draft = draft_of(**fields)
    assert own(draft) == entry
    assert bool(draft.of("lost")) is lost


@pytest.mark.parametrize(
    ("policy", "entry"),
    [
        (typed("NeverRegisteredServiceSingleSignOnParticipationPolicy"), {"single_sign_on": False}),
        (
            typed("LastUsedTimeRegisteredServiceSingleSignOnParticipationPolicy", timeUnit="MINUTES", timeValue=30),
            {"session": {"idle": "30m"}},
        ),
        (
            typed(
                "AuthenticationDateRegisteredServiceSingleSignOnParticipationPolicy",
                timeUnit=["java.util.concurrent.TimeUnit", "HOURS"],
                timeValue=["java.lang.Long", 8],
            ),
            {"session": {"lifetime": "8h"}},
        ),
        (
            typed("AttributeBasedRegisteredServiceSingleSignOnParticipationPolicy", attributes={}),
            {"single_sign_on": False},
        ),
        (typed("GroovyRegisteredServiceSingleSignOnParticipationPolicy", groovyScript="x"), {"single_sign_on": False}),
    ],
)
def test_single_sign_on_in_doubt_asks_for_the_password(policy, entry):
    assert own(draft_of(singleSignOnParticipationPolicy=policy)) == entry


def test_shorter_sessions():
    policy = typed("DefaultRegisteredServiceTicketGrantingTicketExpirationPolicy", maxTimeToLiveInSeconds=60)
    assert own(draft_of(ticketGrantingTicketExpirationPolicy=policy)) == {"session": {"lifetime": "60s"}}
