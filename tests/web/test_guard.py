"""Who may ask, and what browsers are told."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest
from pymongo.database import Database

from config import Settings, read_settings
from errors import ConfigurationError
from sinks.base import Document
from tests.web.conftest import Client, Serve
from web import guard
from web.exposure import advertised_host, check_exposure
from web.sessions import COOKIE, LIFETIME_S, Sessions

TOKEN = "a-token-of-24-characters"  # noqa: S105 - of nobody
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:6066", "[::1]:80", "192.168.1.9", "me"])
async def test_hosts_that_are_answered(host: str, serve: Serve) -> None:
    client = await serve(web_allowed_hosts="me")
    assert (await client.get("/", headers={"Host": host})).status == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "a b", "127.1.x"])
async def test_names_that_lead_here_by_a_trick_are_not(host: str, bare: Client) -> None:
    answer = await bare.get("/", headers={"Host": host})
    assert answer.status == 421
    assert (await answer.json())["error"]["field"] == "Host"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
    ],
    ids=str,
)
async def test_another_sites_page_is_refused(headers: dict[str, str], bare: Client) -> None:
    answer = await bare.get("/", headers=headers)
    assert answer.status == 403
    assert (await answer.json())["error"]["field"] == "Origin"


async def test_our_own_page_and_a_link_from_elsewhere_are_not(bare: Client) -> None:
    own = {"Origin": f"http://127.0.0.1:{bare.port}", "Sec-Fetch-Site": "same-origin"}
    assert (await bare.get("/", headers=own)).status == 200
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert (await bare.get("/", headers=link)).status == 200


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/nothing", 404), ("/static/js/main.js", 200)]
)
async def test_every_answer_has_the_headers_for_browsers(
    path: str, status: int, bare: Client
) -> None:
    answer = await bare.get(path)
    assert answer.status == status
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    kept = "no-cache" if path.startswith("/static/") else "no-store"
    assert answer.headers["Cache-Control"] == kept
    assert "Server" not in answer.headers


@pytest.mark.parametrize("path", ["/static/../server.py", "/static/%2e%2e/server.py", "/static/"])
async def test_files_beside_the_page_are_not_served(path: str, bare: Client) -> None:
    from yarl import URL

    assert (await bare.get(URL(path, encoded=True))).status in (403, 404)


async def test_without_the_token_nothing_is_answered(serve: Serve) -> None:
    client = await serve(web_token=TOKEN)
    for path in ("/", "/api/tickers", "/api/stream", "/tables/", "/nothing"):
        answer = await client.get(path)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    wrong = {"Authorization": f"Bearer {TOKEN}x"}
    assert (await client.get("/api/tickers", headers=wrong)).status == 401


async def test_the_token_as_a_header(serve: Serve, store: Database[Document]) -> None:
    client = await serve(web_token=TOKEN)
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert (await client.get("/api/tickers", headers=right)).status == 200


async def test_logging_in_and_out(serve: Serve, store: Database[Document]) -> None:
    client = await serve(web_token=TOKEN)
    page = {"Accept": "text/html"}
    sent = await client.get("/?x=1", headers=page, allow_redirects=False)
    assert (sent.status, sent.headers["Location"]) == (303, "/login?next=%2F%3Fx%3D1")
    form = await (await client.get(sent.headers["Location"])).text()
    assert 'value="/?x=1"' in form
    wrong = await client.post("/login", data={"token": "no", "next": "/"})
    assert (wrong.status, "not the token" in await wrong.text()) == (401, True)
    right = {"token": TOKEN, "next": "/?x=1"}
    done = await client.post("/login", data=right, allow_redirects=False)
    assert (done.status, done.headers["Location"]) == (303, "/?x=1")
    cookie = done.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    value = cookie.split(";")[0]
    other = await serve(web_token=TOKEN)  # a worker with the same token
    assert (await other.get("/api/tickers", headers={"Cookie": value})).status == 200
    assert (await other.get("/api/tickers", headers={"Cookie": f"{value}0"})).status == 401
    gone = await client.post("/logout", headers={"Cookie": value}, allow_redirects=False)
    assert f'{COOKIE}=""' in gone.headers["Set-Cookie"]


async def test_a_log_in_from_another_site_is_refused(serve: Serve) -> None:
    client = await serve(web_token=TOKEN)
    evil = {"Origin": "https://evil.example"}
    assert (await client.post("/login", data={"token": TOKEN}, headers=evil)).status == 403


@pytest.mark.parametrize("place", ["//evil.example", "https://evil.example", "/\\evil", "/a\nb"])
async def test_after_the_log_in_one_stays_here(place: str, serve: Serve) -> None:
    client = await serve(web_token=TOKEN)
    data = {"token": TOKEN, "next": place}
    done = await client.post("/login", data=data, allow_redirects=False)
    assert done.headers["Location"] == "/"


async def test_what_is_put_into_the_form_is_escaped(serve: Serve) -> None:
    client = await serve(web_token=TOKEN)
    place = {"next": '/"><script>alert(1)</script>'}
    assert "<script>" not in await (await client.get("/login", params=place)).text()


async def test_guessing_is_slowed_down(serve: Serve) -> None:
    client = await serve(web_token=TOKEN)
    wrong = {"Authorization": "Bearer no"}
    answers = [await client.get("/api/tickers", headers=wrong) for _ in range(12)]
    assert [answer.status for answer in answers].count(401) == guard.FAILURES_PER_MINUTE
    assert answers[-1].status == 429
    assert int(answers[-1].headers["Retry-After"]) > 0
    refused = await client.post("/login", data={"token": TOKEN})
    assert refused.status == 429


async def test_too_many_requests_are_refused(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "REQUESTS_PER_MINUTE", 5)
    client = await serve()
    answers = [(await client.get("/favicon.ico")).status for _ in range(6)]
    assert answers == [200] * 5 + [429]


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (b"Authorization: Bearer t\xff\xc0\x80", 401),
        (b"Cookie: \xff=\xff", 401),
        (COOKIE.encode() + b": \xff", 401),
        (b"Cookie: " + COOKIE.encode() + b"=99999999999999.\xff\xfe", 401),
        (b"Host: 127.0.0.1\xff", 421),
        (b"Origin: http://\xff", 403),
        (b"Sec-Fetch-Site: cross-site\xff", 401),
    ],
)
async def test_headers_that_are_no_utf8_get_a_problem(
    header: bytes, status: int, serve: Serve
) -> None:
    client = await serve(web_token=TOKEN)
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    host = b"" if header.startswith(b"Host") else b"Host: 127.0.0.1\r\n"
    first = b"GET /api/tickers HTTP/1.1\r\nConnection: close\r\n"
    writer.write(first + host + header + b"\r\n\r\n")
    said = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = said.partition(b"\r\n\r\n")
    assert int(head.split()[1]) == status
    assert json.loads(body)["error"].keys() == {"field", "value", "reason", "remedy"}


async def test_what_is_no_http_leaves_no_stack_trace(
    bare: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Else anybody could fill the disk with logs."""
    for first in (b"GET /?\xc3\xa9 HTTP/1.1", b"\x16\x03\x01", b"GET"):
        reader, writer = await asyncio.open_connection("127.0.0.1", bare.port)
        writer.write(first + b"\r\nHost: a\r\n\r\n")
        assert b" 400 " in (await reader.read()).splitlines()[0]
        writer.close()
        await writer.wait_closed()
    assert [one for one in caplog.records if one.exc_info] == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded; charset=nowhere", b"token=x"),
        ("application/x-www-form-urlencoded; charset=utf-16", b"token=x"),
        ("application/x-www-form-urlencoded; charset=utf-8", b"token=\xff"),
        ("application/x-www-form-urlencoded", b"token=%FF%00"),
        ("multipart/form-data", b"token=x"),
        ("multipart/form-data; boundary=b", b"--b\r\n"),
        ("multipart/form-data; boundary=b", b"no boundary"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="token"; filename="f"\r\n\r\nx\r\n--b--',
        ),
        ("nothing", b"token=x"),
    ],
)
async def test_a_form_that_is_none_is_refused(kind: str, body: bytes, serve: Serve) -> None:
    client = await serve(web_token=TOKEN)
    answer = await client.post("/login", data=body, headers={"Content-Type": kind})
    assert answer.status in (401, 415), await answer.text()


