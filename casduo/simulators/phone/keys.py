"""The softkeys under the display: the page's own, or the phone's where the page has none."""

from __future__ import annotations

from casduo.simulators.phone.answers import Refresh
from casduo.simulators.phone.objects import Displayable, SoftKey
from casduo.simulators.phone.presets import Preset


def softkeys(page: Displayable, refresh: Refresh | None, preset: Preset) -> tuple[SoftKey, ...]:
    """Return the keys that are there, by place. One key of the page makes all of the phone's own disappear."""
    if page.softkeys:
        return page.softkeys
    own = [SoftKey(name, f"SoftKey:{name}", preset.places[name]) for name in _own_names(page, refresh)]
    # Places nobody uses close up: the second of two keys never stands third.
    ordered = sorted(own, key=lambda key: key.position)
    return tuple(SoftKey(key.name, key.url, place) for place, key in enumerate(ordered, 1))


def _own_names(page: Displayable, refresh: Refresh | None) -> tuple[str, ...]:
    if page.kind == "menu":
        return ("Select", "Exit")
    if page.kind == "input":
        return ("Submit", "<<", "Cancel")
    # The key is called Next when the Refresh header leads elsewhere.
    return ("Next" if refresh is not None and refresh.url else "Update", "Exit")


def labels(keys: tuple[SoftKey, ...]) -> tuple[str, ...]:
    """Return the labels by place, the first at index 0; a place without a key is empty."""
    by_place = {key.position: key.name for key in keys if key.position > 0}
    return tuple(by_place.get(place, "") for place in range(1, max(by_place, default=0) + 1))
