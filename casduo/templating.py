"""The templates: ours, and those that a site puts in their places."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from types import CodeType, MappingProxyType
from typing import ClassVar, Final

from jinja2 import (
    BaseLoader,
    BytecodeCache,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateNotFound,
    nodes,
)
from jinja2.bccache import Bucket
from jinja2.sandbox import safe_range
from jinja2.visitor import NodeTransformer

ORIGINALS: Final = "casduo"
"""Where a site's template finds the one whose place it takes: ``casduo/login.html``."""

_MOST_COMPILED = 2000
_TEMPLATES: Final = frozenset({".html", ".xml"})


class FoldingEnvironment(Environment):
    """An environment that calls the functions in ``fold`` once, when a template is compiled, wherever all arguments are
    constants: the texts of a page and the addresses of its files do not change while the server runs.
    """

    fold: Mapping[str, Callable[..., str]] = MappingProxyType({})

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Folder(self.fold).visit(super()._parse(source, name, filename))
        return tree


class CompiledOnce(BytecodeCache):
    """What was compiled, for all environments of this process that fold alike: of several servers in one process, such
    as those of tests, the first one compiles.

    :param folded: what the results of the folded functions hang on; equal for environments that fold alike
    """

    _kept: ClassVar[dict[tuple[Hashable, str, str], CodeType]] = {}

    def __init__(self, folded: Hashable) -> None:
        self._folded = folded

    def load_bytecode(self, bucket: Bucket) -> None:
        """See :class:`jinja2.BytecodeCache`."""
        bucket.code = self._kept.get((self._folded, bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """See :class:`jinja2.BytecodeCache`."""
        assert bucket.code is not None
        if len(self._kept) >= _MOST_COMPILED:
            self._kept.clear()
        self._kept[self._folded, bucket.key, bucket.checksum] = bucket.code


class _Folder(NodeTransformer):
    def __init__(self, functions: Mapping[str, Callable[..., str]]) -> None:
        self._functions = functions

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        self.generic_visit(node)
        plain = not (node.kwargs or node.dyn_args or node.dyn_kwargs)
        if not plain or not isinstance(node.node, nodes.Name) or node.node.name not in self._functions:
            return node
        if not all(isinstance(argument, nodes.Const) for argument in node.args):
            return node
        try:
            return nodes.Const(self._functions[node.node.name](*(argument.as_const() for argument in node.args)))
        except Exception:
            # What asks for a text that does not exist fails where it stands, if anybody comes there.
            return node


def read_views(views: Path) -> Templates:
    """Read all templates below a folder. Pages that say what does not work are then at hand whatever does not: no file
    has to be opened for them.
    """
    paths = (path for path in views.rglob("*") if path.suffix in _TEMPLATES and path.is_file())
    return Templates(
        {path.relative_to(views).as_posix(): (path.read_text(encoding="utf-8"), str(path)) for path in paths}
    )


def environment(views: Templates, own: Path | None = None) -> FoldingEnvironment:
    """Return an environment with the globals of Jinja only, of which ``range`` ends before a thread is lost to it.

    :param views: our templates
    :param own: a site's folder; a file of the same name takes the place of ours
    """
    made = FoldingEnvironment(
        loader=_loader(views, own),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["range"] = safe_range
    return made


class Templates(BaseLoader):
    """Templates that were read: for each name its text and where that lay."""

    def __init__(self, found: Mapping[str, tuple[str, str]]) -> None:
        self._found = found

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """See :class:`jinja2.BaseLoader`."""
        try:
            text, place = self._found[template]
        except KeyError:
            raise TemplateNotFound(template) from None
        return text, place, lambda: True

    def list_templates(self) -> list[str]:
        """See :class:`jinja2.BaseLoader`."""
        return sorted(self._found)


def _loader(ours: Templates, own: Path | None) -> BaseLoader:
    if own is None:
        return ours
    return ChoiceLoader([FileSystemLoader(own), ours, PrefixLoader({ORIGINALS: ours})])
