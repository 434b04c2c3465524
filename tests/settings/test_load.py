from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casduo.errors import SettingsError
from casduo.settings import find_settings, load_settings, missing_to_serve, read_settings

Write = Callable[[str], Path]
Problems = Callable[..., dict[str, str]]

SECRET = "0123456789012345678901234567890123456789"


def test_without_a_file_everything_has_its_default() -> None:
    settings = load_settings(None, {})
    assert settings.session.idle == 7200
    assert settings.session.lifetime == 28_800
    assert settings.tickets.service_ticket == 30
    assert settings.duo is None
    assert settings.redis.url is None
    assert settings.registry == Path("registry.yaml")
    assert settings.throttling.login_pair.failures == 5
    assert settings.throttling.login_address.max_pause == 60


def test_an_empty_file_is_like_none(settings_file: Write) -> None:
    assert load_settings(settings_file(""), {}).session == load_settings(None, {}).session


def test_settings_do_not_change_afterwards() -> None:
    settings = load_settings(None, {})
    with pytest.raises(ValueError, match="frozen"):
        settings.session.idle = 1.0  # type: ignore[misc]


def test_files_lie_beside_the_settings(settings_file: Write, tmp_path: Path) -> None:
    settings = load_settings(settings_file("server: {tls_certificate: c.pem, tls_key: /k.pem}"), {})
    assert settings.registry == tmp_path / "registry.yaml"
    assert settings.server.tls_certificate == tmp_path / "c.pem"
    assert settings.server.tls_key == Path("/k.pem")
    assert settings.server.state_directory == tmp_path / "state"


def test_the_state_directory_comes_from_systemd_or_the_desktop(settings_file: Write) -> None:
    path = settings_file("server: {threads: 4}")
    environ = {"STATE_DIRECTORY": "/var/lib/casduo:/var/lib/other", "XDG_STATE_HOME": "/home/ada/.local/state"}
    assert load_settings(path, environ).server.state_directory == Path("/var/lib/casduo")
    del environ["STATE_DIRECTORY"]
    assert load_settings(path, environ).server.state_directory == Path("/home/ada/.local/state/casduo")
    written = settings_file("server: {state_directory: /srv/state}")
    assert load_settings(written, environ).server.state_directory == Path("/srv/state")


def test_every_problem_is_told_at_once(settings_file: Write) -> None:
    path = settings_file(
        """\
server:
  url: http://sso.example.edu/cas
  threads: many
sesion: {idle: 2h}
session: {idle: 9h, lifetime: 8h}
duo: {api_host: https://api.example.edu}
authentication:
  - {type: ldpa}
"""
    )
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {"CASDUO_LOG__LEVEL": "loud"})
    found = [(problem.line, problem.path) for problem in caught.value.problems]
    assert found == [
        (2, "server.url"),
        (3, "server.threads"),
        (4, "sesion"),
        (5, "session.lifetime"),
        (6, "duo.universal"),
        (6, "duo.api_host"),
        (8, "authentication[0]"),
        (0, "log.level"),
    ]


@pytest.mark.parametrize("text", ["- a", "just text", "5"])
def test_a_file_that_is_no_mapping_is_refused(settings_file: Write, text: str) -> None:
    with pytest.raises(SettingsError, match="must be a mapping"):
        load_settings(settings_file(text), {})


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        load_settings(tmp_path / "casduo.yaml", {})


def test_keys_for_anchors_are_left_alone(settings_file: Write) -> None:
    text = "x-limit: &limit {failures: 3}\nthrottling: {login_pair: *limit, login_user: *limit}"
    settings = load_settings(settings_file(text), {})
    assert settings.throttling.login_user.failures == 3
    assert settings.throttling.login_user.window == 900


def test_plain_http_must_be_asked_for(problems_in: Problems) -> None:
    assert "https://" in problems_in("server: {url: 'http://localhost:8080/cas'}")["server.url"]
    allowed = problems_in("server: {url: 'http://localhost:8080/cas', insecure_http: true}")
    assert allowed == {"server.url": "plain http: passwords and cookies cross the network in the clear"}


@pytest.mark.parametrize(
    "url", ["https://sso.example.edu/cas?x", "https://sso.example.edu/c%61s", "https://sso.example.edu//cas", "sso"]
)
def test_an_address_that_cannot_begin_pages_is_refused(problems_in: Problems, url: str) -> None:
    assert "server.url" in problems_in(f"server: {{url: '{url}'}}")


