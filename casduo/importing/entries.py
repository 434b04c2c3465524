"""What entries made of other servers' services have in common: ids, addresses, and that they are valid."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from pydantic import ValidationError

from casduo.errors import Problem
from casduo.importing.addresses import DOTS, Address, Untranslatable, any_case, compiled, known_hosts
from casduo.importing.expressions import literal_heads
from casduo.importing.model import Draft, one_line
from casduo.problems import did_you_mean
from casduo.services.model import RegisteredService
from casduo.services.patterns import Pattern

_NARROWING = ("requires_duo", "access", "single_sign_on", "session", "authentication", "enabled")
"""Keys that ask more of people. Where a later entry lacks one, an address must not slip through to it."""

_NAMING = ("username_attribute", "pairwise_id")
"""Keys that decide whose account people get. Of two entries that differ in them neither may stand in for the other."""

_GUARDING = (*_NARROWING, *_NAMING, "protocols")
"""Keys without which somebody could get in who did not, or get another account."""

_NEEDED = ("id", "name", "url")
_RESTRICTS = re.compile(
    "access|allow|den[iy]|restrict|requir|permi|forbid|block|reject|authori|only|enabl|disabl|activ|expir|strategy"
    "|group|role|member|network|ip_?addr",
    re.IGNORECASE,
)
"""What is in the names of fields that keep people out."""
_MAX_NAME = 200


def start_entry(draft: Draft, number: object, taken: set[str]) -> None:
    """Give the draft's entry an id that is not in ``taken``, and its name."""
    name = one_line(draft.name, _MAX_NAME) or f"Service {one_line(number) or len(taken) + 1}"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-") or "service"
    unique, count = slug, 1
    if unique in taken and isinstance(number, int) and not isinstance(number, bool):
        unique = f"{slug}-{abs(number) % 10**12}"
    while unique in taken:
        count += 1
        unique = f"{slug}-{count}"
    taken.add(unique)
    draft.entry["id"] = unique
    draft.entry["name"] = name


def name_of(expression: str) -> str:
    """Return a name for a service that has none: its host, as far as that is known."""
    hosts = known_hosts(f"{head}/" for head in literal_heads(expression))
    return hosts[0].split("://")[1].partition(":")[0] if hosts else "Service"


def set_address(draft: Draft, field: str, translate: Callable[[], Address]) -> None:
    """Give the draft's entry its ``url``.

    An expression that cannot be translated closes the entry. If at least its host is known, the entry keeps all of that
    host for itself, so that no later, wider entry gets what was more closely guarded; else there is no entry.
    """
    try:
        address = translate()
    except Untranslatable as error:
        hosts = known_hosts(error.known)
        if not hosts:
            draft.entry.clear()
            draft.close(field, f"no pattern can say what {draft.expression[:200]!r} means: {error}")
            return
        draft.entry["url"] = hosts[0] if len(hosts) == 1 else hosts
        draft.close(
            field,
            f"no pattern can say what {draft.expression[:200]!r} means: {error}. The entry holds the whole host, "
            "closed, so that no other entry gets its addresses: write down what is meant",
        )
        return
    draft.entry["url"] = address.patterns[0] if len(address.patterns) == 1 else list(address.patterns)
    if address.narrower:
        sentence = f"means less than {draft.expression[:200]!r}: {'; '.join(address.narrower)}"
        draft.differs(field, sentence, routine=address.narrower == (DOTS,))
    else:
        draft.taken(field, "means the same addresses")
    wide = [pattern.width() for pattern in compiled(address.patterns)]
    if any(wide):
        sentence = next(sentence for sentence in wide if sentence)
        draft.differs(field, f"IS AS WIDE AS IT WAS: it {sentence}. Write down whom it is for")


def is_wide(draft: Draft) -> bool:
    """Say whether a draft's entry is open and means hosts that hardly belong to one owner."""
    return draft.entry.get("enabled", True) and any(pattern.width() for pattern in compiled(patterns_of(draft)))


def patterns_of(draft: Draft) -> list[str]:
    """Return the patterns of a draft's entry."""
    url = draft.entry.get("url", [])
    return [url] if isinstance(url, str) else list(url)


def reserve(draft: Draft, number: object, taken: set[str], translate: Callable[[], Address]) -> None:
    """Give a draft that gets no entry of its own the addresses that it had, disabled, till it is known who needs them.

    Its service came before others, which are not to get its addresses now: :func:`drop_needless_reserves`.
    """
    try:
        address = translate()
    except Untranslatable:
        return
    start_entry(draft, number, taken)
    patterns = address.patterns
    draft.entry |= {"url": patterns[0] if len(patterns) == 1 else list(patterns), "enabled": False}
    draft.reserve = True


def drop_needless_reserves(drafts: Sequence[Draft]) -> None:
    """Drop entries that only hold addresses for themselves which no later entry would get."""
    later: list[Pattern] = []
    by_host: dict[str, list[Pattern]] = defaultdict(list)
    for draft in reversed(drafts):
        patterns = compiled(patterns_of(draft))
        if not draft.reserve:
            later += patterns
            for pattern in patterns:
                by_host[pattern.host].append(pattern)
        elif any(
            pattern.overlaps(other)
            for pattern in patterns
            for other in ([*by_host[pattern.host], *by_host[""]] if pattern.host else later)
        ):
            draft.close("serviceId", "its addresses would go to a later entry, so a disabled one holds them")
        else:
            draft.entry.clear()


