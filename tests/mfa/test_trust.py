"""Trusted browsers, on Valkey and Redis 7.0: whose they are, how long, and that a copy of the data lets nobody in."""

from __future__ import annotations

import base64
import json
import re
import time

import pytest

from casduo.errors import UpstreamUnavailable
from casduo.mfa.trust import MOST, Trust, TrustedBrowsers
from casduo.signing import Purpose, Signing, fingerprint
from casduo.store import Store
from casduo.store.store import client_for
from tests.support.redis_servers import CountingRelay

NOW = time.time()
DAY = 86_400.0
LIFETIME = 30 * DAY
KEYS = ["new-signing-key-of-the-tests", "old-signing-key-of-the-tests"]
INDEX = f"casduo:{{u:{fingerprint('ada')[:32]}}}:trusted"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def browsers(any_store: Store) -> TrustedBrowsers:
    return TrustedBrowsers(any_store, Signing(KEYS))


def trust(store: Store, browsers: TrustedBrowsers, principal: str = "ada", **changes: object) -> str:
    facts = {"application": "", "agent": FIREFOX, "address": "192.0.2.7", "at": NOW, "lifetime": LIFETIME} | changes
    batch = store.batch()
    cookie = browsers.trust(batch, principal, **facts)
    batch.run()
    return cookie


def agents(browsers: TrustedBrowsers, principal: str = "ada", now: float = NOW) -> list[str]:
    return [found.agent for found in browsers.of(principal, now)]


# Looking


def test_a_trusted_browser_is_known_again(any_store: Store, browsers: TrustedBrowsers) -> None:
    cookie = trust(any_store, browsers, application="finance", at=NOW - 0.25)
    found = browsers.look(cookie, "ada", NOW + 29 * DAY)
    assert found is not None
    until = NOW - 0.25 + LIFETIME
    assert found == Trust(found.name, "ada", "finance", NOW - 0.25, until, FIREFOX, "192.0.2.7")
    assert re.fullmatch("[0-9a-f]{32}", found.name)


def test_the_moment_is_that_of_duos_yes(any_store: Store, browsers: TrustedBrowsers) -> None:
    """A person may take a while to answer whether this is their own device."""
    found = browsers.look(trust(any_store, browsers, at=NOW - 240.5), "ada", NOW)
    assert found is not None
    assert (found.at, found.until) == (NOW - 240.5, NOW - 240.5 + LIFETIME)


def test_another_persons_cookie_in_the_same_browser_is_no_trust(any_store: Store, browsers: TrustedBrowsers) -> None:
    cookie = trust(any_store, browsers, "ada")
    assert browsers.look(cookie, "grace", NOW) is None
    trust(any_store, browsers, "grace")
    assert browsers.look(cookie, "grace", NOW) is None
    assert browsers.look(cookie, "ada", NOW) is not None


def test_trust_ends_with_its_lifetime(any_store: Store, browsers: TrustedBrowsers) -> None:
    cookie = trust(any_store, browsers, lifetime=DAY)
    assert browsers.look(cookie, "ada", NOW + DAY - 1) is not None
    assert browsers.look(cookie, "ada", NOW + DAY) is None


def test_trust_of_tomorrow_is_none(any_store: Store, browsers: TrustedBrowsers) -> None:
    cookie = trust(any_store, browsers, at=NOW + DAY)
    assert browsers.look(cookie, "ada", NOW) is None


def test_a_cookie_without_a_record_is_no_trust(any_store: Store, browsers: TrustedBrowsers) -> None:
    batch = any_store.batch()
    facts = {"application": "", "agent": "", "address": "", "at": NOW, "lifetime": LIFETIME}
    assert browsers.look(browsers.trust(batch, "ada", **facts), "ada", NOW) is None


def forged(kind: str, cookie: str) -> str:
    signing = Signing(KEYS)
    value = signing.loads(Purpose.TRUSTED_BROWSER, cookie, LIFETIME, NOW)
    match kind:
        case "cut":
            return cookie[:-1]
        case "no signature":
            return cookie.rpartition(".")[0]
        case "foreign key":
            return Signing(["key-of-somebody-else"]).dumps(Purpose.TRUSTED_BROWSER, value, NOW)
        case "foreign purpose":
            return signing.dumps(Purpose.CSRF, value, NOW)
        case "other person":
            return signing.dumps(Purpose.TRUSTED_BROWSER, [value[0], fingerprint("ada")[:32], value[2]], NOW)
        case "other shape":
            return signing.dumps(Purpose.TRUSTED_BROWSER, value[:2], NOW)
    return kind