def test_the_prefix_is_the_path_of_the_address(settings_file: Write) -> None:
    assert load_settings(settings_file("server: {url: 'https://sso.example.edu/cas/'}"), {}).server.prefix == "/cas"
    assert load_settings(settings_file("server: {url: 'https://sso.example.edu'}"), {}).server.prefix == ""


def test_certificate_and_key_belong_together(problems_in: Problems) -> None:
    for key in ("tls_certificate", "tls_key"):
        assert "both or neither" in problems_in(f"server: {{{key}: a.pem}}")["server.tls_key"]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("server: {bind: 8443}", "server.bind"),
        ("server: {bind: 'localhost'}", "server.bind"),
        ("server: {processes: 0}", "server.processes"),
        ("server: {trusted_proxies: -1}", "server.trusted_proxies"),
        ("server: {time_zone: Berlin}", "server.time_zone"),
        ("secret_key: short", "secret_key"),
        ("tickets: {service_ticket: 10m}", "tickets.service_ticket"),
        ("throttling: {login_pair: {pause: 10m}}", "throttling.login_pair.max_pause"),
        ("pages: {accent_colour: '#ffff00'}", "pages.accent_colour"),
        ("pages: {accent_colour: blue}", "pages.accent_colour"),
        ("pages: {languages: [en, en]}", "pages.languages"),
        ("pages: {languages: [English]}", "pages.languages"),
        ("redis: {url: 'http://redis'}", "redis.url"),
        ("redis: {url: 'redis://'}", "redis.url"),
        ("redis: {url: 'redis://h:port'}", "redis.url"),
        ("redis: {url: 'redis://h:6379/tickets'}", "redis.url"),
        ("redis: {url: 'rediss://h:6379/1/2'}", "redis.url"),
        ("redis: {url: 'redis://h:6379/-1'}", "redis.url"),
        ("authentication: [{type: users_file, path: a}, {type: users_file, path: b}]", "authentication"),
        ("authentication: [{type: users_file}]", "authentication[0].path"),
        ("authentication: [{type: users_file, path: a, name: 'A B'}]", "authentication[0].name"),
        (
            "authentication: [{type: users_file, path: a, argon2: {memory_kib: 8, parallelism: 4}}]",
            "authentication[0].argon2.parallelism",
        ),
    ],
)
def test_values_that_cannot_work_are_refused(problems_in: Problems, text: str, path: str) -> None:
    assert list(problems_in(text)) == [path]


_LDAP = {"type": "ldap", "servers": "[ldaps://ldap.example.edu]", "base": "'dc=example,dc=edu'"}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"servers": "[]"}, "servers"),
        ({"servers": "[https://ldap.example.edu]"}, "servers[0]"),
        ({"servers": "['ldaps://u:hunter2@h']"}, "servers[0]"),
        ({"servers": "['ldaps://h/dc=example']"}, "servers[0]"),
        ({"servers": "ldap://ldap.example.edu"}, "servers"),
        ({"start_tls": "true"}, "servers"),
        ({"base": "null"}, "base"),
        ({"filter": "'uid={username}'"}, "filter"),
        ({"filter": "(uid=ada)"}, "filter"),
        ({"filter": "'((uid={username})'"}, "filter"),
        ({"bind_dn": "'cn=casduo'"}, "bind_password"),
        ({"bind_password": "hunter2"}, "bind_password"),
        ({"direct_bind_dn": "'uid=ada'"}, "direct_bind_dn"),
        ({"direct_bind_dn": "'{username}@example.edu'"}, "direct_bind_dn"),
        ({"vendor": "novell"}, "vendor"),
    ],
)
def test_a_directory_that_cannot_work_is_refused(problems_in: Problems, change: dict[str, str], path: str) -> None:
    keys = {**_LDAP, **change}
    problems = problems_in(f"authentication: [{{{', '.join(f'{key}: {value}' for key, value in keys.items())}}}]")
    assert list(problems) == [f"authentication[0].{path}"]
    assert "hunter2" not in str(problems)


def test_a_directory_may_be_bound_directly(settings_file: Write) -> None:
    text = "authentication: [{type: ldap, servers: 'ldaps://h', direct_bind_dn: 'uid={username},dc=example'}]"
    assert load_settings(settings_file(text), {}).handler_names == ("ldap",)


def test_passwords_in_the_clear_must_be_asked_for_and_are_warned_of(problems_in: Problems) -> None:
    text = "authentication: [{type: ldap, servers: 'ldap://h', base: 'dc=x', allow_plaintext: true}]"
    assert problems_in(text) == {"authentication[0].allow_plaintext": "passwords may travel in the clear"}


