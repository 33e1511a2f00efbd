"""A worker with nothing but secured servers; and its secrets, which nobody gets to see."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import httpx
import psutil
import pytest

from config import Settings
from embedded.locate import Servers
from kafka_integration import KafkaIntegrationManager
from sinks.mongo import connect
from tests.deployment import Deployment
from tests.eventually import eventually
from tests.integration.test_tables import faust
from tests.secured.certificates import KEY_PASSWORD
from tests.secured.conftest import Secured, SettingsFor
from tests.secured.servers import PASSWORD, USER
from tests.verify import random_bars, wrong

pytestmark = [pytest.mark.integration, pytest.mark.long]

#: Every secret that there is: its setting, and a value that is found wherever it goes.
SENTINELS = {
    "kafka_sasl_password": PASSWORD,
    "kafka_ssl_key_password": KEY_PASSWORD,
    "mongodb_uri": PASSWORD,
    "web_token": "sentinel-of-the-web-token",
    "fred_api_key": "5ent1ne1ofthefredapikey0123456789",
    "reddit_client_secret": "sentinel-of-the-reddit-secret",
    "twitter_bearer_token": "sentinel-of-the-bearer-token",
    "alert_webhooks": "sentinel-of-the-webhook-s-address",
    "alert_webhook_secret": "sentinel-of-the-webhook-s-key",
}

PATHS = (
    "/",
    "/api/tickers",
    "/api/tickers/AAPL",
    "/api/tickers/AAPL/bars",
    "/api/tickers/AAPL/news",
    "/api/tickers/AAPL/posts",
    "/api/tickers/AAPL/sentiment",
    "/api/tickers/AAPL/trend",
    "/api/alerts",
    "/api/economy",
    "/api/economy/UNRATE",
    "/api/nothing",
    "/api/tickers?limit=nothing",
    "/tables/",
    "/tables/indicators/",
    "/table/",
    "/login",
    "/docs",
)


class Echo(BaseHTTPRequestHandler):
    """A provider that refuses all, and says in its answer what it was asked, keys included."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path + str(self.headers))
        answer = f"refused: {self.path} {self.headers}".encode()
        self.send_response(403)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def provider() -> Iterator[tuple[str, list[str]]]:
    """The address of such a provider, and what it was asked."""
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Echo,), {"asked": asked}))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def running(
    secured: Secured,
    provider: tuple[str, list[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """A worker that proves itself by password and certificate, and has every secret there is."""
    servers = Servers(secured.kafka.sasl_address, secured.mongodb.uri, "given", "given")
    own = {name: value for name, value in SENTINELS.items() if name != "mongodb_uri"}
    own["alert_webhooks"] = f"phone={provider[0]}/{SENTINELS['alert_webhooks']}"
    rules = tmp_path_factory.mktemp("rules") / "alerts.toml"
    rules.write_text('[[rule]]\nname = "any"\nwhen = "close > open"\nseverity = "critical"\n')
    certificate = {
        "kafka_ssl_cert_file": secured.certificates.client_cert,
        "kafka_ssl_key_file": secured.certificates.encrypted_key,
    }
    kafka = secured.kafka_settings("password")
    del kafka["kafka_bootstrap_servers"]
    deployment = Deployment(
        servers,
        tmp_path_factory.mktemp("worker"),
        **kafka | certificate | own,
        fred_base_url=provider[0],
        twitter_base_url=provider[0],
        reddit_base_url=provider[0],
        reddit_client_id="me",
        alert_rules=rules,
        alert_webhook_max_age_days=36_500,
        checkpoint_interval_s=0.1,
    )
    deployment.start_worker(TICKERS="AAPL").wait_ready()
    yield deployment
    deployment.close()


def test_every_secret_has_its_sentinel() -> None:
    secret = {
        name for name, field in Settings.model_fields.items() if "Secret" in repr(field.annotation)
    }
    assert secret == SENTINELS.keys()


def test_bars_become_documents(running: Deployment) -> None:
    """Sent with the same passwords, stored with their indicators, and readable."""
    bars = random_bars(["AAPL", "MSFT"], 60)
    running.send_bars(bars)
    running.drained()
    assert wrong(running.database, bars, running.settings.indicators) == []


def test_nobody_gets_to_see_a_secret(
    running: Deployment, provider: tuple[str, list[str]], tmp_path: Path
) -> None:
    """Not in the log, the process list, commands, answers, errors, or what is sent to Kafka."""
    worker = running.workers[0]
    asked = provider[1]
    running.send_bars(random_bars(["GOOG"], 40))
    running.drained()
    for name in ("fred_api_key", "twitter_bearer_token", "alert_webhooks"):
        eventually(partial(_was_asked, asked, SENTINELS[name]), name)
    eventually(lambda: worker.says("FRED"), "what became of it in the log")
    places = {
        "log": worker.log.read_text(errors="replace"),
        "process list": Path(f"/proc/{worker.process.pid}/cmdline").read_bytes().decode(),
    }
    commands = (
        ("doctor",), ("agents",), ("alerts", "list"), ("dead-letters", "list"),
        ("dead-letters", "show"),
    )  # fmt: skip
    for command in commands:
        done = faust(running, *command)
        places[" ".join(command)] = done.stdout + done.stderr
    # What is no secret does show: these are the places where one would.
    assert "MongoDB: ok" in places["doctor"]
    assert USER in places["doctor"]
    assert provider[0] in places["log"] + places["doctor"]
    with KafkaIntegrationManager(running.settings) as manager:
        places["status"] = repr(manager.status()) + repr(manager.describe_topics())
    places["settings"] = repr(running.settings) + running.settings.model_dump_json()
    base = f"http://127.0.0.1:{worker.port}"
    right = {"Authorization": f"Bearer {SENTINELS['web_token']}"}
    for path in PATHS:
        answer = httpx.get(base + path, headers=right)
        places[path] = answer.text + str(answer.headers)
        places[f"{path} without the token"] = httpx.get(base + path).text
    assert httpx.get(f"{base}/api/tickers", headers=right).json()["tickers"]
    places["files"] = _text_of(running.directory)
    for place, text in places.items():
        for name, secret in SENTINELS.items():
            for form in {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)}:
                assert form not in text, f"{name} shows in: {place}"


def test_workers_of_the_scripts(settings_for: SettingsFor, tmp_path: Path) -> None:
    """They get the secrets by their environment alone, and do their work with them."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    secrets = {one: value for one, value in SENTINELS.items() if not one.startswith(("k", "m"))}
    secrets["alert_webhooks"] = f"phone=http://127.0.0.1:1/{SENTINELS['alert_webhooks']}"
    settings = settings_for(
        "encrypted key", app_id=name, mongodb_database=name, data_dir=tmp_path, **secrets
    )
    with KafkaIntegrationManager(settings) as manager:
        manager.start_pipeline(["AAPL"], source="simulated", speed=20)
        eventually(lambda: manager.status().data["prices"].stored, "a bar that is stored")
        (worker,) = manager.workers()
        assert worker.pid is not None
        shown = psutil.Process(worker.pid).cmdline()
        said = worker.log_file.read_text(errors="replace") + repr(manager.status())
        manager.stop_pipeline()
    for secret in SENTINELS.values():
        assert not any(secret in word for word in shown)
        assert secret not in said
    with connect(settings) as client:
        client.drop_database(name)


def _was_asked(asked: list[str], secret: str) -> bool:
    return any(secret in one for one in asked)


def _text_of(folder: Path) -> str:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return "\n".join(path.read_text(errors="replace") for path in files)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("KAFKA_SASL_PASSWORD", "sentinel-of-a-mistake", "KAFKA_SASL_PASSWORD"),
        ("KAFKA_SSL_CA_FILE", "/nowhere/ca.pem", "KAFKA_SSL_CA_FILE"),
        ("MONGODB_URI", "", "MONGODB_URI"),
    ],
)
def test_a_worker_that_may_not_ends_with_one_line(
    variable: str, value: str, said: str, running: Deployment, secured: Secured
) -> None:
    changed = value or secured.mongodb.uri_of("sentinel-of-a-mistake")
    given = {variable: changed, "APP_ID": f"test-{uuid.uuid4().hex[:8]}"}
    worker = running.start_worker("app", None, **given)
    assert worker.process.wait(60) != 0
    lines = worker.log.read_text(errors="replace").splitlines()
    (line,) = [one for one in lines if "error: " in one]
    assert said in line
    assert not any("Traceback" in one for one in lines)
    assert not any("sentinel" in one for one in lines)
    assert not any(PASSWORD in one for one in lines)
