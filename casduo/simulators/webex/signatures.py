"""Signs deliveries of webhooks, as Webex's guide on webhooks says: an HMAC over the body exactly as it is sent."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from casduo.simulators.webex.settings import Signature

SPARK_SIGNATURE = "X-Spark-Signature"
WEBEX_SIGNATURE = "X-Webex-Signature"


def signature_headers(secret: str, body: bytes, signatures: Sequence[Signature]) -> dict[str, str]:
    """Return the headers that sign a delivery.

    :param secret: of the webhook; empty signs nothing
    :param signatures: which of them are wanted
    """
    if not secret:
        return {}
    key = secret.encode()
    headers = {SPARK_SIGNATURE: hmac.new(key, body, "sha1").hexdigest()} if "sha1" in signatures else {}
    newer = [f"{name}={hmac.new(key, body, name).hexdigest()}" for name in signatures if name != "sha1"]
    return {**headers, WEBEX_SIGNATURE: ",".join(newer)} if newer else headers
