"""Addresses and signatures of webhooks."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from alerts.webhook import Webhook, body, checked, several, signature


def test_a_setting_of_several() -> None:
    assert several(" ops=https://a.example/x=1 , me=http://127.0.0.1:8000/,") == [
        Webhook("ops", "https://a.example/x=1"),
        Webhook("me", "http://127.0.0.1:8000/"),
    ]
    assert several("") == []


@pytest.mark.parametrize(
    "setting",
    [
        "https://secret.example/",
        "ops",
        "ops=ftp://secret.example/",
        "ops=javascript:secret",
        "ops=https://",
        "ops=https://secret.example/a b",
        "o p=https://secret.example/",
        "ops=https://secret.example:99999/",
    ],
)
def test_what_is_no_webhook_is_refused_without_its_address(setting: str) -> None:
    with pytest.raises(ValueError, match=r"entry 1|webhook") as caught:
        several(setting)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://h", "https://user:pw@h.example:8443/p?q#f"])
def test_addresses_of_the_web_are_taken(url: str) -> None:
    assert checked("ops", url).url == url


def test_the_signature_is_that_of_the_page() -> None:
    """As docs/alerts.md tells receivers to verify it."""
    expected = hmac.new(b"key", b'1704412800.{"text":"x"}', hashlib.sha256).hexdigest()
    assert signature("key", "1704412800", b'{"text":"x"}') == f"sha256={expected}"


def test_the_body_is_slack_shaped() -> None:
    found = body({"severity": "critical", "message": "AAPL fell", "ticker": "AAPL"})
    assert found["text"] == "[critical] AAPL fell"
    assert found["ticker"] == "AAPL"
