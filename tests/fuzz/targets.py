"""The parsers of outside input, one row each: what is read, the errors that are documented, and examples.

A harness takes bytes. It passes over the errors that its parser documents; whatever else is raised is a find, and so is
an ``assert`` of its own that fails. To add a target add a row to ``TARGETS``.
"""

from __future__ import annotations

from tests.fuzz import answers, files, incoming
from tests.fuzz.model import Target

_DEEP = b"[" * 5_000
_LIBRARY = b"https://library.example.edu/catalogue?q=a&q=b"
_SAML = (
    b'<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Header/><SOAP-ENV:Body>'
    b'<samlp:Request xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol" MajorVersion="1" MinorVersion="1"'
    b' RequestID="_r1">'
    b"<samlp:AssertionArtifact>ST-abcd-aaaaaaaaaaaaaaaaaaaaaaaa</samlp:AssertionArtifact></samlp:Request>"
    b"</SOAP-ENV:Body></SOAP-ENV:Envelope>"
)
_ANSWER = (
    b'<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:authenticationSuccess><cas:user>ada</cas:user>'
    b"<cas:attributes><cas:mail>a@b</cas:mail></cas:attributes><cas:proxies><cas:proxy>https://p/</cas:proxy>"
    b"</cas:proxies></cas:authenticationSuccess></cas:serviceResponse>"
)
_LOGOUT = (
    b"logoutRequest=%3Csamlp%3ALogoutRequest+xmlns%3Asamlp%3D%22urn%3Aoasis%3Anames%3Atc%3ASAML%3A2.0%3Aprotocol%22%3E"
    b"%3Csamlp%3ASessionIndex%3EST-abcd-aaaaaaaaaaaaaaaaaaaaaaaa%3C%2Fsamlp%3ASessionIndex%3E%3C%2Fsamlp%3ALogoutRequest%3E"
)
_AXL = (
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b'<ns:doAuthenticateUserResponse xmlns:ns="http://www.cisco.com/AXL/API/14.0"><return><userAuthenticated>true'
    b"</userAuthenticated><code>0</code><daysToExpiry>3</daysToExpiry><isWarningNeeded>true</isWarningNeeded></return>"
    b"</ns:doAuthenticateUserResponse></soapenv:Body></soapenv:Envelope>"
)
_SERVICE = (
    b'{"@class": "org.apereo.cas.services.RegexRegisteredService", "serviceId": "^https://(a|b)[.]example[.]edu/.*",'
    b' "name": "Some", "id": 1, "accessStrategy": {"@class":'
    b' "org.apereo.cas.services.DefaultRegisteredServiceAccessStrategy", "enabled": true}}'
)

