"""The only door to Redis: connections, scripts and batches. Nothing else imports the client library."""

from __future__ import annotations

from casduo.store.replies import fields_of, moment_of
from casduo.store.scripts import Script, load_script
from casduo.store.store import Batch, Reply, Store, Value

__all__ = ["Batch", "Reply", "Script", "Store", "Value", "fields_of", "load_script", "moment_of"]
