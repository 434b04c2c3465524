"""Tokens of the Universal Prompt: what official clients make is accepted, what is wrong with one thing is not."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import duo_universal
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwt.api_jws import PyJWS

from casduo.simulators.duo import jwts
from casduo.simulators.duo.errors import OauthRefusal

IKEY = "DICASDUOTESTIKEY0001"
SKEY = "casduoTestSecretKey0123456789ABCDEFabcde"
BASE = "https://api-casduo01.duo.test"
HEALTH = f"{BASE}/oauth/v1/health_check"
NOW = 1345570158.0

J1_CLAIMS: dict[str, Any] = {
    "iss": IKEY,
    "sub": IKEY,
    "aud": HEALTH,
    "exp": 1345570458.0,
    "jti": "J" * 36,
}
J1 = (
    "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJESUNBU0RVT1RFU1RJS0VZMDAwMSIsInN1YiI6IkRJQ0FTRFVPVEVTVElLRVkwMDAxI"
    "iwiYXVkIjoiaHR0cHM6Ly9hcGktY2FzZHVvMDEuZHVvLnRlc3Qvb2F1dGgvdjEvaGVhbHRoX2NoZWNrIiwiZXhwIjoxMzQ1NTcwNDU4LjAsImp0aSI"
    "6IkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSiJ9.pRDgXfq4j_eFuRvgGQPyp9sFKNANxVC3L_AZq8jCPGiFP0DM0hnwJJXBkoVs"
    "67_IB4AZJD2P16VzulfLCKSCEA"
)
J2_CLAIMS: dict[str, Any] = {
    "scope": "openid",
    "redirect_uri": "https://cas.casduo.test/cas/duo/callback",
    "client_id": IKEY,
    "iss": IKEY,
    "aud": BASE,
    "exp": 1345570458.0,
    "state": "S" * 36,
    "response_type": "code",
    "duo_uname": "alice",
    "use_duo_code_attribute": True,
}
J2 = (
    "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJzY29wZSI6Im9wZW5pZCIsInJlZGlyZWN0X3VyaSI6Imh0dHBzOi8vY2FzLmNhc2R1by50ZXN0L"
    "2Nhcy9kdW8vY2FsbGJhY2siLCJjbGllbnRfaWQiOiJESUNBU0RVT1RFU1RJS0VZMDAwMSIsImlzcyI6IkRJQ0FTRFVPVEVTVElLRVkwMDAxIiwiYXV"
    "kIjoiaHR0cHM6Ly9hcGktY2FzZHVvMDEuZHVvLnRlc3QiLCJleHAiOjEzNDU1NzA0NTguMCwic3RhdGUiOiJTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU"
    "1NTU1NTU1NTU1NTU1MiLCJyZXNwb25zZV90eXBlIjoiY29kZSIsImR1b191bmFtZSI6ImFsaWNlIiwidXNlX2R1b19jb2RlX2F0dHJpYnV0ZSI6dHJ"
    "1ZX0.IzOO5k09gGH_PZGdZCoC4PRIyMAyeabKOC4TipTEazCKX183w9Hqj0vWuqui0Xg7LnG-FuPk9nkbnvM29tl8TA"
)
J3_CLAIMS: dict[str, Any] = {
    "iss": f"{BASE}/oauth/v1/token",
    "aud": IKEY,
    "sub": "alice",
    "preferred_username": "alice",
    "iat": 1345570158,
    "exp": 1345570458,
    "auth_time": 1345570150,
    "nonce": "N" * 36,
    "auth_result": {"result": "allow", "status": "allow", "status_msg": "Login Successful"},
}
J3 = (
    "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2FwaS1jYXNkdW8wMS5kdW8udGVzdC9vYXV0aC92MS90b2tlbiIsImF"
    "1ZCI6IkRJQ0FTRFVPVEVTVElLRVkwMDAxIiwic3ViIjoiYWxpY2UiLCJwcmVmZXJyZWRfdXNlcm5hbWUiOiJhbGljZSIsImlhdCI6MTM0NTU3MDE"
    "1OCwiZXhwIjoxMzQ1NTcwNDU4LCJhdXRoX3RpbWUiOjEzNDU1NzAxNTAsIm5vbmNlIjoiTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"
    "OTk5OIiwiYXV0aF9yZXN1bHQiOnsicmVzdWx0IjoiYWxsb3ciLCJzdGF0dXMiOiJhbGxvdyIsInN0YXR1c19tc2ciOiJMb2dpbiBTdWNjZXNzZnV"
    "sIn19.OxdlVjv_qbWST4PZ82_iu5RSb5MVok-EIEBHCB67MANE1QH2-kZCO0Wnx-M9n9rFEV62VjJzXCtPkbabD3WBHA"
)


def check_assertion(token: str, now: float = NOW) -> jwts.ClientAssertion:
    return jwts.verify_assertion(token, client_id=IKEY, secret=SKEY, audience=HEALTH, now=now)


def check_request(query: dict[str, str], now: float = NOW) -> jwts.AuthorizationRequest:
    return jwts.verify_authorization_request(query, client_id=IKEY, secret=SKEY, audience=BASE, now=now)


def query_of(request: str, **changes: str) -> dict[str, str]:
    return {"response_type": "code", "client_id": IKEY, "request": request, "nonce": "N" * 36, **changes}


class TestVectors:
    def test_j1_is_a_good_assertion(self) -> None:
        assert check_assertion(J1) == jwts.ClientAssertion("J" * 36, 1345570458.0)

    def test_j2_is_a_good_request(self) -> None:
        assert check_request(query_of(J2)) == jwts.AuthorizationRequest(
            client_id=IKEY,
            redirect_uri="https://cas.casduo.test/cas/duo/callback",
            state="S" * 36,
            username="alice",
            nonce="N" * 36,
            code_parameter="duo_code",
        )

    @pytest.mark.parametrize(("claims", "token"), [(J1_CLAIMS, J1), (J2_CLAIMS, J2), (J3_CLAIMS, J3)])
    def test_tokens_are_made_as_the_official_client_makes_them(self, claims: dict[str, Any], token: str) -> None:
        assert jwts.encode(claims, SKEY) == token


text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
tokens = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=36, max_size=60)


class TestWhateverTheOfficialClientIsAsked:
    @given(username=text, state=tokens, nonce=st.one_of(st.none(), tokens), path=text, by_code=st.booleans())
    def test_its_request_is_taken_as_it_was_meant(
        self, username: str, state: str, nonce: str | None, path: str, by_code: bool
    ) -> None:
        redirect_uri = f"https://cas.casduo.test/{path}"
        client = duo_universal.Client(
            IKEY, SKEY, BASE.removeprefix("https://"), redirect_uri, use_duo_code_attribute=not by_code
        )
        url = client.create_auth_url(username, state, nonce)
        query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
        assert check_request(query, time.time()) == jwts.AuthorizationRequest(
            client_id=IKEY,
            redirect_uri=redirect_uri,
            state=state,
            username=username,
            nonce=nonce,
            code_parameter="code" if by_code else "duo_code",
        )

    def test_its_assertions_are_good_and_never_the_same(self) -> None:
        client = duo_universal.Client(IKEY, SKEY, "api-casduo01.duo.test", "https://cas.casduo.test/")
        tokens = [jwt.encode(client._create_jwt_args(HEALTH), SKEY, algorithm="HS512") for _ in range(20)]
        assert len({check_assertion(token, time.time()).jti for token in tokens}) == 20


class TestAssertions:
    @pytest.mark.parametrize(
        "changes",
        [
            {"iss": "DISOMEBODYELSE000000"},
            {"sub": "DISOMEBODYELSE000000"},
            {"aud": f"{BASE}/oauth/v1/token"},
            {"aud": [HEALTH]},
            {"jti": ""},
            {"jti": 7},
            {"jti": None},
            {"exp": None},
            {"exp": "1345570458"},
            {"exp": True},
            {"exp": NOW - 60},
            {"exp": NOW + 361},
        ],
    )
    def test_one_wrong_claim_is_enough(self, changes: dict[str, Any]) -> None:
        claims = {name: value for name, value in {**J1_CLAIMS, **changes}.items() if value is not None}
        with pytest.raises(OauthRefusal) as caught:
            check_assertion(jwts.encode(claims, SKEY))
        assert caught.value.error == "invalid_client"

    @pytest.mark.parametrize("expires", [NOW - 59, NOW + 360, int(NOW) + 300])
    def test_a_minute_of_clock_difference_is_forgiven(self, expires: float) -> None:
        assert check_assertion(jwts.encode({**J1_CLAIMS, "exp": expires}, SKEY)).expires == expires

    @pytest.mark.parametrize(
        "token",
        [
            "",
            "nonsense",
            "a.b.c",
            J1[:-2] + "AA",
            jwts.encode(J1_CLAIMS, SKEY[::-1]),
            jwts.encode(J1_CLAIMS, SKEY, "HS256"),
            "eyJhbGciOiJub25lIn0." + J1.split(".")[1] + ".",
        ],
    )
    def test_a_token_that_is_not_signed_with_the_secret_is_refused(self, token: str) -> None:
        with pytest.raises(OauthRefusal):
            check_assertion(token)

    def test_a_payload_that_is_no_object_is_refused(self) -> None:
        token = PyJWS().encode(b"[]", SKEY + "x" * 24, algorithm="HS512")
        with pytest.raises(OauthRefusal):
            jwts.verify_assertion(token, client_id=IKEY, secret=SKEY + "x" * 24, audience=HEALTH, now=NOW)


class TestAuthorizationRequests:
    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"iss": "DISOMEBODYELSE000000"}, "invalid_client"),
            ({"client_id": "DISOMEBODYELSE000000"}, "invalid_client"),
            ({"aud": "https://elsewhere.example"}, "invalid_client"),
            ({"exp": NOW - 61}, "invalid_client"),
            ({"exp": NOW + 361}, "invalid_client"),
            ({"scope": "email"}, "unauthorized_request"),
            ({"response_type": "token"}, "unauthorized_request"),
            ({"state": "S" * 15}, "unauthorized_request"),
            ({"state": "S" * 1025}, "unauthorized_request"),
            ({"state": 7}, "unauthorized_request"),
            ({"duo_uname": ""}, "unauthorized_request"),
            ({"redirect_uri": None}, "unauthorized_request"),
        ],
    )
    def test_one_wrong_claim_is_enough(self, changes: dict[str, Any], error: str) -> None:
        with pytest.raises(OauthRefusal) as caught:
            check_request(query_of(jwts.encode({**J2_CLAIMS, **changes}, SKEY)))
        assert caught.value.error == error

    @pytest.mark.parametrize("changes", [{"response_type": "token"}, {"nonce": "short"}, {"nonce": "N" * 1025}])
    def test_one_wrong_parameter_is_enough(self, changes: dict[str, str]) -> None:
        with pytest.raises(OauthRefusal) as caught:
            check_request(query_of(J2, **changes))
        assert caught.value.error == "unauthorized_request"

    def test_the_nonce_may_be_missing(self) -> None:
        query = query_of(J2)
        del query["nonce"]
        assert check_request(query).nonce is None

    def test_the_other_name_of_the_code_can_be_chosen(self) -> None:
        token = jwts.encode({**J2_CLAIMS, "use_duo_code_attribute": False}, SKEY)
        assert check_request(query_of(token)).code_parameter == "code"
