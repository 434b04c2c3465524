"""In which language a phone is spoken to."""

from __future__ import annotations

import pytest

from casduo.accept import accepted
from casduo.phone.languages import language_of, texts


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("en-US", "en"),
        ("de", "de"),
        ("de-AT", "de"),
        ("de_CH", "de"),
        ("FR-ca", "fr"),
        ("es-MX, en;q=0.5", "es"),
        ("en;q=0.5, fr", "fr"),
        ("fr;q=0, es", "es"),
        ("tlh, de;q=0.2", "de"),
        ("tlh", "en"),
        ("", "en"),
        ("*", "en"),
        (";;,,;q=", "en"),
        ("x" * 100_000 + ", de", "en"),
    ],
)
def test_the_best_language_we_speak_is_spoken(header: str, language: str) -> None:
    assert language_of(header) == language


def test_equal_weights_keep_their_order() -> None:
    assert accepted("de, fr;q=0.9, es, en;q=0.9") == ["de", "es", "fr", "en"]


def test_a_weight_out_of_bounds_is_taken_for_the_bound() -> None:
    assert accepted("de;q=0.5, fr;q=7, es;q=-1") == ["fr", "de"]


def test_texts_are_in_the_language() -> None:
    assert [texts(language)("phone.key.logout") for language in ("en", "de", "fr", "es")] == [
        "Logout",
        "Abmelden",
        "Déconn.",
        "Cerrar",
    ]