async def test_half_a_form_leaves_no_stack_trace(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    client = await serve(web_token=TOKEN)
    server: Any = client.server.handler
    _, writer = await asyncio.open_connection("127.0.0.1", client.port)
    form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\ntok"
    writer.write(b"POST /login HTTP/1.1\r\nHost: localhost\r\n" + form)
    while server.requests_count == 0:  # noqa: ASYNC110 - aiohttp has no event for it
        await asyncio.sleep(0.01)
    writer.close()
    await writer.wait_closed()
    running = "RequestHandler.start"
    while any(running in repr(task) for task in asyncio.all_tasks()):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert [one for one in caplog.records if one.exc_info] == []


async def test_a_large_body_is_refused(serve: Serve) -> None:
    client = await serve(web_token=TOKEN)
    answer = await client.post("/login", data=io.BytesIO(b"x" * 3_000_000), headers=FORM)
    assert answer.status == 413


def test_sessions_end_and_belong_to_their_token() -> None:
    now = 1_000_000.0
    sessions = Sessions(b"one token", lambda: now)
    cookie = sessions.new()
    assert sessions.is_valid(cookie)
    assert not Sessions(b"another token", lambda: now).is_valid(cookie)
    now += LIFETIME_S + 1
    assert not sessions.is_valid(cookie)
    signature = cookie.partition(".")[2]
    for forged in ("", ".", f"{int(now) + 99}.{signature}", f"-1.{signature}", "é.é"):
        assert not sessions.is_valid(forged)


def settings(**given: Any) -> Settings:
    return read_settings(_env_file=None, **given)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])  # noqa: S104
def test_an_open_address_needs_a_token(host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"WEB_HOST is .* no WEB_TOKEN"):
        check_exposure(settings(web_host=host))
    check_exposure(settings(web_host=host, web_token=TOKEN))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_loopback_needs_none(host: str) -> None:
    check_exposure(settings(web_host=host))
    assert advertised_host(settings(web_host=host)) == host


def test_who_binds_everything_is_known_by_name() -> None:
    assert advertised_host(settings(web_host="0.0.0.0")) not in ("0.0.0.0", "")  # noqa: S104


def test_a_short_token_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigurationError, match=r"WEB_TOKEN is a value: .*at least 16") as told:
        settings(web_token="short-secret")  # noqa: S106
    assert "short-secret" not in str(told.value)
