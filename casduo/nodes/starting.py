"""What ``casduo serve`` tells the processes that it starts: the name of their node, and where numbers go."""

from __future__ import annotations

from collections.abc import MutableMapping

from casduo.metrics.directory import prepare
from casduo.nodes.announcing import VARIABLE, new_node_name
from casduo.settings import Settings


def begin_node(settings: Settings, environ: MutableMapping[str, str]) -> str:
    """Put into ``environ`` what all processes of this server share.

    :param environ: of the processes that are to be started
    :return: a sentence for the operator, empty if there is nothing to say
    """
    environ[VARIABLE] = new_node_name()
    if not settings.metrics.enabled:
        return ""
    try:
        prepare(settings.server.state_directory, environ)
    except OSError as error:
        return f"/metrics tells of one process at a time: there is no place for their numbers ({error.strerror})"
    return ""
