"""Nothing of a service of Apereo CAS is dropped in silence: every key is in the report, or the entry says it."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casduo.errors import MalformedService
from casduo.importing.addresses import compiled
from casduo.importing.apereo_fields import TABLES
from casduo.importing.entries import patterns_of
from casduo.services.urls import parse_service
from tests.importing.apereo_files import PACKAGE, by_name, hash_set, service, taken_over

# Said by the order of the entries, by their ids, names and addresses.
SAID_BY_THE_ENTRY = {"@class", "serviceId", "name", "id", "evaluationOrder", "matchingStrategy", "attributeFilter"}

KINDS = {
    "accessStrategy": [
        *("Default", "TimeBased", "HttpRequest", "Surrogate", "RemoteEndpoint", "Groovy", "OpenFGA", "Chaining"),
    ],
    "multifactorPolicy": ["Default", "Groovy"],
    "attributeReleasePolicy": ["DenyAll", "ReturnAll", "ReturnAllowed", "ReturnMapped", "ReturnEncrypted", "Chaining"],
    "usernameAttributeProvider": ["Default", "PrincipalAttribute", "Anonymous", "Groovy", "Static"],
    "proxyPolicy": ["Refuse", "RegexMatching", "Restful"],
    "singleSignOnParticipationPolicy": ["Default", "LastUsedTime", "Never", "Groovy", "Chaining"],
}
SUFFIXES = {
    "accessStrategy": "RegisteredServiceAccessStrategy",
    "multifactorPolicy": "RegisteredServiceMultifactorPolicy",
    "attributeReleasePolicy": "AttributeReleasePolicy",
    "usernameAttributeProvider": "RegisteredServiceUsernameProvider",
    "proxyPolicy": "RegisteredServiceProxyPolicy",
    "singleSignOnParticipationPolicy": "RegisteredServiceSingleSignOnParticipationPolicy",
}
VALUE = st.one_of(
    st.sampled_from([None, True, False, 0, 5, "", "x", "mail", "^https://b\\.example\\.edu/.*", "2026-06-01", "TRUE"]),
    st.just(hash_set("mail", "cn")),
    st.just(by_name(mail=hash_set("a"), cn="b")),
    st.just([]),
)


def policies(name: str) -> st.SearchStrategy[dict[str, object]]:
    names = st.sampled_from([*TABLES[name], "ofOurOwn", "endpointUrl"])
    return st.builds(
        lambda kind, members: {"@class": PACKAGE + kind + SUFFIXES[name], **members},
        st.sampled_from(KINDS[name]),
        st.dictionaries(names, VALUE, max_size=4),
    )


POLICIES = {name: policies(name) for name in KINDS}
FIELDS = st.fixed_dictionaries({}, optional=POLICIES).flatmap(
    lambda chosen: st.dictionaries(
        st.sampled_from(sorted({*TABLES["Services"], "ofOurOwn"} - {*POLICIES, *SAID_BY_THE_ENTRY})), VALUE, max_size=3
    ).map(lambda others: {**others, **chosen})
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FIELDS)
def test_every_key_of_a_service_is_in_the_report(fields):
    (draft,) = taken_over(service(**fields)).drafts
    report = "\n".join(f"{finding.field}: {finding.sentence}" for finding in draft.findings)
    words = set(re.findall(r"\w+", report))
    keys = set(fields) | {key for value in fields.values() if isinstance(value, dict) for key in value}
    keys -= {"@class", "mail", "cn"}
    assert keys <= words, (keys - words, report)


RESTRICTIONS = {
    "accessStrategy": {
        "enabled": False,
        "requiredAttributes": by_name(a=hash_set("x")),
        "rejectedAttributes": by_name(a=hash_set("x")),
        "ssoEnabled": False,
        "activationCriteria": {"@class": "x.Groovy", "script": "y"},
        "delegatedAuthenticationPolicy": {"@class": "x.Y", "exclusive": True},
        "ofOurOwn": False,
    },
    "multifactorPolicy": {"multifactorAuthenticationProviders": hash_set("mfa-duo"), "script": "x", "ofOurOwn": "duo"},
}
NARROW = ("enabled", "single_sign_on", "requires_duo", "access")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_kept_people_out_still_does_or_the_entry_is_closed(data):
    name = data.draw(st.sampled_from(sorted(RESTRICTIONS)))
    key = data.draw(st.sampled_from(sorted(RESTRICTIONS[name])))
    policy = {**data.draw(POLICIES[name]), key: RESTRICTIONS[name][key]}
    if name == "multifactorPolicy":
        policy.pop("bypassEnabled", None)
    (draft,) = taken_over(service(**{name: policy})).drafts
    assert any(
        draft.entry.get(one) not in (None, True) or (one == "requires_duo" and draft.entry.get(one)) for one in NARROW
    )


PIECES = st.sampled_from(
    [
        *(
            "^",
            "$",
            "https",
            "https?",
            "(http|https)",
            "://",
            ":\\/\\/",
            "h",
            "\\.",
            ".",
            "[.]",
            "\\Q.\\E",
            "edu",
            "/",
            "a",
        ),
        *(
            "(/.*)?",
            ".*",
            ".+",
            "(a|b)",
            "[a-z]+",
            "([a-z0-9-]+\\.)*",
            "(?!a)",
            "(?i)",
            "\\d",
            ":8443",
            "(:\\d+)?",
            "\\?",
            "x?",
        ),
    ]
)
EXPRESSIONS = st.builds("".join, st.lists(PIECES, min_size=1, max_size=7)) | st.builds(
    lambda rest: "^https?://h\\.edu" + "".join(rest), st.lists(PIECES, max_size=5)
)
URLS = [
    f"{scheme}://{host}{port}{path}"
    for scheme in ("http", "https")
    for host in ("h.edu", "hxedu", "a.h.edu", "h.edu.evil.net", "evil.net")
    for port in ("", ":8443", ":443")
    for path in ("", "/", "/a", "/b", "/ax", "/a/b", "/A", "/?x=h.edu/", "/h.edu/")
]


def spellings(raw: str) -> set[str]:
    """Return texts that mean the same address here: with and without the default port, the slash, and one more."""
    port = {"http": ":80", "https": ":443"}[raw.partition(":")[0]]
    head, _, query = raw.partition("?")
    heads = {head, head + "/", head.removesuffix("/")}
    if head.count("/") == 2:
        # Without a path it is / already.
        heads.add(head + "//")
    scheme = head.partition("://")[0]
    for one in list(heads):
        host, slash, path = one.partition("://")[2].partition("/")
        bare = host.removesuffix(port)
        heads |= {
            f"{scheme}://{name}{slash}{path}"
            for name in ({bare, bare + port} if bare != host or ":" not in host else {host})
        }
    return {f"{one}?{query}" if query else one for one in heads}


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EXPRESSIONS)
def test_open_entry_means_no_address_that_the_expression_did_not_mean(expression):
    (draft,) = taken_over(service(expression)).drafts
    if not draft.entry or draft.closed:
        return
    java = re.compile(re.sub(r"\\Q(.*?)\\E", lambda found: re.escape(found[1]), expression), re.IGNORECASE)
    patterns = compiled(patterns_of(draft))
    for raw in URLS:
        try:
            url = parse_service(raw)
        except MalformedService:
            continue
        if any(pattern.matches(url) for pattern in patterns):
            assert any(map(java.fullmatch, spellings(raw))), (expression, patterns_of(draft), raw)