def test_half_configured_duo_names_each_missing_key(problems_in: Problems) -> None:
    assert problems_in("duo: {}") == {
        "duo.api_host": "is missing",
        "duo.universal": "is missing; it needs client_id and client_secret",
    }
    missing = problems_in("duo: {api_host: api.example.edu, universal: {}, auth_api: {}}")
    assert missing == {
        "duo.universal.client_id": "is missing",
        "duo.universal.client_secret": "is missing; give it, or 'client_secret_file'",
        "duo.auth_api.integration_key": "is missing",
        "duo.auth_api.secret_key": "is missing; give it, or 'secret_key_file'",
    }


def test_an_empty_duo_section_is_off(settings_file: Write) -> None:
    assert load_settings(settings_file("duo:\n"), {}).duo is None


def test_duo_keys_have_their_exact_length(problems_in: Problems, duo_section: str) -> None:
    wrong = duo_section.replace("DI01234567890123456X", "DI0123").replace(SECRET, "hunter2")
    assert problems_in(wrong) == {
        "duo.universal.client_id": "must have exactly 20 characters, it has 6",
        "duo.universal.client_secret": "must have exactly 40 characters, it has 7",
    }


@pytest.mark.parametrize(
    "host", ["https://api.example.edu", "api.example.edu/x", "api example", "h:0", "h:99999", "-h"]
)
def test_duo_hosts_are_names(problems_in: Problems, duo_section: str, host: str) -> None:
    text = duo_section.replace("api-12345678.duosecurity.com", f"'{host}'")
    assert list(problems_in(text)) == ["duo.api_host"]


def test_a_duo_host_may_have_a_port(settings_file: Write, duo_section: str) -> None:
    text = duo_section.replace("api-12345678.duosecurity.com", "LocalHost:8443")
    settings = load_settings(settings_file(text), {})
    assert settings.duo is not None
    assert settings.duo.api_host == "localhost:8443"


def test_the_auth_api_uses_the_universal_keys_unless_it_has_its_own(settings_file: Write, duo_section: str) -> None:
    duo = load_settings(settings_file(duo_section), {}).duo
    assert duo is not None
    assert duo.auth_keys[0] == "DI01234567890123456X"
    own = "  auth_api: {integration_key: DIAUTHAPIAUTHAPIAUTH, secret_key: " + SECRET[::-1] + "}\n"
    duo = load_settings(settings_file(duo_section + own), {}).duo
    assert duo is not None
    assert duo.auth_keys[0] == "DIAUTHAPIAUTHAPIAUTH"
    assert duo.auth_keys[1].get_secret_value() == SECRET[::-1]


def test_a_duo_application_takes_what_it_lacks_from_the_section(settings_file: Write, duo_section: str) -> None:
    text = duo_section + (
        "  auth_api: {integration_key: DIAUTHAPIAUTHAPIAUTH, secret_key: '" + SECRET + "'}\n"
        "  applications:\n"
        "    lenient: {fail: open}\n"
        "    hr: {universal: {client_id: DIHRHRHRHRHRHRHRHRHR, client_secret: '" + SECRET + "'}}\n"
    )
    duo = load_settings(settings_file(text), {}).duo
    assert duo is not None
    lenient, hr = duo.for_application("lenient"), duo.for_application("hr")
    assert (lenient.fail, lenient.universal, lenient.auth_api) == ("open", duo.universal, duo.auth_api)
    assert (hr.fail, hr.api_host) == ("closed", duo.api_host)
    # Keys of another application would ask for another policy.
    assert hr.auth_keys[0] == "DIHRHRHRHRHRHRHRHRHR"
    assert duo.for_application(None) is duo
    with pytest.raises(KeyError):
        duo.for_application("unknown")


def test_a_duo_application_on_another_host_needs_its_own_keys(problems_in: Problems, duo_section: str) -> None:
    text = duo_section + "  applications: {hr: {api_host: api-2.example.edu}}\n"
    assert "keys of its own" in problems_in(text)["duo.applications"]


def test_failing_open_is_warned_of(problems_in: Problems, duo_section: str) -> None:
    assert "password alone" in problems_in(duo_section + "  fail: open\n")["duo.fail"]


@pytest.mark.parametrize("proxy", ["proxy:3128", "socks5://h:1", "http://", "http://h:port"])
def test_a_proxy_is_an_address(problems_in: Problems, duo_section: str, proxy: str) -> None:
    assert list(problems_in(f"{duo_section}  proxy: '{proxy}'\n")) == ["duo.proxy"]


