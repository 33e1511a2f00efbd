"""Webhooks over the network: a real receiver that fails, refuses, redirects, or is not there."""

from __future__ import annotations

import hashlib
import hmac
import socket
from typing import Any

import pytest

from alerts.webhook import Webhook
from embedded.ports import free_port
from sinks.webhooks import NotDelivered, WebhookSender, new_client
from tests.alerts.receiver import Receiver, receiving

SECRET = "a key of some length"  # noqa: S105 - of nothing
ALERT: dict[str, Any] = {
    "ticker": "AAPL",
    "id": "BRK-B|bad press|news|é\r\nX: 1",
    "rule": "press",
    "severity": "warning",
    "message": "bad <press>",
}


async def send(receiver: Receiver, *, secret: str | None = SECRET, **how: Any) -> None:
    """Send the alert, with short pauses between attempts."""
    webhook = Webhook("ops", f"{receiver.url}/hook?token=s3cret")
    async with new_client() as client:
        sender = WebhookSender(client, secret, attempts=4, first_pause_s=0.01)
        await sender.deliver(webhook, ALERT, **how)


async def test_a_request_is_slack_shaped_signed_and_has_a_key() -> None:
    with receiving() as receiver:
        await send(receiver)
    (got,) = receiver.got
    assert got.path == "/hook?token=s3cret"
    assert got.body == {"text": "[warning] bad <press>", **ALERT}
    assert got.headers["content-type"] == "application/json"
    assert got.headers["idempotency-key"] == "BRK-B|bad press|news|%C3%A9%0D%0AX%3A%201".replace(
        "%20", " "
    )
    signed = got.headers["x-alert-timestamp"].encode() + b"." + got.content
    digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert got.headers["x-alert-signature"] == f"sha256={digest}"


async def test_without_a_key_there_is_no_signature() -> None:
    with receiving() as receiver:
        await send(receiver, secret=None)
    assert "x-alert-signature" not in receiver.got[0].headers


@pytest.mark.parametrize("answers", [(500, 503), (429,), (408, 425, 502)])
async def test_a_receiver_that_fails_at_first(answers: tuple[int, ...]) -> None:
    with receiving(*answers) as receiver:
        await send(receiver)
    assert [one.answered for one in receiver.got] == [*answers, 200]
    assert {one.content for one in receiver.got} == {receiver.got[0].content}
    assert len({one.headers["idempotency-key"] for one in receiver.got}) == 1


@pytest.mark.parametrize("answer", [400, 401, 404, 410, 302])
async def test_a_final_answer_is_not_asked_for_again(answer: int) -> None:
    with (
        receiving(answer) as receiver,
        pytest.raises(NotDelivered, match=f"it answered {answer}"),
    ):
        await send(receiver)
    assert [(one.path, one.answered) for one in receiver.got] == [("/hook?token=s3cret", answer)]


async def test_it_gives_up() -> None:
    with (
        receiving(*[500] * 9) as receiver,
        pytest.raises(NotDelivered, match="it answered 500"),
    ):
        await send(receiver)
    assert len(receiver.got) == 4


@pytest.mark.parametrize("how", [{"patient": False}, {"wanted": lambda: False}])
async def test_it_tries_once_where_more_has_no_point(how: dict[str, Any]) -> None:
    with receiving(500) as receiver, pytest.raises(NotDelivered):
        await send(receiver, **how)
    assert len(receiver.got) == 1


async def test_nobody_answers() -> None:
    with pytest.raises(NotDelivered) as caught:
        await send(Receiver(free_port(), []))
    assert str(caught.value) == "no answer (ConnectError)"


async def test_a_receiver_that_says_nothing_is_not_waited_for() -> None:
    """It takes the connection and is silent; the client gives up, not the test."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        async with new_client() as client:
            sender = WebhookSender(client, None, attempts=2, first_pause_s=0.01, timeout_s=0.05)
            with pytest.raises(NotDelivered, match=r"no answer within 0\.05 s"):
                await sender.deliver(Webhook("ops", url), ALERT)
