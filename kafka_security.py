"""How every client proves to Kafka who it is, and what is wrong where Kafka does not believe it.

One set of settings (``KAFKA_SECURITY_PROTOCOL``, ``KAFKA_SASL_*``, ``KAFKA_SSL_*``) for two
libraries: librdkafka (producers, consumers, commands) and aiokafka (Faust's workers). Files are
read here once before either is given them, so that a bad one is named by its setting.
"""

from __future__ import annotations

import ssl
import time
from pathlib import Path
from typing import Any

import faust
from confluent_kafka import KafkaError, KafkaException

from config import Settings
from errors import BrokerRefused, BrokerUnavailable, ConfigurationError

#: First wait for an answer, in seconds; each further one is twice as long.
_FIRST_WAIT_S = 0.25

#: Parts of what librdkafka says, and which settings to look at.
_REMEDIES = (
    ("certificate verify failed", "check KAFKA_SSL_CA_FILE"),
    ("alert certificate required", "it asks for KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE"),
    ("alert bad certificate", "check KAFKA_SSL_CERT_FILE"),
    ("alert unknown ca", "check KAFKA_SSL_CERT_FILE: the broker does not know who signed it"),
)
_ANY_REMEDY = {
    KafkaError._AUTHENTICATION: (
        "check KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and KAFKA_SASL_MECHANISM"
    ),
    KafkaError._SSL: "check KAFKA_SECURITY_PROTOCOL and the KAFKA_SSL_* settings",
}


def client_options(settings: Settings) -> dict[str, Any]:
    """Return librdkafka's settings of security.

    Raises:
        ConfigurationError: a setting is missing, or a file cannot be used.
    """
    _check_user(settings)
    ssl_context(settings)
    options: dict[str, Any] = {"security.protocol": settings.kafka_security_protocol}
    if settings.kafka_security_protocol.startswith("SASL"):
        options["sasl.mechanism"] = settings.kafka_sasl_mechanism
        options["sasl.username"] = settings.kafka_sasl_username
        options["sasl.password"] = _password(settings)
    if settings.kafka_ssl_key_password is not None:
        options["ssl.key.password"] = settings.kafka_ssl_key_password.get_secret_value()
    for option, path in (
        ("ssl.ca.location", settings.kafka_ssl_ca_file),
        ("ssl.certificate.location", settings.kafka_ssl_cert_file),
        ("ssl.key.location", settings.kafka_ssl_key_file),
    ):
        if path is not None:
            options[option] = str(path)
    return options


def faust_credentials(settings: Settings) -> faust.SASLCredentials | faust.SSLCredentials | None:
    """Return the same for Faust, None without any security.

    Raises:
        ConfigurationError: a setting is missing, or a file cannot be used.
    """
    _check_user(settings)
    context = ssl_context(settings)
    if settings.kafka_security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=settings.kafka_sasl_username,
            password=_password(settings),
            ssl_context=context,
            mechanism=settings.kafka_sasl_mechanism,
        )
    return None if context is None else faust.SSLCredentials(context)


def ssl_context(settings: Settings) -> ssl.SSLContext | None:
    """Return what TLS connections are made with, None for a protocol without TLS.

    Raises:
        ConfigurationError: a file is missing, or is not what it should be; names the setting.
    """
    if not settings.kafka_security_protocol.endswith("SSL"):
        return None
    authority, certificate = settings.kafka_ssl_ca_file, settings.kafka_ssl_cert_file
    key, key_password = settings.kafka_ssl_key_file, settings.kafka_ssl_key_password
    for name, path in (("CA", authority), ("CERT", certificate), ("KEY", key)):
        if path is not None:
            _check_readable(f"KAFKA_SSL_{name}_FILE", path)
    try:
        context = ssl.create_default_context(cafile=authority)
    except ssl.SSLError as error:
        raise ConfigurationError(
            f"setting KAFKA_SSL_CA_FILE is {str(authority)!r}, which holds no certificate of an "
            f"authority in PEM form ({error.reason})"
        ) from None
    if certificate is None:
        if key is not None:
            raise ConfigurationError(
                "setting KAFKA_SSL_KEY_FILE is of no use alone: set KAFKA_SSL_CERT_FILE as well"
            )
        return context
    # Without a password OpenSSL would ask on the terminal, and wait.
    password = "" if key_password is None else key_password.get_secret_value()
    try:
        context.load_cert_chain(certificate, key, password)
    except ssl.SSLError as error:
        raise ConfigurationError(
            f"settings KAFKA_SSL_CERT_FILE is {str(certificate)!r} and KAFKA_SSL_KEY_FILE is "
            f"{str(key or certificate)!r}, which are no certificate and its key in PEM form "
            f"({error.reason}); an encrypted key needs KAFKA_SSL_KEY_PASSWORD"
        ) from None
    return context


