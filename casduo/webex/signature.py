"""Whether a delivery comes from who knows the webhook's secret. Pure.

Webex documents ``X-Spark-Signature``: HMAC-SHA1 of the body in hexadecimal, lower case (Webex for Developers,
"Webhooks", "Handling requests from Webex"). Deliveries may also carry ``X-Webex-Signature``, a list of ``sha256=...``
and ``sha512=...``. HMAC-SHA1 can still not be forged (RFC 6194, section 3.3); settings may refuse it all the same.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Literal

SignatureFault = Literal["no_signature", "weak_signature", "wrong_signature"]
"""Why a delivery is not believed: nothing that could be checked, nothing as strong as demanded, not made with a secret
of ours.
"""

_STRONG = ("sha256", "sha512")
_MOST_SIGNATURES = 8


def signature_fault(
    body: bytes, spark: str, webex: str, secrets: Sequence[str], *, strong_only: bool = False
) -> SignatureFault | None:
    """Return what is wrong with the signatures of a delivery, ``None`` for nothing.

    Every signature that is there has to be right, all of them by the same secret: a wrong one says that something was
    changed on the way, whatever the others say. Takes the same time wherever they differ.

    :param body: the body as it came
    :param spark: the header ``X-Spark-Signature``, empty for none
    :param webex: the header ``X-Webex-Signature``, empty for none; algorithms that are not known are passed over
    :param secrets: those that count; with none nothing is right
    :param strong_only: demand a signature with SHA-256 or better
    """
    signatures = _signatures(spark, webex)
    if not signatures:
        return "no_signature"
    if len(signatures) > _MOST_SIGNATURES:
        return "wrong_signature"
    fits = [_all_by(secret, signatures, body) for secret in secrets]
    if not any(fits):
        return "wrong_signature"
    if strong_only and all(algorithm not in _STRONG for algorithm, _ in signatures):
        return "weak_signature"
    return None


def _signatures(spark: str, webex: str) -> list[tuple[str, str]]:
    """Return the signatures that can be checked, each with its algorithm."""
    found = [("sha1", spark.strip())] if spark else []
    for part in webex.split(",") if webex else ():
        algorithm, _, digest = part.partition("=")
        if algorithm.strip().lower() in _STRONG:
            found.append((algorithm.strip().lower(), digest.strip()))
    return found


def _all_by(secret: str, signatures: Sequence[tuple[str, str]], body: bytes) -> bool:
    right = [
        hmac.compare_digest(hmac.digest(secret.encode(), body, algorithm).hex().encode(), digest.encode())
        for algorithm, digest in signatures
    ]
    return all(right)
