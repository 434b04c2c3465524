"""What is kept of each server: made once, and of too many the one that was used longest ago goes."""

from __future__ import annotations

from casduo.outbound.origins import ByOrigin


def test_an_origin_keeps_its_value() -> None:
    values: ByOrigin[list[int]] = ByOrigin(list, most=2)
    values.of("https://a.example.edu").append(1)
    assert values.of("https://a.example.edu") == [1]
    assert values.of("https://b.example.edu") == []


def test_the_one_used_longest_ago_makes_room() -> None:
    values: ByOrigin[object] = ByOrigin(object, most=2)
    first, second = values.of("a"), values.of("b")
    assert values.of("a") is first
    values.of("c")
    assert values.of("a") is first
    assert values.of("b") is not second
