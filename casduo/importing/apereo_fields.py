"""Every field of a service of Apereo CAS (4.0 to 7.x), and what becomes of it: the tables of ``docs/moving-in.md``."""

from __future__ import annotations

from collections.abc import Mapping

from casduo.importing.fields import Fate, Fields


def _mapped(sentence: str) -> Fate:
    return Fate("mapped", sentence)


def _harmless(sentence: str) -> Fate:
    return Fate("harmless", sentence)


def _lost(sentence: str) -> Fate:
    return Fate("lost", sentence)


def _closed(sentence: str) -> Fate:
    return Fate("closed", sentence)


SERVICE: Fields = {
    "serviceId": _mapped("`url`"),
    "matchingStrategy": _mapped("`url`"),
    "name": _mapped("`id` and `name`"),
    "id": _mapped("a part of `id` where two have the same name"),
    "description": _mapped("`description`"),
    "logo": _mapped("`logo`, if it is an https address"),
    "evaluationOrder": _mapped("the order of the entries"),
    "accessStrategy": _mapped("`enabled`, `single_sign_on`, `access`"),
    "enabled": _mapped("`enabled` (4.0 and before)"),
    "ssoEnabled": _mapped("`single_sign_on` (4.0 and before)"),
    "multifactorPolicy": _mapped("`requires_duo`"),
    "properties": _mapped("`requires_duo`, where they ask for Duo"),
    "extraAttributes": _mapped("`requires_duo`, where they ask for Duo (4.0 and before)"),
    "attributeReleasePolicy": _mapped("`attributes`"),
    "allowedAttributes": _mapped("`attributes` (4.0 and before)"),
    "ignoreAttributes": _mapped("`attributes` (4.0 and before)"),
    "attributeFilter": _mapped("`match` of `attributes` (4.0 and before)"),
    "usernameAttributeProvider": _mapped("`username_attribute`, `pairwise_id`"),
    "usernameAttribute": _mapped("`username_attribute` (4.0 and before)"),
    "anonymousAccess": _mapped("`pairwise_id` (4.0 and before)"),
    "logoutType": _mapped("`logout.type`"),
    "logoutUrl": _mapped("`logout.url`"),
    "proxyPolicy": _mapped("`proxy`"),
    "allowedToProxy": _mapped("nothing, if `false` (4.0 and before); it does not say where tickets may be sent"),
    "responseType": _mapped("`response`"),
    "supportedProtocols": _mapped("`protocols`"),
    "singleSignOnParticipationPolicy": _mapped("`single_sign_on`, `session`"),
    "ticketGrantingTicketExpirationPolicy": _mapped("`session`"),
    "expirationPolicy": _mapped("`access.until`"),
    "authenticationPolicy": _mapped("`authentication`"),
    "requiredHandlers": _mapped("`authentication`"),
    "contacts": _mapped("`owner`"),
    "environments": _closed("which installations a service is for is not said in the registry"),
    "templateName": _closed("fields come from a template, which is another file"),
    "redirectUrl": _lost("tickets go to the address of the request and nowhere else"),
    "publicKey": _lost("nothing is encrypted for a service"),
    "serviceTicketExpirationPolicy": _lost("tickets are good once, for the time in the settings"),
    "proxyTicketExpirationPolicy": _lost("tickets are good once, for the time in the settings"),
    "proxyGrantingTicketExpirationPolicy": _lost("a proxy-granting ticket lives as long as its session"),
    "acceptableUsagePolicy": _lost("nobody is asked to accept terms of use"),
    "webflowInterruptPolicy": _lost("no page is shown in between"),
    "surrogatePolicy": _harmless("nobody signs in for somebody else"),
    "passwordlessPolicy": _harmless("everybody has a password"),
    "theme": _harmless("all services have the looks of the site"),
    "locale": _harmless("pages are in the language of the browser"),
    "informationUrl": _harmless("the sign-in page has no such link"),
    "privacyUrl": _harmless("the sign-in page has no such link"),
    "friendlyName": _harmless("it names the kind of service"),
    "evaluationPriority": _harmless("it is the same for all services of CAS"),
    "_id": _harmless("it is of the database"),
    "lastModified": _harmless("it is of the database"),
}

ACCESS: Fields = {
    "enabled": _mapped("`enabled`"),
    "ssoEnabled": _mapped("`single_sign_on`"),
    "requiredAttributes": _mapped("`access.attributes`"),
    "requireAllAttributes": _mapped("`access.attributes`, of which each must fit"),
    "startingDateTime": _mapped("`access.from`"),
    "endingDateTime": _mapped("`access.until`"),
    "zoneId": _mapped("the zone of both"),
    "ipAddress": _mapped("`access.networks`, if it names addresses"),
    "userAgent": _closed("programs are not told apart"),
    "headers": _closed("headers of requests are not looked at"),
    "surrogateEnabled": _harmless("nobody signs in for somebody else"),
    "surrogateRequiredAttributes": _harmless("nobody signs in for somebody else"),
    "strategies": _mapped("the same, one after the other"),
    "operator": _mapped("`AND`; `OR` cannot be said"),
    "caseInsensitive": _mapped("nothing: `access` minds case"),
    "rejectedAttributes": _closed("access is given, not taken away"),
    "activationCriteria": _closed("rules hold for everybody"),
    "delegatedAuthenticationPolicy": _mapped("nothing, unless people had to sign in elsewhere"),
    "unauthorizedRedirectUrl": _lost("who is refused reads why, with `owner`, and is not sent elsewhere"),
    "order": _harmless("there is one strategy"),
}

