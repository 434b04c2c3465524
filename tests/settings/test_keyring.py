"""The file of signing keys: what it may hold, who signs when, adding, retiring, and what must never happen to it."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest
from itsdangerous import Signer

from casduo.keyring import KeyRingError, add_key, parse_ring, read_ring, retire_key
from casduo.settings import ensure_secret_key, load_settings
from casduo.signing import NEVER, Purpose, Signing, SigningKey, TokenInvalid, signing_key_at

NOW = 1_800_000_000.0
OLD = "o" * 40
HOUR = 3600.0


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(OLD + "\n")
    return path


def test_a_file_with_nothing_but_a_key_is_a_ring(ring: Path) -> None:
    assert read_ring(ring) == (SigningKey(OLD),)


def test_tokens_are_those_of_the_library_with_keys_that_it_derives_itself() -> None:
    # What was signed before an update is in people's forms and cookies.
    theirs = Signer([OLD], salt=Purpose.CSRF.value, key_derivation="hmac", digest_method=hashlib.sha256)
    assert Signing([OLD]).sign(Purpose.CSRF, "x") == theirs.sign("x").decode()
    assert Signing(["n" * 40, OLD]).unsign(Purpose.CSRF, theirs.sign("x").decode()) == "x"


def test_a_key_is_accepted_before_it_signs_and_after(ring: Path) -> None:
    new = add_key(ring, NOW + 600)
    node, late = Signing(read_ring(ring)), Signing([OLD])

    def signed_by(now: float) -> str:
        token = node.dumps(Purpose.CSRF, "x", now)
        for key in (new.text, OLD):
            try:
                Signing([key]).loads(Purpose.CSRF, token, HOUR, now)
            except TokenInvalid:
                continue
            return key
        raise AssertionError("nobody's")

    assert signed_by(NOW) == OLD
    assert signed_by(NOW + 599) == OLD
    assert signed_by(NOW + 600) == new.text
    assert late.loads(Purpose.CSRF, node.dumps(Purpose.CSRF, "x", NOW), HOUR, NOW) == "x"
    assert node.loads(Purpose.CSRF, Signing([new]).dumps(Purpose.CSRF, "x", NOW), HOUR, NOW) == "x"
    assert node.loads(Purpose.CSRF, late.dumps(Purpose.CSRF, "x", NOW), HOUR, NOW + 700) == "x"


def test_signatures_without_a_date_follow_the_clock_too(ring: Path) -> None:
    new = add_key(ring, NOW + 600)
    now = [NOW]
    node = Signing(read_ring(ring), lambda: now[0])
    early = node.sign(Purpose.PHONE, "x")
    now[0] += 600
    late = node.sign(Purpose.PHONE, "x")

    assert Signing([OLD]).unsign(Purpose.PHONE, early) == "x"
    assert Signing([new]).unsign(Purpose.PHONE, late) == "x"
    assert node.unsign(Purpose.PHONE, early) == node.unsign(Purpose.PHONE, late) == "x"


def test_a_key_that_only_verifies_never_signs() -> None:
    keys = [SigningKey("a" * 32, NEVER), SigningKey("b" * 32)]
    assert signing_key_at(keys, NOW).text == "b" * 32


def test_before_any_key_may_sign_the_first_to_come_does() -> None:
    keys = [SigningKey("a" * 32, NOW + 20), SigningKey("b" * 32, NOW + 10)]
    assert signing_key_at(keys, NOW).text == "b" * 32


def test_the_file_stays_its_owners_alone_and_holds_what_it_held(ring: Path) -> None:
    ring.chmod(0o640)
    add_key(ring, NOW)
    assert ring.stat().st_mode & 0o777 == 0o600
    assert read_ring(ring)[1] == SigningKey(OLD)
    assert [path.name for path in ring.parent.iterdir()] == ["keys"]


def test_a_link_stays_a_link(ring: Path) -> None:
    link = ring.with_name("link")
    link.symlink_to(ring)
    add_key(link, NOW)
    assert link.is_symlink()
    assert len(read_ring(ring)) == 2


def test_two_who_add_at_once_lose_nothing(ring: Path) -> None:
    made = []
    threads = [threading.Thread(target=lambda at=at: made.append(_try(ring, at))) for at in range(1, 9)]  # type: ignore[misc]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    added = {key.fingerprint for key in made if key is not None}
    assert added <= {key.fingerprint for key in read_ring(ring)}
    assert len(read_ring(ring)) == 1 + len(added)


def _try(ring: Path, at: float) -> SigningKey | None:
    try:
        return add_key(ring, NOW + at)
    except KeyRingError:
        # A later one was first.
        return None


def test_the_key_that_signs_cannot_be_retired(ring: Path) -> None:
    fingerprint = SigningKey(OLD).fingerprint
    with pytest.raises(KeyRingError, match="the key that signs"):
        retire_key(ring, fingerprint, NOW, 0.0, force=True)
    add_key(ring, NOW + 600)
    with pytest.raises(KeyRingError, match="the key that signs"):
        retire_key(ring, fingerprint, NOW, 0.0, force=True)


def test_a_key_is_retired_when_nothing_is_about_that_it_signed(ring: Path) -> None:
    fingerprint = SigningKey(OLD).fingerprint
    new = add_key(ring, NOW)
    with pytest.raises(KeyRingError, match="12 hours"):
        retire_key(ring, fingerprint, NOW + HOUR, 12 * HOUR)
    assert len(read_ring(ring)) == 2
    retire_key(ring, fingerprint[:6], NOW + 12 * HOUR, 12 * HOUR)
    assert read_ring(ring) == (new,)


def test_a_stolen_key_is_retired_at_once(ring: Path) -> None:
    new = add_key(ring, NOW)
    retire_key(ring, SigningKey(OLD).fingerprint, NOW + 1, 12 * HOUR, force=True)
    assert read_ring(ring) == (new,)


def test_a_key_that_has_not_signed_yet_is_retired_without_ado(ring: Path) -> None:
    new = add_key(ring, NOW + 600)
    retire_key(ring, new.fingerprint, NOW, 12 * HOUR)
    assert read_ring(ring) == (SigningKey(OLD),)


@pytest.mark.parametrize("fingerprint", ["", "ffff", "../.."])
def test_what_names_no_key_retires_none(ring: Path, fingerprint: str) -> None:
    add_key(ring, NOW)
    with pytest.raises(KeyRingError, match="no key has"):
        retire_key(ring, fingerprint, NOW, 0.0, force=True)
    assert len(read_ring(ring)) == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "holds no key"),
        ("# nothing\n", "holds no key"),
        ("short\n", "keys:1: the key has fewer"),
        (f"{OLD}\n{OLD}\n", "keys:2: the key is there twice"),
        (f"{OLD} soon\n", "keys:1: the moment"),
        (f"{OLD} 9999-12-31T23:59:59-12:00\n", "keys:1: the moment"),
        (f"{OLD} 2026-01-01 and more\n", "keys:1: a line is a key"),
    ],
)
def test_a_file_that_is_none_is_refused_without_quoting_it(text: str, why: str) -> None:
    with pytest.raises(KeyRingError) as error:
        parse_ring(text, "keys")
    assert why in str(error.value)
    assert OLD not in str(error.value)


def test_of_a_file_that_is_too_long_no_part_of_a_key_is_used(ring: Path) -> None:
    ring.write_text("#" * 65_490 + "\n" + "k" * 64 + "\n")
    with pytest.raises(KeyRingError, match="more than 65536 bytes"):
        read_ring(ring)


def test_keys_do_not_show_themselves() -> None:
    assert OLD not in repr(SigningKey(OLD))
    assert OLD[:8] not in SigningKey(OLD).fingerprint


def test_settings_name_the_file_and_older_keys_only_verify(tmp_path: Path, ring: Path) -> None:
    older = "p" * 32
    (tmp_path / "casduo.yaml").write_text(f"key_ring: keys\nprevious_secret_keys: [{older}]\n")
    add_key(ring, NOW)
    keys, _ = ensure_secret_key(load_settings(tmp_path / "casduo.yaml", {}))
    assert [key.text for key in keys][1:] == [OLD, older]
    assert keys[2].signs_from == NEVER


def test_keys_of_before_at_duo_are_read_from_files_like_the_others(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("n" * 40)
    (tmp_path / "old").write_text("o" * 40)
    (tmp_path / "casduo.yaml").write_text(
        "duo:\n  api_host: api-x.duosecurity.com\n  universal:\n"
        "    {client_id: DI111111111111111111, client_secret_file: new,\n"
        "     previous: {client_id: DI222222222222222222, client_secret_file: old}}\n"
    )
    duo = load_settings(tmp_path / "casduo.yaml", {}).duo
    assert duo is not None
    assert duo.universal.previous is not None
    assert duo.universal.previous.client_secret.get_secret_value() == "o" * 40
    assert "o" * 40 not in repr(duo)
