"""The verifier accepts what the official client signs, in every version, and refuses everything else in order."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode

import duo_client
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.simulators.duo import signing
from casduo.simulators.duo.errors import DuoRefusal
from casduo.simulators.duo.signing import SignedRequest, VerifiedSignature

IKEY = "DICASDUOTESTIKEY0001"
SKEY = "casduoTestSecretKey0123456789ABCDEFabcde"
HOST = "api-casduo01.duo.test"
DATE = "Tue, 21 Aug 2012 17:29:18 -0000"
NOW = 1345570158.0
NON_ASCII_JSON = rb'{"ipaddr":"192.0.2.7","username":"zo\u00eb.o' + rb"'" + rb'brien+x@example.org"}'
NON_ASCII_FORM = b"username=zo%C3%AB.o%27brien%2Bx%40example.org&ipaddr=192.0.2.7"
PUSH_JSON = (
    b'{"async":"1","device":"auto","factor":"push","pushinfo":"service=Payroll%20portal&from=192.0.2.7",'
    b'"type":"CAS login","username":"alice"}'
)


@dataclass(frozen=True)
class Vector:
    """A request that the official client made, with the signature it made for it."""

    method: str
    path: str
    version: int
    digest: str
    signature: str
    query: str = ""
    body: bytes = b""
    header: tuple[str, str] | None = None


VECTORS = {
    "V1 check": Vector(
        "GET",
        "/auth/v2/check",
        5,
        "sha512",
        "d3996add7b9dce85f5b0bb85095839bc03c7605c9ded6ef5a9a0785261d9262ef0ee9ef5a33dbf6eb46ca169f173703b93d6de07d3172b86d"
        "4005330eea90a8b",
    ),
    "V2 auth_status": Vector(
        "GET",
        "/auth/v2/auth_status",
        5,
        "sha512",
        "ee5970147b06d2c0a02f0a18da6b058cabc720bca0310593230ef5fb0cbf3fcd0188ec66b1f895d06863c20e95122831ecd9c31ceb1440a1"
        "45aacce2969c7167",
        query="txid=45f7c92b-f45f-4862-8545-e0f58e78075a",
    ),
    "V3 preauth, not ASCII": Vector(
        "POST",
        "/auth/v2/preauth",
        5,
        "sha512",
        "e7d795f8ec7861f3d4c33150fb62882043d9667e47a4ca5781663bff8aaccbfdb241fd116b087c8dd0f4735173c4351441d664783733b2d8"
        "55f3ce43baebc60b",
        body=NON_ASCII_JSON,
    ),
    "V4 auth": Vector(
        "POST",
        "/auth/v2/auth",
        5,
        "sha512",
        "7682847ecd4132b6d7559a64e99d07dfe7622188e5b94fcd4aa8ecb4efca82b849e6c085bf702bc71bddf5f91d6241b1b1af170f21e53ae6"
        "4bcbf9f4cd5997a6",
        body=PUSH_JSON,
    ),
    "V5 check with a header": Vector(
        "GET",
        "/auth/v2/check",
        5,
        "sha512",
        "6b8c0ea775526b9eb0d55ff58c90dc22a65c8e9f7a44212d0aeaf96088910d62afc7cb6fb92c3a0b99b025da494f94fa16fe7017745fa977"
        "75bfb6a766fb1aa2",
        header=("X-Duo-Trace", "abc"),
    ),
    "V6 preauth": Vector(
        "POST",
        "/auth/v2/preauth",
        4,
        "sha512",
        "c881aa29396dbc6a1ca18bac6d8fff1ae06076f8eab2d755b0af9ab67226c62d89d95cfd3ba7c4bdf91106f53de90db3cbab8a10c82886aa"
        "ac3181b70048f284",
        body=b'{"username":"alice"}',
    ),
    "V7 preauth, not ASCII": Vector(
        "POST", "/auth/v2/preauth", 2, "sha1", "bd976a8c1369697b184eeff16b9b5289d46b6fa8", body=NON_ASCII_FORM
    ),
    "V8 preauth, not ASCII": Vector(
        "POST",
        "/auth/v2/preauth",
        2,
        "sha512",
        "98263237213330b9e24f07434042083a90292790d9639d31a8f430e5c3560705a125351748d84243b768107a60d4b58d2aff9db6436e5bef"
        "ce7fa75b4e9df1ac",
        body=NON_ASCII_FORM,
    ),
    "V9 check": Vector("GET", "/auth/v2/check", 2, "sha1", "dfb13fca25eb41e3ca2da0f9a81eccbb645c48b9"),
    "V10 escapes, repeats, order": Vector(
        "POST",
        "/auth/v2/auth",
        2,
        "sha1",
        "a3ed90ffecd31377f144f55a929e739920fe4642",
        body=b"b=2&b=1+a&a=x~y_z-.%2A%2F&%C3%A9=%C3%BC",
    ),
}


def request_of(vector: Vector, **changes: str | None) -> SignedRequest:
    credentials = base64.b64encode(f"{IKEY}:{vector.signature}".encode()).decode()
    headers: dict[str, str | None] = {"Authorization": f"Basic {credentials}", "Date": DATE}
    if vector.body:
        json_body = vector.body.startswith(b"{")
        headers["Content-type"] = "application/json" if json_body else "application/x-www-form-urlencoded"
    if vector.header is not None:
        headers[vector.header[0]] = vector.header[1]
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    return SignedRequest(
        method=vector.method,
        host=HOST,
        path=vector.path,
        query=vector.query,
        headers={name: value for name, value in headers.items() if value is not None},
        body=vector.body,
    )


def secret_of(integration_key: str) -> str | None:
    return SKEY if integration_key == IKEY else None


def refusal(request: SignedRequest, now: float = NOW) -> int:
    with pytest.raises(DuoRefusal) as caught:
        signing.verify(request, secret_of, now)
    return caught.value.api_code


@pytest.mark.parametrize("name", VECTORS)
def test_a_signature_of_the_official_client_verifies(name: str) -> None:
    vector = VECTORS[name]
    verified = signing.verify(request_of(vector), secret_of, NOW)
    assert verified == VerifiedSignature(IKEY, vector.version, vector.digest)


@pytest.mark.parametrize("name", VECTORS)
def test_a_signature_does_not_verify_for_another_path(name: str) -> None:
    vector = VECTORS[name]
    elsewhere = Vector(
        vector.method, "/auth/v2/other", 5, "", vector.signature, vector.query, vector.body, vector.header
    )
    assert refusal(request_of(elsewhere)) == 40103


def test_version_1_leaves_the_date_out() -> None:
    canonical = f"GET\n{HOST}\n/auth/v2/check\n"
    signature = hmac.new(SKEY.encode(), canonical.encode(), hashlib.sha1).hexdigest()
    vector = Vector("GET", "/auth/v2/check", 1, "sha1", signature)
    assert signing.verify(request_of(vector), secret_of, NOW).version == 1


class TestWhatIsRead:
    def test_the_port_and_the_case_of_the_host_do_not_matter(self) -> None:
        request = request_of(VECTORS["V1 check"])
        elsewhere = SignedRequest("GET", "API-casduo01.duo.test:8443", request.path, "", request.headers, b"")
        assert signing.verify(elsewhere, secret_of, NOW).version == 5

    def test_another_header_may_carry_the_date(self) -> None:
        assert signing.verify(request_of(VECTORS["V9 check"], Date=None, X_Duo_Date=DATE), secret_of, NOW).version == 2

    def test_that_header_wins(self) -> None:
        request = request_of(VECTORS["V9 check"], Date="Wed, 22 Aug 2012 17:29:18 -0000", X_Duo_Date=DATE)
        assert signing.verify(request, secret_of, NOW).version == 2

    @pytest.mark.parametrize("zone", ["+0000", "GMT", "+0200", "-0730"])
    def test_a_date_may_have_any_zone(self, zone: str) -> None:
        moment = datetime.fromtimestamp(NOW, parsedate_to_datetime(f"Tue, 21 Aug 2012 17:29:18 {zone}").tzinfo)
        date = f"{moment:%a, %d %b %Y %H:%M:%S} {zone}"
        signature = hmac.new(SKEY.encode(), f"{date}\nGET\n{HOST}\n/auth/v2/check\n".encode(), hashlib.sha1).hexdigest()
        vector = Vector("GET", "/auth/v2/check", 2, "sha1", signature)
        assert signing.verify(request_of(vector, Date=date), secret_of, NOW).version == 2

    def test_the_zone_minus_zero_is_not_local_time(self) -> None:
        verified = signing.verify(request_of(VECTORS["V1 check"]), secret_of, NOW + 299)
        assert verified.integration_key == IKEY

    def test_a_header_added_on_the_way_breaks_version_5(self) -> None:
        assert refusal(request_of(VECTORS["V1 check"], X_Duo_Trace="added")) == 40103


class TestRefusals:
    @pytest.mark.parametrize(
        "authorization",
        [None, "", "Bearer abc", "Basic", "Basic !!!", "Basic " + base64.b64encode(b"no colon").decode(), "Basic /w=="],
    )
    def test_missing_or_unreadable_credentials(self, authorization: str | None) -> None:
        assert refusal(request_of(VECTORS["V1 check"], Authorization=authorization)) == 40101

    def test_an_unknown_integration_key(self) -> None:
        stranger = base64.b64encode(b"DISTRANGER:" + b"0" * 128).decode()
        assert refusal(request_of(VECTORS["V1 check"], Authorization=f"Basic {stranger}", Date=None)) == 40102

    def test_no_date(self) -> None:
        assert refusal(request_of(VECTORS["V1 check"], Date=None)) == 40104

    @pytest.mark.parametrize("date", ["yesterday", "Tue, 99 Aug 99999999 17:29:18 -0000", "2012-08-21T17:29:18Z"])
    def test_an_unreadable_date(self, date: str) -> None:
        assert refusal(request_of(VECTORS["V1 check"], Date=date)) == 40105

    @pytest.mark.parametrize("seconds", [301.0, -301.0])
    def test_a_date_outside_the_window(self, seconds: float) -> None:
        assert refusal(request_of(VECTORS["V1 check"]), NOW + seconds) == 40105

    @pytest.mark.parametrize("seconds", [300.0, -300.0])
    def test_a_date_at_the_edge_of_the_window_is_taken(self, seconds: float) -> None:
        assert signing.verify(request_of(VECTORS["V1 check"]), secret_of, NOW + seconds).version == 5

    @pytest.mark.parametrize("signature", ["", "0" * 40, "0" * 128, "0" * 64, VECTORS["V1 check"].signature[:-1] + "c"])
    def test_a_wrong_signature(self, signature: str) -> None:
        credentials = base64.b64encode(f"{IKEY}:{signature}".encode()).decode()
        assert refusal(request_of(VECTORS["V1 check"], Authorization=f"Basic {credentials}")) == 40103

    def test_a_signature_that_is_not_ascii(self) -> None:
        credentials = base64.b64encode(f"{IKEY}:{'é' * 40}".encode()).decode()
        assert refusal(request_of(VECTORS["V1 check"], Authorization=f"Basic {credentials}")) == 40103

    def test_sha_1_is_not_enough_for_json(self) -> None:
        request = request_of(VECTORS["V6 preauth"])
        canonical = signing.canonical_request(request, DATE, 4)
        weak = hmac.new(SKEY.encode(), canonical.encode(), hashlib.sha1).hexdigest()
        credentials = base64.b64encode(f"{IKEY}:{weak}".encode()).decode()
        assert refusal(request_of(VECTORS["V6 preauth"], Authorization=f"Basic {credentials}")) == 40103


class Recorder(duo_client.Auth):
    """The official client, with the network cut off where it begins."""

    def _make_request(
        self, method: str, uri: str, body: str | None, headers: Mapping[bytes, bytes]
    ) -> tuple[object, object]:
        path, _, query = uri.partition("?")
        readable = {name.decode(): value.decode("latin-1") for name, value in headers.items()}
        return SignedRequest(method, f"{self.host}:443", path, query, readable, (body or "").encode()), None


VERSIONS = [(5, hashlib.sha512), (4, hashlib.sha512), (2, hashlib.sha1), (2, hashlib.sha512)]
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
parameters = st.dictionaries(text.filter(bool), text, max_size=6)
header_values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)


class TestWhateverTheParameters:
    @pytest.mark.parametrize(("version", "digest"), VERSIONS)
    @pytest.mark.parametrize("method", ["GET", "POST"])
    @given(parameters=parameters)
    def test_the_official_client_verifies(
        self, method: str, version: int, digest: object, parameters: dict[str, str]
    ) -> None:
        client = Recorder(IKEY, SKEY, "API-casduo01.Duo.Test", sig_version=version, digestmod=digest)
        request, _ = client.api_call(method, "/auth/v2/preauth", parameters)
        assert signing.verify(request, secret_of, time.time()).version == version

    @given(value=header_values, parameters=parameters)
    def test_the_official_client_verifies_with_headers_of_its_own(self, value: str, parameters: dict[str, str]) -> None:
        client = Recorder(IKEY, SKEY, HOST)
        request, _ = client.api_call(
            "POST", "/auth/v2/preauth", parameters, additional_headers={"X-Duo-Zeta": value, "x-duo-alpha": "1"}
        )
        assert signing.verify(request, secret_of, time.time()).version == 5

    @pytest.mark.parametrize(("version", "digest"), VERSIONS)
    @given(parameters=st.dictionaries(text.filter(bool), st.lists(text, min_size=1, max_size=3), max_size=3))
    def test_names_may_be_repeated_in_a_query(
        self, version: int, digest: object, parameters: dict[str, list[str]]
    ) -> None:
        client = Recorder(IKEY, SKEY, HOST, sig_version=version, digestmod=digest)
        request, _ = client.api_call("GET", "/auth/v2/auth_status", parameters)
        assert signing.verify(request, secret_of, time.time()).version == version

    @pytest.mark.parametrize("digest", [hashlib.sha1, hashlib.sha512])
    @given(parameters=st.dictionaries(text.filter(bool), st.lists(text, min_size=1, max_size=3), max_size=3))
    def test_names_may_be_repeated_in_a_form(self, digest: object, parameters: dict[str, list[str]]) -> None:
        client = Recorder(IKEY, SKEY, HOST, sig_version=2, digestmod=digest)
        request, _ = client.api_call("POST", "/auth/v2/auth", parameters)
        assert signing.verify(request, secret_of, time.time()).version == 2

    @pytest.mark.parametrize("digest", [hashlib.sha1, hashlib.sha512])
    @pytest.mark.parametrize("method", ["GET", "POST"])
    @given(parameters=parameters)
    def test_the_oldest_version_is_still_taken(self, method: str, digest: object, parameters: dict[str, str]) -> None:
        client = Recorder(IKEY, SKEY, HOST, sig_version=1, digestmod=digest)
        request, _ = client.api_call(method, "/auth/v2/preauth", parameters)
        assert signing.verify(request, secret_of, time.time()).version == 1

    @pytest.mark.parametrize(("version", "digest"), VERSIONS)
    @pytest.mark.parametrize("method", ["GET", "POST"])
    @given(parameters=parameters, other=text)
    def test_a_parameter_more_is_noticed(
        self, method: str, version: int, digest: object, parameters: dict[str, str], other: str
    ) -> None:
        client = Recorder(IKEY, SKEY, HOST, sig_version=version, digestmod=digest)
        request, _ = client.api_call(method, "/auth/v2/preauth", parameters)
        changed = replace(request, query="&".join(filter(None, [request.query, urlencode({"added": other})])))
        assert refusal(changed, time.time()) == 40103

    @given(pairs=st.lists(st.tuples(text, text), max_size=6))
    def test_parameters_survive_the_wire(self, pairs: list[tuple[str, str]]) -> None:
        wanted = [(name.encode(), value.encode()) for name, value in pairs if name or value]
        assert [pair for pair in signing.parse_parameters(urlencode(pairs)) if any(pair)] == wanted