class Trouble:
    """What a librdkafka client complained of last; give :meth:`note` as its ``error_cb``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._last: KafkaError | None = None

    def note(self, error: KafkaError) -> None:
        """Remember an error, unless it is the one that only follows from others."""
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._last = error

    def forget(self) -> None:
        """Begin anew: what was wrong before is of no more interest."""
        self._last = None

    @property
    def refusal(self) -> BrokerRefused | None:
        """The error to raise if the broker does not take this client, None if it is no such."""
        return None if self._last is None else refusal(self._settings, self._last)

    def explained(self, detail: str, reason: str) -> BrokerUnavailable:
        """Return the error to raise.

        Args:
            detail: what did not succeed; may be empty.
            reason: why, where the client has not complained of anything.
        """
        refused = self.refusal
        if refused is not None:
            return refused
        said = reason if self._last is None else self._last.str()
        if self._last is None and self._settings.kafka_security_protocol == "PLAINTEXT":
            said += "; is KAFKA_SECURITY_PROTOCOL=PLAINTEXT what it expects?"
        return BrokerUnavailable(
            self._settings.kafka_bootstrap_servers, f"{detail}: {said}" if detail else said
        )


def refusal(settings: Settings, error: KafkaError) -> BrokerRefused | None:
    """Return the error to raise if the broker does not take this client, None if it is no such."""
    text = error.str()
    remedy = next((what for part, what in _REMEDIES if part in text), None)
    remedy = _ANY_REMEDY.get(error.code()) if remedy is None else remedy
    if remedy is None:
        return None
    return BrokerRefused(settings.kafka_bootstrap_servers, text, remedy)


def metadata(client: Any, trouble: Trouble, timeout_s: float) -> Any:
    """Return the cluster's metadata (``list_topics``) as soon as a broker gives it.

    Args:
        client: any librdkafka client whose ``error_cb`` is ``trouble.note``.
        trouble: what it complains of.
        timeout_s: longest wait, in seconds.

    Raises:
        BrokerRefused: the broker does not take this client. At once: librdkafka would try again
            and again.
        KafkaException: no answer in time.
    """
    deadline = time.monotonic() + timeout_s
    wait_s = _FIRST_WAIT_S
    while True:
        remaining_s = max(0.1, deadline - time.monotonic())
        try:
            return client.list_topics(timeout=min(wait_s, remaining_s))
        except KafkaException:
            client.poll(0)
            refused = trouble.refusal
            if refused is not None:
                raise refused from None
            if time.monotonic() >= deadline:
                raise
        wait_s *= 2


def _check_user(settings: Settings) -> None:
    if not settings.kafka_security_protocol.startswith("SASL"):
        return
    for name, value in (
        ("KAFKA_SASL_USERNAME", settings.kafka_sasl_username),
        ("KAFKA_SASL_PASSWORD", settings.kafka_sasl_password),
    ):
        if value is None:
            raise ConfigurationError(
                f"setting KAFKA_SECURITY_PROTOCOL is {settings.kafka_security_protocol!r}, which "
                f"needs a user: set {name}"
            )


def _check_readable(name: str, path: Path) -> None:
    try:
        with path.open("rb"):
            return
    except OSError as error:
        raise ConfigurationError(
            f"setting {name} is {str(path)!r}, which cannot be read ({error.strerror}): give the "
            "path of a PEM file"
        ) from None


def _password(settings: Settings) -> str:
    password = settings.kafka_sasl_password
    return "" if password is None else password.get_secret_value()
