"""``python -m casduo``: the same as the ``casduo`` command."""

from __future__ import annotations

from casduo.cli import main

main(prog_name="casduo")
