"""What a webhook is sent: the address, the body, and the signature over it."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

#: Characters of a webhook's name.
NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}"

#: The headers of a request.
ID_HEADER = "Idempotency-Key"
TIMESTAMP_HEADER = "X-Alert-Timestamp"
SIGNATURE_HEADER = "X-Alert-Signature"


@dataclass(frozen=True)
class Webhook:
    """One address that alerts are sent to, under the name that logs and the page call it.

    The address may hold a secret, so it is never shown.
    """

    name: str
    url: str = field(repr=False)


def checked(name: str, url: str) -> Webhook:
    """Return the webhook of this name and address.

    Raises:
        ValueError: one of them is not right; the address is not in the message.
    """
    if not re.fullmatch(NAME, name):
        raise ValueError(
            f"{name!r} is no name of a webhook: 1 to 32 of A-Z a-z 0-9 _ -, such as ops"
        )
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole or re.search(r"[\s\x00-\x1f]", url):
        raise ValueError(
            f"the address of webhook {name!r} must begin with https:// or http:// and a host"
        )
    return Webhook(name, url)


def several(setting: str) -> list[Webhook]:
    """Return the webhooks of a setting: ``name=address``, separated by commas.

    Raises:
        ValueError: an entry is not right; addresses are not in the message.

    >>> several("ops=https://hooks.example/1, me=http://127.0.0.1:8000/")[1].name
    'me'
    """
    found = []
    for number, entry in enumerate(filter(None, map(str.strip, setting.split(","))), 1):
        name, mark, url = entry.partition("=")
        if not mark or "://" in name:
            raise ValueError(f"entry {number} has no name: write name=https://...")
        found.append(checked(name.strip(), url.strip()))
    return found


def body(alert: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is sent of an alert, before it becomes JSON: what Slack shows, and all fields."""
    text = f"[{alert['severity']}] {alert['message']}"
    return {"text": text, **alert}


def signature(secret: str, timestamp: str, content: bytes) -> str:
    """Return the signature of a request: HMAC-SHA256 of ``timestamp.content``, in hexadecimal.

    >>> signature("secret", "1704412800", b"{}")[:16]
    'sha256=d0b0b7e00'
    """
    signed = timestamp.encode() + b"." + content
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
