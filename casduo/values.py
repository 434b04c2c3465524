"""Values that requests are made of: nobody may change them, and they cost little to make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # The type checker takes it for the real one, and refuses whoever would change a value.
    from dataclasses import dataclass as value_object
else:
    from collections.abc import Callable
    from dataclasses import dataclass

    def value_object(*, frozen: bool, slots: bool, **options: Any) -> Callable[[type], type]:
        """Make a class a ``@dataclass(frozen=True, slots=True)``, which the type checker guards and the interpreter
        does not.

        A frozen dataclass sets each of its fields by a call: making one takes six times as long, and a ticket for
        somebody who is signed in takes 180 fields. So this is for values that requests make; what is made once is a
        ``dataclass``. One cannot inherit from the other.

        :param frozen: ``True``, for the type checker: there are no others here
        :param slots: as ``options``, see :func:`dataclasses.dataclass`
        """
        if not frozen:
            raise TypeError("values do not change; for what does there is dataclasses.dataclass")
        return dataclass(slots=slots, unsafe_hash=options.get("eq", True), **options)


__all__ = ["value_object"]
