"""What is wrong with a site's templates before they are used, as far as it can be seen without any page's data."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final

from jinja2 import Environment, TemplateError, TemplateSyntaxError, nodes
from jinja2.meta import find_referenced_templates, find_undeclared_variables

from casduo.templating import ORIGINALS, environment, read_views

_GIVEN: Final = frozenset({"page", "site", "t", "static", "lang", "languages", "back", "nonce", "reference", "time"})
"""What every page is given; see docs/looks.md."""

_FRAME: Final = "layout.html"
_ASKS_FOR_KEYS = re.compile(r"\b(hidden_fields|button_form|execution|csrf)\b")


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """Something about a template of the site: where, and what in one sentence. ``fatal``: the page would not work."""

    path: Path
    line: int
    message: str
    fatal: bool = True


def template_problems(
    views: Path, own: Path, files: Collection[str], wrong_text: Callable[[str, frozenset[str] | None], str]
) -> Iterator[TemplateProblem]:
    """Yield what is wrong with a site's templates, and what looks as if it were not meant.

    :param views: the folder of our templates
    :param own: the site's
    :param files: the names that ``static()`` knows
    :param wrong_text: says what is wrong with a text that is asked for by its id and the names of its facts (``None``
        where they are not known), in words that follow the call; empty for nothing
    """
    made = environment(read_views(views), own)
    known = frozenset(made.list_templates())
    read = cache(partial(_read, made))
    referenced: set[str] = set()
    found: list[tuple[str, Path]] = []
    for path in sorted(own.rglob("*")):
        name = path.relative_to(own).as_posix()
        if not path.is_file() or any(part.startswith(".") for part in Path(name).parts):
            continue
        found.append((name, path))
        try:
            source = path.read_text(encoding="utf-8")
            tree = made.parse(source, name)
            made.compile(source, name)
        except TemplateSyntaxError as error:
            yield TemplateProblem(path, error.lineno, error.message or "is no template")
            continue
        except (RecursionError, SyntaxError):
            # The interpreter's own limits: on reading it, or on compiling the Python that Jinja makes of it.
            yield TemplateProblem(path, 0, "cannot be read: parentheses or blocks are nested too deeply")
            continue
        except (OSError, UnicodeDecodeError) as error:
            yield TemplateProblem(path, 0, f"cannot be read: {error.__class__.__name__}")
            continue
        names = {one for one in find_referenced_templates(tree) if one is not None}
        referenced |= names
        for one in sorted(names - known):
            yield TemplateProblem(path, _line_of(source, one), f"refers to {one!r}, which does not exist")
        for one in sorted(find_undeclared_variables(tree) - made.globals.keys() - _GIVEN - _names_in(read, name)):
            message = f"knows no {one!r}: no page is given that; see docs/looks.md"
            yield TemplateProblem(path, _line_of(source, one), message, fatal=False)
        for line, message, fatal in _Template(name, tree, read).problems(files, wrong_text):
            yield TemplateProblem(path, line, message, fatal)
        yield from _without_keys(views / name, path, source, names)
    for name, path in found:
        if not (views / name).exists() and name not in referenced:
            yield TemplateProblem(path, 0, "takes the place of no page and is used by no template", fatal=False)


_Read = Callable[[Hashable], nodes.Template | None]

_Found = tuple[int, str, bool]
"""A line, what is wrong there, and whether the page cannot work."""


@dataclass(frozen=True, slots=True)
class _Template:
    """One template of the site; ``read`` gives the others by name, ``None`` for what is none."""

    name: str
    tree: nodes.Template
    read: _Read

    def problems(
        self, files: Collection[str], wrong_text: Callable[[str, frozenset[str] | None], str]
    ) -> Iterator[_Found]:
        yield from self._blocks()
        yield from self._macros()
        for call in self.tree.find_all(nodes.Call):
            match call.node, call.args:
                case nodes.Name(name="t"), [nodes.Const(value=str() as text)]:
                    told = None if call.dyn_kwargs or call.dyn_args else frozenset(one.key for one in call.kwargs)
                    wrong = wrong_text(text, told)
                    if wrong:
                        yield call.lineno, f"t({text!r}) {wrong}", False
                case nodes.Name(name="static"), [nodes.Const(value=str() as file)] if file not in files:
                    yield call.lineno, f"static({file!r}): there is no such file, of ours or in pages.static", False

    def _blocks(self) -> Iterator[_Found]:
        """Jinja passes over a block that no parent has; what it holds is never shown."""
        extends = self.tree.find(nodes.Extends)
        if extends is None:
            yield from self._missing_blocks()
            return
        blocks: set[str] = set()
        seen = [self.name]
        tree: nodes.Template | None = self.tree
        while tree is not None and (parent := tree.find(nodes.Extends)) is not None:
            name = parent.template.value if isinstance(parent.template, nodes.Const) else None
            if name in seen:
                way = (
                    f"; to change ours, extend '{ORIGINALS}/{name}'" if len(seen) == 1 else f", by way of {seen[-1]!r}"
                )
                yield extends.lineno, f"extends itself{way}", True
                return
            tree = self.read(name)
            if tree is None:
                # Which one is known only when a page is made, or it is told of where it is.
                return
            seen.append(str(name))
            blocks |= {block.name for block in tree.find_all(nodes.Block)}
        for block in _outermost_blocks(self.tree):
            if block.name not in blocks:
                message = f"block {block.name!r} is in no template that this one extends: what it holds is not shown"
                yield block.lineno, message, False

    def _missing_blocks(self) -> Iterator[_Found]:
        original = self.read(f"{ORIGINALS}/{_FRAME}") if self.name == _FRAME else None
        if original is not None:
            ours = {block.name for block in original.find_all(nodes.Block)}
            for name in sorted(ours - {block.name for block in self.tree.find_all(nodes.Block)}):
                yield 0, f"has no block {name!r}: what pages put there is not shown", False

    def _macros(self) -> Iterator[_Found]:
        for taken in self.tree.find_all(nodes.FromImport):
            offered = self._offered(taken.template)
            for one in taken.names if offered is not None else ():
                name = one if isinstance(one, str) else one[0]
                if name not in (offered or ()):
                    yield taken.lineno, f"there is no {name!r} in {_shown(taken.template)}", False
        whole = {taken.target: taken.template for taken in self.tree.find_all(nodes.Import)}
        for asked in self.tree.find_all(nodes.Getattr):
            if isinstance(asked.node, nodes.Name) and asked.node.name in whole:
                template = whole[asked.node.name]
                offered = self._offered(template)
                if offered is not None and asked.attr not in offered:
                    yield asked.lineno, f"there is no {asked.attr!r} in {_shown(template)}", False

    def _offered(self, template: nodes.Expr) -> set[str] | None:
        """Return what can be imported from a template, ``None`` where that cannot be seen."""
        tree = self.read(template.value) if isinstance(template, nodes.Const) else None
        if tree is None:
            return None
        set_there = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"}
        return set_there | {macro.name for macro in tree.find_all(nodes.Macro)}


def _read(made: Environment, name: Hashable) -> nodes.Template | None:
    if not isinstance(name, str) or made.loader is None:
        return None
    try:
        return made.parse(made.loader.get_source(made, name)[0], name)
    except (TemplateError, OSError, UnicodeDecodeError, RecursionError):
        return None


def _outermost_blocks(node: nodes.Node) -> Iterator[nodes.Block]:
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Block):
            yield child
        else:
            yield from _outermost_blocks(child)


def _shown(template: nodes.Expr) -> str:
    return repr(template.value) if isinstance(template, nodes.Const) else "it"


def _names_in(read: _Read, name: str) -> set[str]:
    """Return the names that our frame and our page of this name use or set: a template in its place may, too."""
    trees = (read(f"{ORIGINALS}/{one}") for one in (_FRAME, name))
    return {found.name for tree in trees if tree is not None for found in tree.find_all(nodes.Name)}


def _without_keys(original: Path, path: Path, source: str, names: set[str]) -> Iterator[TemplateProblem]:
    """Say when the fields are missing without which the server takes no form of the page."""
    if not original.exists() or any(name.startswith(f"{ORIGINALS}/") for name in names):
        return
    if _ASKS_FOR_KEYS.search(original.read_text(encoding="utf-8")) and not _ASKS_FOR_KEYS.search(source):
        message = "lacks the hidden fields (execution, csrf): its forms will not be taken; see docs/looks.md"
        yield TemplateProblem(path, 0, message, fatal=False)


def _line_of(source: str, text: str) -> int:
    return source.count("\n", 0, source.find(text)) + 1 if text in source else 0
