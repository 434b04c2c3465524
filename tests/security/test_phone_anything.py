"""Anything at all at the addresses of phones, and in what reads tokens, names and places."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casduo.phone.devices import bound_address, device_name
from casduo.phone.mounts import find_mount, mount_of, mounts_of
from casduo.phone.tokens import PhoneTokens
from casduo.signing import Signing
from tests.security.handset import HOSTILE, GiveWard, Shown
from tests.support.raw import FORM, call
from tests.support.ward import PHONE, Ward


@pytest.fixture
def ward(ward_with: GiveWard) -> Ward:
    return ward_with(worker=False)


INTERESTING = [
    "",
    PHONE,
    "ada",
    "24680",
    HOSTILE,
    "login",
    "wait",
    "logout",
    "\x00",
    "\ud7ff",
    "%",
    "/../",
    "\U0001f600" * 60,
    "\u00ff" * 60,
]
NAMES = ["t", "userid", "pin", "passcode", "factor", "profile", "from", "device", "cancel", "service", "execution"]
BYTES = st.text(st.characters(max_codepoint=255), max_size=80)
PAIRS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(INTERESTING) | st.text(max_size=90)), max_size=5)
QUERIES = PAIRS.map(lambda pairs: urlencode(pairs, errors="replace")) | BYTES
PATHS = st.lists(st.sampled_from(INTERESTING) | st.text(max_size=60), max_size=3).map(
    lambda parts: "/".join(("/em", *parts)).encode("utf-8", "replace").decode("latin-1")
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "HTTP_COOKIE": BYTES.map(lambda text: f"casduo-em={text}") | BYTES,
        "HTTP_ACCEPT_CHARSET": BYTES,
        "HTTP_ACCEPT_LANGUAGE": BYTES,
        "HTTP_X_CISCOIPPHONEMODELNAME": BYTES | st.sampled_from(["CP-7965G", "CP-6921", "CP-860", "CP-8821"]),
        "HTTP_USER_AGENT": BYTES,
        "REMOTE_ADDR": BYTES | st.sampled_from(["::1", "fe80::1%eth0", "10.0.0.7"]),
        "CONTENT_LENGTH": BYTES,
    },
)


@given(
    method=st.sampled_from(["GET", "POST"]),
    path=PATHS,
    query=QUERIES,
    body=QUERIES.map(lambda text: text.encode("latin-1", "replace")) | st.binary(max_size=100),
    kind=st.sampled_from([FORM, FORM, "text/plain", ""]),
    headers=HEADERS,
)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_comes_a_phone_gets_a_page(
    ward: Ward, method: str, path: str, query: str, body: bytes, kind: str, headers: dict[str, str]
) -> None:
    """CWE-248: no request makes the answer one that a phone cannot show, or tells where the server is written."""
    answer = call(ward.site, method, path, query, body, kind, **headers)
    shown = Shown(answer)
    assert not re.search(r"Traceback|\.py\b", shown.text)
    assert not shown.token or "alan" in query + body.decode("latin-1")
    assert all(value.isascii() and value.isprintable() for _, value in answer.headers)
    assert ward.site.journal.named("fault") == []


@pytest.mark.parametrize(
    "name", ["A" * 5000, "\u4e16" * 60, "\U0001f600" * 60, "%" * 60, "\u00ff\u00b5\u00df" * 20, "."]
)
@pytest.mark.parametrize("step", ["", "login", "wait", "logout", "nonsense"])
def test_a_name_of_any_length_gets_a_page(ward: Ward, name: str, step: str) -> None:
    """CWE-248: addresses of ours hold the phone's name, and phones take no long ones."""
    for path in (f"/em/{name}/{step}", "/em/"):
        shown = Shown(
            call(ward.site, path=path.encode().decode("latin-1"), query=urlencode({"device": name, "t": "x"}))
        )
        assert all(len(url) < 200 for url in shown.urls)


TOKENS = PhoneTokens(Signing(["k" * 40]), 180.0)
ADDRESSES = st.ip_addresses().map(str) | st.text(max_size=50)


@given(token=st.text(max_size=80), now=st.floats(0, 4e9), mark=st.text(max_size=40))
def test_a_token_that_was_not_made_here_names_nothing(token: str, now: float, mark: str) -> None:
    """CWE-20: any text as a token or a mark."""
    assert TOKENS.read(token, now) is None
    assert not TOKENS.fits(mark, "r.abcd.0123456789012345678901.1")


@given(
    slot=st.text("abcXYZ019", min_size=4, max_size=4),
    flow=st.text("abcXYZ019", min_size=22, max_size=22),
    version=st.integers(1, 9999),
    made=st.floats(1e9, 4e9),
    age=st.floats(-1e4, 1e4),
)
def test_a_token_names_what_it_was_made_for_and_for_so_long(
    slot: str, flow: str, version: int, made: float, age: float
) -> None:
    """CWE-613: never another flow, another version, or another time; short enough for every phone."""
    execution = f"r.{slot}.{flow}.{version}"
    token = TOKENS.make(execution, made)
    assert len(token) < 64
    found = TOKENS.read(token, made + age)
    assert found is not None
    assert found.execution == execution
    assert found.expired is not (-60 <= made + age - int(made) <= 180)
    assert TOKENS.fits(TOKENS.mark(execution), execution)
    assert not TOKENS.fits(TOKENS.mark(execution), f"r.{slot}.{flow[::-1]}x.{version}")
    assert PhoneTokens(Signing(["x" * 40]), 180.0).read(token, made) is None


@given(text=st.text(max_size=60))
def test_a_name_of_a_phone_is_plain_or_none(text: str) -> None:
    """CWE-20: what is taken for a name can stand in an address, a key, a document and a log as it is."""
    for pattern in ("SEP[0-9A-F]{12}", ".*"):
        name = device_name(text, pattern)
        assert name is None or (
            re.fullmatch(r"[A-Z0-9._-]{1,50}", name) and name == text.upper() and quote(name) == name
        )


@given(one=ADDRESSES, other=ADDRESSES)
def test_two_places_are_the_same_only_where_the_settings_say_so(one: str, other: str) -> None:
    """CWE-384: two addresses have one mark where they are in one network, and nowhere else."""
    if bound_address(one, "exact") == bound_address(other, "exact"):
        assert one == other or ":" in one + other
        assert bound_address(one, "network") == bound_address(other, "network")
    assert bound_address(one, "off") == bound_address(other, "off") == ""


@given(pattern=st.text(max_size=60) | st.text("https://em*.?#[]", max_size=40), path=st.text(max_size=40))
def test_a_place_of_phones_is_one_place(pattern: str, path: str) -> None:
    """CWE-706: no pattern becomes the whole server, and none reads a path otherwise than from its beginning."""
    mount = mount_of(pattern, "em")
    assert mount is None or (mount.path.strip("/") and "*" not in mount.base)


def test_a_path_belongs_to_the_longest_place_above_it(ward: Ward) -> None:
    """CWE-706: from slash to slash, in the letters of the registry."""
    registry = ward.site.composed.parts.services.current()
    assert [mount.path for mount in mounts_of(registry)] == ["/em"]
    for path in ("/em", "/em/", "/em/x", "/em//x"):
        assert find_mount(path, registry) is not None
    for path in ("/emx", "/EM/", "em/", "/x/em/", "/e", "", "/em\x00", "//em/"):
        assert find_mount(path, registry) is None