FORGERIES = ["cut", "no signature", "foreign key", "foreign purpose", "other person", "other shape"]
NONSENSE = ["", "x", "a.b.c", "ä\ud800", "=" * 5000, "\0", "null.null"]


@pytest.mark.parametrize("kind", FORGERIES + NONSENSE)
def test_a_cookie_that_is_not_ours_is_no_trust(any_store: Store, browsers: TrustedBrowsers, kind: str) -> None:
    cookie = trust(any_store, browsers)
    assert browsers.look(forged(kind, cookie), "ada", NOW) is None
    assert browsers.look(cookie, "ada", NOW) is not None


def test_cookies_outlive_a_change_of_keys_as_long_as_the_old_one_is_listed(any_store: Store) -> None:
    cookie = trust(any_store, TrustedBrowsers(any_store, Signing(KEYS[1:])))
    assert TrustedBrowsers(any_store, Signing(KEYS)).look(cookie, "ada", NOW) is not None
    assert TrustedBrowsers(any_store, Signing(KEYS[:1])).look(cookie, "ada", NOW) is None


def test_a_look_costs_one_round_trip_and_none_where_the_cookie_says_enough(store: Store, relay: CountingRelay) -> None:
    far = Store(client_for(relay.url, "", 5.0, 4, ""))
    browsers = TrustedBrowsers(far, Signing(KEYS))
    far.ping()
    relay.reset()
    cookie = trust(far, browsers)
    assert relay.round_trips == 1
    assert browsers.look(cookie, "ada", NOW) is not None
    assert relay.round_trips == 2
    for value, principal, now in [
        ("", "ada", NOW),
        (cookie + "x", "ada", NOW),
        (cookie, "grace", NOW),
        (cookie, "ada", NOW + LIFETIME),
    ]:
        assert browsers.look(value, principal, now) is None
    assert relay.round_trips == 2
    relay.cut()
    with pytest.raises(UpstreamUnavailable):
        browsers.look(cookie, "ada", NOW)
    far.close()


# Listing and forgetting


def test_browsers_are_listed_the_oldest_first_and_only_to_their_person(
    any_store: Store, browsers: TrustedBrowsers
) -> None:
    trust(any_store, browsers, agent="second", at=NOW - 60)
    trust(any_store, browsers, agent="first", at=NOW - 120)
    trust(any_store, browsers, "grace", agent="of grace")
    assert agents(browsers) == ["first", "second"]
    assert agents(browsers, "grace") == ["of grace"]
    assert agents(browsers, "linus") == []


def test_what_has_ended_is_not_listed(any_store: Store, browsers: TrustedBrowsers) -> None:
    trust(any_store, browsers, agent="for a day", lifetime=DAY)
    trust(any_store, browsers, agent="for a month")
    assert agents(browsers, now=NOW + DAY) == ["for a month"]


def test_a_forgotten_browser_is_no_trust_and_others_stay(any_store: Store, browsers: TrustedBrowsers) -> None:
    lost, kept = trust(any_store, browsers, agent="lost", at=NOW - 60), trust(any_store, browsers, agent="kept")
    name = browsers.of("ada", NOW)[0].name
    assert browsers.forget("ada", name)
    assert browsers.look(lost, "ada", NOW) is None
    assert browsers.look(kept, "ada", NOW) is not None
    assert agents(browsers) == ["kept"]
    assert not browsers.forget("ada", name)
    assert name not in "".join(any_store.command("ZRANGE", INDEX, 0, -1))


def test_nobody_forgets_browsers_of_others(any_store: Store, browsers: TrustedBrowsers) -> None:
    cookie = trust(any_store, browsers)
    assert not browsers.forget("grace", browsers.of("ada", NOW)[0].name)
    assert not browsers.forget("grace", "")
    assert browsers.forget_all("grace") == 0
    assert browsers.look(cookie, "ada", NOW) is not None


def test_all_browsers_of_a_person_are_forgotten_at_once(any_store: Store, browsers: TrustedBrowsers) -> None:
    cookies = [trust(any_store, browsers) for _ in range(3)]
    other = trust(any_store, browsers, "grace")
    assert browsers.forget_all("ada") == 3
    assert [browsers.look(cookie, "ada", NOW) for cookie in cookies] == [None] * 3
    assert agents(browsers) == []
    assert browsers.look(other, "grace", NOW) is not None
    assert browsers.forget_all("ada") == 0
    assert any_store.command("EXISTS", INDEX) == 0