def close_holes(drafts: Sequence[Draft], *, ignored_case: bool) -> None:
    """See to it that no address falls through to a later entry that asks less.

    - Where the old server ignored the case of letters in paths and this one does not, an entry that is more closely
      guarded than a later one with addresses in common gets its paths in every case.
    - Behind a service whose addresses nobody knows, entries are closed that could get them: those for many hosts, and
      those for a host of a domain that it names. Those that are closed for another reason get no second one.
    """
    written = [draft for draft in drafts if draft.entry]
    if ignored_case:
        _close_other_cases(written)
    by_domain: dict[str, list[int]] = defaultdict(list)
    for at, draft in enumerate(drafts):
        for domain in {".".join(pattern.host.split(".")[-2:]) for pattern in compiled(patterns_of(draft))}:
            by_domain[domain].append(at)
    for at, draft in enumerate(drafts):
        if draft.entry or not draft.closed:
            continue
        text = draft.expression.replace("\\", "").lower()
        anywhere = re.search(r"[a-z0-9-]\.[a-z]{2}", text) is None
        # The empty domain is that of patterns for many hosts, and in every text.
        for place in {place for domain, places in by_domain.items() if anywhere or domain in text for place in places}:
            if place > at and not drafts[place].closed:
                drafts[place].close(
                    "url",
                    f"it would get addresses of {draft.name!r} ({draft.source}), which came before it and could not be "
                    "taken over",
                )


def _close_other_cases(drafts: Sequence[Draft]) -> None:
    by_host: dict[str, list[tuple[int, Pattern]]] = defaultdict(list)
    read = [compiled(_without_case(patterns_of(draft))) for draft in drafts]
    for at, patterns in enumerate(read):
        for pattern in patterns:
            by_host[pattern.host].append((at, pattern))
    for at, draft in enumerate(drafts):
        if any(
            later > at and other.overlaps(pattern) and _asks_less(drafts[later], draft)
            for pattern in read[at]
            for host in {pattern.host, ""}
            for later, other in by_host[host]
        ):
            _add_every_case(draft)


def _asks_less(later: Draft, earlier: Draft) -> bool:
    if later.closed or later.entry.get("enabled") is False:
        return False
    if earlier.closed:
        return True
    narrower = any(key in earlier.entry and earlier.entry.get(key) != later.entry.get(key) for key in _GUARDING)
    return narrower or any(earlier.entry.get(key) != later.entry.get(key) for key in _NAMING)


def _without_case(patterns: Iterable[str]) -> list[str]:
    return [pattern if pattern.startswith("regex:") else pattern.lower().replace("%2a", "%2A") for pattern in patterns]


def _add_every_case(draft: Draft) -> None:
    patterns = patterns_of(draft)
    every = [any_case(pattern) for pattern in patterns]
    more = [text for text in every if text is not None and text not in patterns]
    if None in every:
        draft.close(
            "url", "its paths in another case of letters get a later entry that asks less; the old server ignored case"
        )
    if more:
        draft.entry["url"] = [*patterns, *more]
        draft.differs(
            "url",
            "paths are also written in every case, as the old server read them: a later entry that asks less would "
            "get them otherwise",
        )


def make_valid(drafts: Iterable[Draft]) -> list[Problem]:
    """Take out of the entries whatever ``registry.yaml`` would refuse, and disable those that are closed.

    :return: a problem for each entry that cannot be made valid; it is dropped
    """
    problems = []
    for draft in drafts:
        if not draft.entry:
            continue
        _tidy(draft)
        for _ in range(len(draft.entry)):
            try:
                RegisteredService.model_validate(draft.entry)
                break
            except ValidationError as error:
                key = str(error.errors(include_url=False)[0]["loc"][0])
                message = str(error.errors(include_url=False)[0]["msg"]).removeprefix("Value error, ")
            if key in _NEEDED:
                problems.append(Problem(draft.source, 0, 0, key, f"no entry can be made of it: {message}"))
                draft.entry.clear()
                break
            draft.entry.pop(key, None)
            note = draft.close if key in _GUARDING else draft.lost
            note(key, f"cannot be written: {message}")
            _tidy(draft)
    return problems


def _tidy(draft: Draft) -> None:
    attributes = draft.entry.get("attributes")
    if isinstance(attributes, dict) and all(name == source for name, source in attributes.items()):
        draft.entry["attributes"] = list(attributes)
    if attributes is not None and not attributes:
        del draft.entry["attributes"]
    if draft.closed:
        draft.entry["enabled"] = False
        draft.entry["disabled_reason"] = "This application is being moved to a new sign-in server."
    # In the order in which entries are written.
    order = {key: at for at, key in enumerate(RegisteredService.model_fields)}
    for key in sorted(draft.entry, key=lambda key: order.get(key, len(order))):
        draft.entry[key] = draft.entry.pop(key)


def unknown_field(draft: Draft, field: str, known: Iterable[str]) -> None:
    """Note a field that no version of the old server is known to have. By its name it may have kept people out."""
    name = field.rpartition(".")[2]
    meant = did_you_mean(name, known)
    if _RESTRICTS.search(name):
        draft.close(field, f"is not known{meant}, and may have kept people out")
    else:
        draft.lost(field, f"is not known{meant}; if it kept people out, say so in the entry")
