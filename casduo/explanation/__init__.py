"""Why a person gets into a service or does not: everything the registry, the settings and a directory say about it."""

from __future__ import annotations

from casduo.explanation.explain import entry_for, explain, stores_for
from casduo.explanation.model import Explanation, Person
from casduo.explanation.text import Section, as_text, sections

__all__ = ["Explanation", "Person", "Section", "as_text", "entry_for", "explain", "sections", "stores_for"]