MULTIFACTOR: Fields = {
    "multifactorAuthenticationProviders": _mapped("`requires_duo`"),
    "authenticationProviders": _mapped("`requires_duo` (4.2)"),
    "failureMode": _mapped("`requires_duo.fail`"),
    "principalAttributeNameTrigger": _mapped("`requires_duo.when`"),
    "principalAttributeValueToMatch": _mapped("`requires_duo.when`, if it lists whole values, as in `^staff$`"),
    "bypassEnabled": _mapped("no `requires_duo`, if nothing else is said"),
    "bypassTrustedDeviceEnabled": _mapped("`requires_duo.trusted_browser`"),
    "forceExecution": _mapped("`requires_duo.max_age`"),
    "bypassPrincipalAttributeName": _lost("Duo is asked of these people too"),
    "bypassPrincipalAttributeValue": _lost("Duo is asked of these people too"),
    "bypassIfMissingPrincipalAttribute": _lost("Duo is asked of these people too"),
    "script": _lost("no script runs; Duo is asked of everybody"),
    "groovyScript": _lost("no script runs; Duo is asked of everybody"),
}

RELEASE: Fields = {
    "allowedAttributes": _mapped("`attributes`"),
    "excludedAttributes": _mapped("`attributes`"),
    "policies": _mapped("`attributes`, one after the other"),
    "attributeFilter": _mapped("`match` of `attributes`, or nothing is released"),
    "consentPolicy": _mapped("nothing is released where people were asked"),
    "activationCriteria": _lost("release has no conditions, so nothing is released"),
    "principalIdAttribute": _lost("the name stands in the answer itself"),
    "authorizedToReleaseCredentialPassword": _lost("a password is never told to a service"),
    "authorizedToReleaseProxyGrantingTicket": _lost("a proxy-granting ticket goes to the callback only"),
    "canonicalizationMode": _lost("`case` of `attributes` changes values one by one"),
    "principalAttributesRepository": _harmless("attributes are read when people sign in"),
    "excludeDefaultAttributes": _harmless("there are no attributes that everybody gets"),
    "authorizedToReleaseAuthenticationAttributes": _harmless("what is said of the login is listed by name"),
    "mergingPolicy": _harmless("values come from one source"),
    "order": _harmless("policies are taken in their order"),
    "name": _harmless("it names the policy"),
}

USERNAME: Fields = {
    "usernameAttribute": _mapped("`username_attribute`"),
    "canonicalizationMode": _mapped("`username_attribute.case`"),
    "persistentIdGenerator": _mapped("`pairwise_id`"),
    "encryptUsername": _closed("names are not encrypted"),
    "scope": _closed("nothing is added to a name"),
    "removePattern": _closed("nothing is taken out of a name"),
    "value": _closed("nobody gets another person's name"),
    "groovyScript": _closed("no script runs"),
    "script": _closed("no script runs"),
    "attributeName": _mapped("`username_attribute`"),
}

PROXY: Fields = {
    "pattern": _mapped("`proxy.callback`"),
    "exactMatch": _mapped("`proxy.callback`"),
    "useServiceId": _mapped("`proxy.callback`: the addresses of the entry"),
    "endpoint": _lost("no endpoint is asked; nobody proxies"),
    "headers": _lost("no endpoint is asked; nobody proxies"),
}

SINGLE_SIGN_ON: Fields = {
    "timeUnit": _mapped("`session`"),
    "timeValue": _mapped("`session`"),
    "policies": _mapped("`single_sign_on`"),
    "createCookieOnRenewedAuthentication": _lost("a password is always followed by a session"),
    "order": _harmless("there is one policy"),
    "operator": _harmless("the stricter one counts"),
}

TABLES: Mapping[str, Fields] = {
    "Services": SERVICE,
    "accessStrategy": ACCESS,
    "multifactorPolicy": MULTIFACTOR,
    "attributeReleasePolicy": RELEASE,
    "usernameAttributeProvider": USERNAME,
    "proxyPolicy": PROXY,
    "singleSignOnParticipationPolicy": SINGLE_SIGN_ON,
}
"""The tables by their headings in the document."""

CAS_CLASSES = frozenset({"CasRegisteredService", "RegexRegisteredService", "RegisteredServiceImpl"})
"""Classes of services that sign in by CAS."""

OTHER_CLASSES: Mapping[str, str] = {
    "OAuthRegisteredService": "OAuth",
    "OAuthCallbackAuthorizeService": "OAuth",
    "OidcRegisteredService": "OpenID Connect",
    "SamlRegisteredService": "SAML 2.0",
    "WSFederationRegisteredService": "WS-Federation",
}
"""Classes that sign in by another protocol, and what that is called."""
