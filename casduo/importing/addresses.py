"""Turns the ways in which other servers say whose addresses are meant into the patterns of ``url``.

What comes out is equal by construction: scheme, host, port and path are written out as they stand, and a ``.*`` at
the end is ``**``. The rest becomes a ``regex:``. Where the old server accepted more than can have been meant, what
comes out is narrower, never wider, and :class:`Address` says so:

- a bare dot in a host name is taken for a dot (``library.example.edu`` meant ``library-example.edu`` too);
- a host name without a slash behind it ends there (``https://library.example.edu.*`` meant
  ``https://library.example.edu.attacker.net/`` too);
- what stands for a part of the host does not reach into the path.

Two URLs that this server takes for the same (:mod:`casduo.services.urls`) were two for the old ones: with and without
the default port, ``https://host`` and ``https://host/``. A pattern means both as soon as the expression meant one.
``/**`` also means the path before it: ``https://host/a/**`` means ``https://host/a``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from casduo.importing.expressions import Element, Gap, Untranslatable, expand, labels_of_host, literal_heads
from casduo.services.patterns import REGEX_PREFIX, Pattern, compile_pattern

__all__ = [
    "Address",
    "Untranslatable",
    "any_case",
    "compiled",
    "from_ant",
    "from_expression",
    "from_literal",
    "known_hosts",
]

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_WHOLE_HOST = re.compile(r"localhost|[0-9]{1,3}(\.[0-9]{1,3}){3}|[a-z0-9_-]+(\.[a-z0-9_-]+)*\.[a-z][a-z0-9-]+")
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9\-._~!$&'(),;=:@/%*]*")
_PLAIN_QUERY = re.compile(r"[A-Za-z0-9\-._~!$(),;=:@/%]+(&[A-Za-z0-9\-._~!$(),;=:@/%]+)*")
_HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
_PORT_TO_ANY = "(:\\d+)?"

_ANY = Gap("any", ".*")
_ONE_CHARACTER = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[./]", re.DOTALL)

DOTS = "bare dots are taken for dots"
CUT = "the host name ends where the expression had no slash behind it"
REACH = "what stands for a part of the host no longer reaches into the path"
FRAGMENT = "what is behind # is not looked at"
ANYWHERE = "the expression is taken for the beginning of the address; it was looked for anywhere in it"


@dataclass(frozen=True, slots=True)
class Address:
    """What an expression became.

    :param patterns: for ``url``, at least one, each accepted by :func:`casduo.services.patterns.compile_pattern`
    :param narrower: in which ways they mean less than the expression did; empty: they mean the same
    """

    patterns: tuple[str, ...]
    narrower: tuple[str, ...] = ()


def from_expression(text: str, *, whole: bool = True, anywhere: bool = False) -> Address:
    """Return the patterns that mean what a regular expression over whole URLs means.

    :param whole: it had to match the whole address; ``False``: a beginning of it was enough
    :param anywhere: it could begin anywhere in the address
    :raises Untranslatable: there are none
    """
    text = text.strip()
    notes: dict[str, None] = {}
    rows = []
    for one in expand(text):
        if anywhere and not one.started:
            notes[ANYWHERE] = None
        rows += _schemes_written_out(one.elements if whole or one.ended else (*one.elements, _ANY))
    return _address(rows, notes, literal_heads(text))


def from_literal(text: str, *, begins: bool = False) -> Address:
    """Return the patterns for one address, or for all that begin with it.

    :raises Untranslatable: there are none
    """
    text = text.strip()
    return _address([(*text, _ANY) if begins else tuple(text)], {}, (text,))


def from_ant(text: str) -> Address:
    """Return the patterns for a path pattern of Ant, as CAS up to 4 had them: ``?``, ``*`` and ``**``.

    :raises Untranslatable: there are none
    """
    schemes = ["http", "https"] if text.startswith(("http*://", "http**://")) else []
    if text.startswith("http?://"):
        schemes = ["https"]
    if not schemes:
        return _address([_ant_elements(text)], {}, (re.split("[*?]", text)[0],))
    rest = text[text.index("://") :]
    return _address([(*scheme, *_ant_elements(rest)) for scheme in schemes], {}, ())


def known_hosts(heads: Iterable[str]) -> list[str]:
    """Return patterns that mean all of the only hosts that addresses beginning with one of ``heads`` can have.

    :return: none where a head leaves its host open
    """
    patterns = []
    for head in heads:
        found = re.match(r"(?:(https?)://)([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)[:/?]", head.lower())
        if found is None:
            return []
        patterns.append(f"{found[1]}://{found[2]}:*/**")
    return list(dict.fromkeys(patterns))


def any_case(pattern: str) -> str | None:
    """Return a ``regex:`` that means the addresses of ``pattern`` in whichever case their paths are written.

    :return: ``pattern`` itself where there is no letter to write otherwise; ``None`` where it cannot be written so
    """
    scheme, _, rest = pattern.removeprefix(REGEX_PREFIX).partition("://")
    host, slash, path = rest.partition("/")
    if pattern.startswith(REGEX_PREFIX):
        path = f"{slash}{path}"
    else:
        host = host.replace(".", "\\.").replace(":*", _PORT_TO_ANY)
        ends = {"*/**": ".*", "/**": "(/.*)?", "*&**": ".*", "?": ""}
        end = next((end for end in ends if f"/{path}".endswith(end)), "")
        path = "".join(map(_escaped, f"/{path}".removesuffix(end)))
        path += ends.get(end, "" if "?" in path else "(\\?.*)?")
        if "\\*" in path or "*" in host:
            return pattern if path == "(/.*)?" else None
    every = _letters_in_any_case(path)
    if every is None or every == path:
        return every and pattern
    text = f"{REGEX_PREFIX}{scheme}://{host}{every}"
    return text if _compiles(text) else None


def _letters_in_any_case(expression: str) -> str | None:
    """Return an expression with every letter in both cases, ``None`` where a set is not plain."""
    text, at = "", 0
    while at < len(expression):
        character = expression[at]
        if character == "\\":
            text += expression[at : at + 2]
            at += 2
        elif character == "[":
            end = expression.find("]", at + 2)
            inside = None if end < 0 else _set_in_any_case(expression[at + 1 : end])
            if inside is None:
                return None
            text += f"[{inside}]"
            at = end + 1
        else:
            both = f"[{character.upper()}{character.lower()}]"
            text += both if character.isascii() and character.isalpha() else character
            at += 1
    return text


def _set_in_any_case(inside: str) -> str | None:
    """Return the inside of a set with every letter in both cases, ``None`` where it holds escapes or odd ranges."""
    negated = "^" if inside.startswith("^") else ""
    members = re.findall(".-.|.", inside.removeprefix("^"))
    ranges = [member for member in members if len(member) == 3]
    plain = (str.islower, str.isupper, str.isdigit)
    if "\\" in inside or not all(any(kind(one[0]) and kind(one[2]) for kind in plain) for one in ranges):
        return None
    both = dict.fromkeys(other for member in members for other in (member, member.swapcase()))
    # A hyphen is only itself where nothing follows.
    return negated + "".join(member for member in both if member != "-") + ("-" if "-" in both else "")


def compiled(patterns: Iterable[str]) -> list[Pattern]:
    """Return ``patterns``, read."""
    return [compile_pattern(pattern) for pattern in patterns]


# --- from sequences to patterns ---------------------------------------------------------------------------------------


def _address(rows: Iterable[Sequence[Element]], notes: dict[str, None], known: tuple[str, ...]) -> Address:
    all_rows = dict.fromkeys(tuple(row) for row in rows)
    try:
        patterns = [_Translation(row, frozenset(all_rows), notes).pattern() for row in all_rows]
    except Untranslatable as error:
        raise Untranslatable(str(error), known) from None
    return Address(tuple(_without_covered(list(dict.fromkeys(patterns)))), tuple(notes))


def _schemes_written_out(row: tuple[Element, ...]) -> list[tuple[Element, ...]]:
    """Write ``http.*``, ``https.*`` and ``.*`` as addresses: nobody had other schemes in mind."""
    known = {(_ANY,): ["http", "https"], (*"http", _ANY): ["http", "https"], (*"https", _ANY): ["https"]}
    return [(*f"{scheme}://", _ANY) for scheme in known[row]] if row in known else [row]


def _without_covered(patterns: list[str]) -> list[str]:
    read = compiled(patterns)
    kept = []
    for at, pattern in enumerate(read):
        covered = any(
            other.covers(pattern) and not (place > at and pattern.covers(other))
            for place, other in enumerate(read)
            if place != at
        )
        if not covered:
            kept.append(patterns[at])
    return kept


@dataclass(slots=True)
class _Translation:
    """One sequence on its way to one pattern.

    ``siblings`` are all sequences of the expression; ``notes`` gets what makes the pattern narrower.
    """

    row: tuple[Element, ...]
    siblings: frozenset[tuple[Element, ...]]
    notes: dict[str, None]
    scheme: str = ""
    host: tuple[Element, ...] = ()
    port: tuple[Element, ...] | None = None
    rest: tuple[Element, ...] = ()
    _own: list[str] = field(default_factory=list)

    def pattern(self) -> str:
        self._split()
        pattern = self._glob() or self._regex()
        self.notes.update(dict.fromkeys(self._own))
        return pattern

    def _split(self) -> None:
        end = next((at for at, element in enumerate(self.row) if isinstance(element, Gap)), len(self.row))
        scheme, mark, _ = "".join(str(element) for element in self.row[:end]).partition("://")
        self.scheme = scheme.lower()
        if not mark or not _SCHEME.fullmatch(self.scheme):
            raise Untranslatable("it does not begin with a scheme such as https://")
        rest = self.row[len(scheme) + 3 :]
        end = next((place for place, element in enumerate(rest) if element in ("/", "?", "#")), len(rest))
        authority, self.rest = rest[:end], rest[end:]
        if "#" in self.rest:
            self.rest = self.rest[: self.rest.index("#")]
            self._own.append(FRAGMENT)
        if "@" in authority or "[" in authority or any(isinstance(e, str) and not e.isascii() for e in authority):
            raise Untranslatable("its host is not a plain name")
        colon = next((place for place, element in enumerate(authority) if element == ":"), None)
        self.host = authority if colon is None else authority[:colon]
        self.port = None if colon is None else authority[colon + 1 :]
        if not self.host:
            raise Untranslatable("it names no host")

    # Written out, with ** at the end.

    def _glob(self) -> str | None:
        """Return the pattern, ``None`` when only an expression can say it."""
        own: list[str] = []
        if self.host == (_ANY,) or self.host == (Gap("some", ".+"),):
            # Whatever follows the scheme. With something behind it, it is a part of a host or of a path.
            return f"{self.scheme}://**:*/**" if not self.rest and self.port is None else None
        *names, last = self.host
        open_end = last == _ANY and self.port is None and not self.rest
        host = _plain(names if open_end else self.host, own)
        if host is None or not _HOST.fullmatch(host.lower()):
            return None
        host = host.lower()
        if open_end:
            if not _WHOLE_HOST.fullmatch(host):
                return None
            own.append(CUT)
            pattern = f"{self.scheme}://{host}:*/**"
        else:
            port = self._port(own)
            rest = self._rest(own)
            if port is None or rest is None:
                return None
            pattern = f"{self.scheme}://{host}{port}{rest}"
        if not _compiles(pattern):
            return None
        self._own += own
        return pattern

    def _port(self, own: list[str]) -> str | None:
        if self.port is None:
            return ""
        if self.port and self.port[-1] == _ANY and not self.rest:
            # ":8443.*" meant every port that begins so.
            own.append(CUT)
            digits = _plain(self.port[:-1], own)
            return ":*" if digits == "" else f":{digits}" if digits is not None and digits.isdigit() else None
        if len(self.port) == 1 and isinstance(self.port[0], Gap) and self.port[0].kind == "digits":
            # The star means the default port too, so the expression has to.
            without = (*f"{self.scheme}://", *self.host, *self.row[self.row.index(self.port[0]) + 1 :])
            return ":*" if without in self.siblings else None
        digits = _plain(self.port, own)
        return f":{digits}" if digits is not None and digits.isdigit() else None

    def _rest(self, own: list[str]) -> str | None:
        """Return path and query."""
        if self.port and self.port[-1] == _ANY:
            return "/**"
        ends_open = bool(self.rest) and self.rest[-1] == _ANY
        text = _plain(self.rest[:-1] if ends_open else self.rest, own)
        if text is None:
            return None
        path, mark, query = text.partition("?")
        path = path or "/"
        if not _PLAIN_PATH.fullmatch(path) or re.search("%(?![0-9A-Fa-f]{2})", path):
            return None
        path = path.replace("*", "%2A")
        if mark:
            if not _PLAIN_QUERY.fullmatch(query):
                return None
            return f"{path}?{query}*&**" if ends_open else f"{path}?{query}"
        if not ends_open:
            # Without a query.
            return f"{path}?"
        return f"{path}**" if path.endswith("/") else f"{path}*/**"

    # As an expression.

    def _regex(self) -> str:
        own: list[str] = []
        host = self._host_expression(own)
        port = "" if self.port is None else ":" + _expression(self.port)
        rest = _expression(self.rest)
        if not rest.startswith("/"):
            if self.rest and self.rest[0] == "?":
                rest = "/" + rest
            elif not self.rest and self.host[-1] == _ANY and self.port is None:
                # The end of the expression stood for port and path as well.
                port, rest = _PORT_TO_ANY, "/.*"
            else:
                rest = f"/{rest}"
        text = f"{REGEX_PREFIX}{self.scheme}://{host}{port}{rest}"
        try:
            compile_pattern(text)
        except ValueError as error:
            raise Untranslatable(str(error)) from None
        self._own += own
        return text

    def _host_expression(self, own: list[str]) -> str:
        parts = []
        for at, element in enumerate(self.host):
            if isinstance(element, str):
                parts.append(_escaped(element.lower()))
            elif element.kind == "one":
                own.append(DOTS)
                parts.append("\\.")
            else:
                if _reaches(element.text):
                    own.append(REACH)
                # Only where a label begins is none of them empty.
                begins = element.kind == "labels" and (at == 0 or self.host[at - 1] == ".")
                parts.append(_in_lower_case((labels_of_host(element.text) if begins else None) or element.text))
        return "".join(parts)


def _in_lower_case(text: str) -> str:
    """Return an expression for a part of a host, which is compared in lower case and had any case before."""
    if re.sub(r"\\.", "", text).islower() or not re.search("[A-Z]", re.sub(r"\\.", "", text)):
        return text
    return _letters_in_any_case(text) or text


def _reaches(text: str) -> bool:
    """Say whether what ``text`` stands for may hold a slash. Only single characters of it are tried."""
    try:
        return any(part in {".", "/"} or re.fullmatch(part, "/") for part in _ONE_CHARACTER.findall(text))
    except re.error:
        return True


def _plain(elements: Sequence[Element], own: list[str]) -> str | None:
    """Return the characters of ``elements``, ``None`` when there is a gap among them that is no bare dot."""
    text = ""
    for element in elements:
        if isinstance(element, str):
            text += element
        elif element.kind == "one":
            text += "."
            own.append(DOTS)
        else:
            return None
    return text


def _expression(elements: Sequence[Element]) -> str:
    return "".join(_escaped(element) if isinstance(element, str) else element.text for element in elements)


def _escaped(character: str) -> str:
    return character if character.isalnum() or character in "/_-:=&~,;@%!'\"#<> " else f"\\{character}"


def _ant_elements(text: str) -> tuple[Element, ...]:
    elements: list[Element] = []
    at = 0
    while at < len(text):
        if text.startswith("**", at):
            elements.append(_ANY)
            at += 2
            continue
        character = text[at]
        elements.append({"*": Gap("other", "[^/]*"), "?": Gap("one", ".")}.get(character, character))
        at += 1
    return tuple(elements)


def _compiles(pattern: str) -> bool:
    try:
        compile_pattern(pattern)
    except ValueError:
        return False
    return True