TARGETS: tuple[Target, ...] = (
    Target(
        "service",
        "service URLs",
        incoming.service,
        (_LIBRARY, b"https://[2001:db8::1]:8443/a;jsessionid=x?ticket=ST-1#f"),
    ),
    Target(
        "pattern",
        "patterns of the registry, against an address",
        incoming.pattern,
        (
            b"https://*.example.edu/**\n" + _LIBRARY,
            b"regex:^https://(www\\.)?library\\.example\\.edu/.*$\n" + _LIBRARY,
            b"https://library.example.edu:*/a/*/b?x=*&**\n" + _LIBRARY,
        ),
    ),
    Target(
        "address",
        "IP addresses, networks, addresses of servers in settings",
        incoming.address,
        (b"192.0.2.7", b"::ffff:10.0.0.1", b"64:ff9b::1.2.3.4", b"10.0.0.0/8", b"ldaps://d:636", b"host:443"),
    ),
    Target(
        "request",
        "requests as request.py reads them: query, cookies, referrer, origin, form; also as phones send them",
        incoming.request,
        (
            b"service=https%3A%2F%2Fa\nTGC-casduo=TGT-abcd-x; casduo-flow=abc\nhttps://a/\nnull\n"
            b"username=ada&password=x&execution=s.abc",
            b"device=SEP001122334455&userid=%FC\n\n\n\n",
        ),
        80_000,
    ),
    Target(
        "parameters",
        "queries and forms, and what pages of the administration search by",
        incoming.parameters,
        (b"service=a&renew=1&ticket=ST-1\npgtUrl=https%3A%2F%2Fa&from=2026-01-31&until=2026-02-01&page=2",),
        80_000,
    ),
    Target(
        "headers",
        "trace context, Accept-Language, user agents, models of phones",
        incoming.headers,
        (
            b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\ncongo=t61rcWkgMzE,rojo=1",
            b"de-CH;q=0.9, fr;q=0.1, *\nutf-8",
            b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36\n",
        ),
    ),
    Target(
        "names",
        "user names, passcodes, groups, words that people write",
        incoming.names,
        ("\uff21da ".encode(), b"push2", b"123 456", b"cn=st\\2cff,ou=g,dc=x", "e\u0301\u202e".encode()),
    ),
    Target(
        "keys",
        "ids of tickets, keys of flows and pushes, signed values, files of keys",
        incoming.keys,
        (
            b"ST-abcd-" + b"A" * 24,
            b"TGT-abcd-" + b"A" * 43,
            b"r.abcd." + b"x" * 26 + b".1",
            b"s.WzEsMl0.aaaa",
            b"k" * 40 + b" 2026-01-31T00:00:00Z",
        ),
    ),
    Target("saml", "requests of SAML 1.1", incoming.saml, (_SAML, _SAML.decode().encode("utf-16")), 70_000),
    Target(
        "ucm",
        "answers of the UCM: AXL, RIS, Extension Mobility",
        answers.ucm,
        (_AXL, b"<response><success/></response>"),
    ),
    Target("cas-answers", "the middleware: answers of validation, sign-outs", answers.cas_answers, (_ANSWER, _LOGOUT)),
    Target(
        "phone-pages",
        "texts of others on pages for phones, which have to stay well-formed",
        answers.phone_pages,
        (b"Title\nPrompt\nText & <b>\xc3\xbc</b>", "\ufffe\n\u20ac\n\ud7ff".encode()),
    ),
    Target(
        "duo",
        "answers of Duo, Auth API and verified tokens",
        answers.duo,
        (
            _DEEP,
            b'{"result": "auth", "status_msg": "x", "devices": [{"device": "D1", "capabilities": ["push"]}]}',
            b'{"auth_result": {"result": "allow"}, "auth_context": {"factor": "duo_push"}, "time": 1, "waiting": true}',
            b'{"user_id": "U1", "activation_code": "c", "expiration": 1790000000}',
        ),
    ),
    Target(
        "duo-tokens",
        "signed results of Duo, and what its token endpoint answers",
        answers.duo_tokens,
        (
            b'200\n{"auth_result": {"result": "allow"}, "auth_context": {"factor": "duo_push"}}',
            b'200\n{"auth_result": {"result": "deny"}, "exp": 1, "nonce": "x", "preferred_username": "eve"}',
            b'400\n{"error": "invalid_grant", "error_description": "x"}',
            b'200\n{"id_token": "a.b.c"}',
        ),
    ),
    Target(
        "webex",
        "deliveries, signatures and headers of Webex",
        answers.webex,
        (
            _DEEP,
            b'{"id": "w", "resource": "attachmentActions", "event": "created", "data": {"id": "a"}}',
            b'<https://webexapis.com/v1/people?cursor=x>; rel="next"\nsha256=00\n{}',
            b"Wed, 21 Oct 2026 07:28:00 GMT\n\n",
        ),
    ),
    Target(
        "webex-objects",
        "people, spaces, messages of Webex, and inputs of cards, which any member of a space makes up",
        answers.webex_objects,
        (
            _DEEP,
            b'{"id": "A1", "messageId": "M1", "personId": "P", "roomId": "space", "created": "2026-10-01T10:00:00Z",'
            b' "inputs": {"kind": "approval", "request": "r1", "nonce": "nonce", "decision": "reject", "comment": ""}}',
            b'{"id": "P1", "emails": ["Ada@Example.edu"], "displayName": "\\ud800", "type": "person", "orgId": "O"}',
            b'{"items": [{"id": "R1", "title": "x", "type": "group", "isLocked": true}]}',
        ),
    ),
    Target(
        "entries",
        "entries of a directory, up to the answers that applications get about a person",
        answers.entries,
        (b"ada\ndisplayName\nAda & Eve\n<b>\n\xef\xbf\xbe\n\x00", "ada\ncn\n\u2028\ud7ff\n\U0010ffff".encode()),
    ),
    Target(
        "records",
        "events, messages and processes as lines in Redis, sessions of the middleware",
        answers.records,
        (
            b'{"id": "e", "at": 1.5, "event": "login.failed", "level": "info", "principal": "ada", "facts": {"a": 1}}',
            b'{"node": "n", "process": 1, "role": "server", "version": "1"}',
        ),
    ),
    Target(
        "audit",
        "files of the audit trail",
        files.audit,
        (
            _DEEP,
            b'{"seq":1,"prev":"","id":"e","hash":"00"}\n',
        ),
    ),
    Target(
        "registry",
        "registry.yaml",
        files.registry,
        (b"services:\n  - {id: a, name: A, url: 'https://a.example.edu/**', requires_duo: {fail: open}}\n",),
    ),
    Target(
        "settings",
        "casduo.yaml and users.yaml",
        files.settings,
        (b"server: {url: https://sso.example.edu/cas}\nsecret_key: " + b"k" * 40, b"ada: {password: '$argon2id$x'}"),
    ),
    Target(
        "redis-addresses",
        "addresses of Sentinels and clusters",
        files.redis_addresses,
        (
            b"rediss+sentinel://casduo:word@s1:26379,s2,[2001:db8::1]:26379/master/0",
            b"redis+cluster://n1:6379,n2:6379",
            b"redis+sentinel://[::1/x",
        ),
    ),
    Target(
        "templates",
        "templates of a site, which are looked at before they are used",
        files.templates,
        (
            b"{% extends 'layout.html' %}{% block content %}{{ t('login.title', name=page.name) }}{% endblock %}",
            b"{% from 'macros.html' import field %}{{ field('x', y) }}{{ static('a.css') }}",
            b"{% import 'nothing.html' as z %}{{ z.a(" + b"(" * 300,
            b"{% if a %}" * 150 + b"{% endif %}" * 150,
        ),
    ),
    Target(
        "notifications",
        "templates of notifications, filled with what anybody may be called",
        files.notifications,
        (b"**{user}** at {service}: {detail}\n[x](https://evil) *a* <b>", b"{user.__class__}\nada", b"{0} {}\n"),
    ),
    Target(
        "imports", "registries of other servers", files.imports, (_SERVICE, b"{a: 1", b"MAMA_CAS_SERVICES = []", b"[]")
    ),
    Target(
        "sizes",
        "times, sizes, and the password policy of directories",
        files.sizes,
        (b"1h30m", b"0.5s", b"0\x03\x81\x01\x01"),
    ),
    Target(
        "middleware",
        "the middleware: addresses, hosts, tickets in queries",
        incoming.middleware,
        (b"a=b&ticket=ST-1-x&casduo_check=sign-in\npath\napp.example.edu\nsession=x",),
    ),
)