def test_of_too_many_browsers_the_oldest_goes(any_store: Store, browsers: TrustedBrowsers) -> None:
    cookies = [trust(any_store, browsers, agent=str(number), at=NOW + number) for number in range(MOST + 2)]
    found = [browsers.look(cookie, "ada", NOW + 60) is not None for cookie in cookies]
    assert found == [False, False] + [True] * MOST
    assert agents(browsers) == [str(number) for number in range(2, MOST + 2)]
    assert len(any_store.command("KEYS", "*")) == MOST + 1


def test_records_that_have_run_out_take_no_place(any_store: Store, browsers: TrustedBrowsers) -> None:
    for _ in range(MOST):
        trust(any_store, browsers)
    ran_out = [key for key in any_store.command("KEYS", "*") if not key.endswith(":trusted")][:5]
    any_store.command("DEL", *ran_out)
    for number in range(5):
        trust(any_store, browsers, agent=str(number), at=NOW + 1)
    assert len(agents(browsers)) == MOST
    assert any_store.command("ZCARD", INDEX) == MOST


def test_a_browser_trusted_anew_is_listed_once(any_store: Store, browsers: TrustedBrowsers) -> None:
    old = trust(any_store, browsers, agent="before")
    new = trust(any_store, browsers, agent="after", at=NOW + 60, instead=old)
    assert agents(browsers) == ["after"]
    assert browsers.look(old, "ada", NOW + 60) is None
    assert browsers.look(new, "ada", NOW + 60) is not None


def test_taking_the_place_of_another_persons_cookie_takes_nothing_from_them(
    any_store: Store, browsers: TrustedBrowsers
) -> None:
    adas = trust(any_store, browsers)
    trust(any_store, browsers, "grace", instead=adas)
    assert browsers.look(adas, "ada", NOW) is not None


def test_trust_for_no_time_is_refused(any_store: Store, browsers: TrustedBrowsers) -> None:
    with pytest.raises(ValueError, match="some time"):
        trust(any_store, browsers, lifetime=0.0)


# What is kept


def test_records_expire_by_themselves(any_store: Store, browsers: TrustedBrowsers) -> None:
    trust(any_store, browsers, lifetime=30 * DAY)
    trust(any_store, browsers, lifetime=DAY)
    left = sorted(int(any_store.command("PTTL", key)) / 1000 for key in any_store.command("KEYS", "*"))
    assert left == pytest.approx([DAY, 30 * DAY, 30 * DAY], abs=60)


@pytest.fixture
def everything(any_store: Store, browsers: TrustedBrowsers) -> tuple[str, str]:
    """A cookie, and all that Redis holds about it."""
    cookie = trust(any_store, browsers, "ada.lovelace")
    keys = any_store.command("KEYS", "*")
    texts = [
        *keys,
        *(any_store.command("GET", key) for key in keys if not key.endswith(":trusted")),
        *(member for key in keys if key.endswith(":trusted") for member in any_store.command("ZRANGE", key, 0, -1)),
    ]
    return cookie, "\n".join(texts)


def test_a_copy_of_the_data_lets_nobody_in(everything: tuple[str, str]) -> None:
    cookie, dump = everything
    _, [identity, mark, _] = payload(cookie)
    assert identity not in dump
    assert mark not in dump
    assert cookie not in dump
    assert "lovelace" not in dump


def test_a_cookie_names_nobody_and_says_nothing_twice(
    any_store: Store, browsers: TrustedBrowsers, everything: tuple[str, str]
) -> None:
    first, second = (payload(cookie)[1] for cookie in (everything[0], trust(any_store, browsers, "ada.lovelace")))
    assert "lovelace" not in json.dumps(first)
    assert fingerprint("ada.lovelace")[:16] not in json.dumps(first)
    assert set(first[:2]).isdisjoint(second[:2])
    # 22 characters of an alphabet of 62: 131 bits.
    assert re.fullmatch("[A-Za-z0-9]{22}", first[0])
    assert len(everything[0]) < 250
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", everything[0])


def payload(cookie: str) -> list:
    text = cookie.rpartition(".")[0]
    found: list = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def test_trust_outlives_a_redis_that_has_forgotten_its_scripts(any_store: Store, browsers: TrustedBrowsers) -> None:
    trust(any_store, browsers, agent="before")
    any_store.command("SCRIPT", "FLUSH")
    cookie = trust(any_store, browsers, agent="after", at=NOW + 1)
    any_store.command("SCRIPT", "FLUSH")
    assert browsers.look(cookie, "ada", NOW + 1) is not None
    assert browsers.forget_all("ada") == 2