def test_secrets_are_in_no_representation(settings_file: Write, duo_section: str) -> None:
    text = duo_section + (
        "  proxy: http://ada:hunter2@proxy:3128\n"
        "redis: {url: 'redis://default:hunter2@redis.example.edu/0'}\n"
        "secret_key: hunter2hunter2hunter2hunter2hunter2\n"
        "previous_secret_keys: hunter2hunter2hunter2hunter2hunter3\n"
        "authentication:\n"
        "  - {type: ldap, servers: ldaps://h, base: dc=x, bind_dn: cn=a, bind_password: hunter2}\n"
        "ucm:\n"
        "  axl: {servers: ucm.example.edu, username: casduo, password: hunter2}\n"
        "  em: {servers: ucm.example.edu, username: casduo-em, password: hunter2}\n"
    )
    settings = load_settings(settings_file(text), {})
    for shown in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert "hunter2" not in shown
        assert SECRET not in shown


def test_secrets_are_in_no_problem(settings_file: Write) -> None:
    text = (
        "secret_key: [hunter2]\n"
        "previous_secret_keys: {hunter2: 1}\n"
        "redis: {url: 'redis://:hunter2@h:port', password: 2}\n"
        "duo: {universal: hunter2, client_secret: hunter2, proxy: hunter2}\n"
        "authentication: [{type: ldap, bind_passwrod: hunter2, bind_password: {hunter2: x}}]\n"
    )
    environ = {"CASDUO_DUO__UNIVERSAL__CLIENT_SECRET": "hunter2", "CASDUO_SECRET_KEY": "[hunter2"}
    with pytest.raises(SettingsError) as caught:
        load_settings(settings_file(text), environ)
    assert "hunter2" not in str(caught.value).replace("previous_secret_keys.hunter2", "")


def test_a_password_in_the_redis_address_is_moved_out_of_it(settings_file: Write) -> None:
    redis = load_settings(settings_file("redis: {url: 'rediss://ada:p%40ss@[::1]:6380/2'}"), {}).redis
    assert redis.url == "rediss://ada@[::1]:6380/2"
    assert redis.password is not None
    assert redis.password.get_secret_value() == "p@ss"


def test_two_redis_passwords_are_one_too_many(problems_in: Problems) -> None:
    problems = problems_in("redis: {url: 'redis://:hunter2@h', password: x}")
    assert list(problems) == ["redis"]
    assert "hunter2" not in str(problems)


def test_the_settings_file_is_looked_for_in_its_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked, told = tmp_path / "asked.yaml", {"CASDUO_CONFIG": "/srv/told.yaml"}
    assert find_settings(asked, told) == asked
    assert find_settings(None, told) == Path("/srv/told.yaml")
    (tmp_path / "casduo.yaml").touch()
    assert find_settings(None, {}) == Path("casduo.yaml")


def test_serving_needs_an_address_and_somebody_who_checks_passwords(settings_file: Write) -> None:
    missing = missing_to_serve(load_settings(None, {}), "casduo.yaml")
    assert [(problem.file, problem.path) for problem in missing] == [
        ("casduo.yaml", "server.url"),
        ("casduo.yaml", "authentication"),
    ]
    text = "server: {url: 'https://sso.example.edu'}\nauthentication: [{type: users_file, path: users.yaml}]"
    assert missing_to_serve(load_settings(settings_file(text), {}), "") == []


_words = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["ldap", "users_file", "8h", "https://h/", "closed", "type", "\0"]),
)
_keys = st.one_of(
    st.text(max_size=5),
    st.sampled_from(
        (
            *("server", "url", "redis", "duo", "universal", "applications", "authentication", "type", "throttling"),
            *("login_pair", "pages", "logo", "secret_key_file", "previous_secret_keys_file", "client_secret_file"),
            *("x-a", "<<"),
        )
    ),
)
_data = st.dictionaries(
    _keys,
    st.recursive(_words, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4)),
    max_size=5,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    _data, st.dictionaries(st.sampled_from(["SERVER__URL", "DUO__FAIL", "A__B", "X", "REGISTRY"]), st.text(max_size=5))
)
def test_no_input_makes_loading_fail_otherwise_than_by_problems(
    tmp_path: Path, data: dict[str, object], variables: dict[str, str]
) -> None:
    path = tmp_path / "casduo.yaml"
    path.write_text(json.dumps(data), encoding="utf-8")
    settings_, problems = read_settings(path, {f"CASDUO_{name}": value for name, value in variables.items()})
    assert (settings_ is None) == any(problem.level == "error" for problem in problems)
    assert all(problem.message[0].islower() or problem.message[0] in "'\"*{" for problem in problems), problems
