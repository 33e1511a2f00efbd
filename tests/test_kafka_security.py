"""What is wrong with the settings of Kafka's security is said before any client is made."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import faust
import pytest
from confluent_kafka import KafkaError

from broker import client_config
from config import read_settings
from errors import ConfigurationError
from kafka_security import Trouble, client_options, faust_credentials, ssl_context
from startup import faust_options
from tests.secured.certificates import KEY_PASSWORD, Certificates, make_certificates

SECRET = "sentinel-of-a-password"  # noqa: S105 - of nobody
USER: dict[str, Any] = {"kafka_sasl_username": "me", "kafka_sasl_password": SECRET}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates and keys."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def complaint(**given: Any) -> str:
    """What both libraries' options are refused with."""
    settings = read_settings(_env_file=None, **given)
    found = set()
    for make in (client_options, client_config, faust_credentials, faust_options):
        with pytest.raises(ConfigurationError) as told:
            make(settings)
        found.add(str(told.value))
    (said,) = found
    assert SECRET not in said
    assert "\n" not in said
    return said


@pytest.mark.parametrize("protocol", ["SASL_SSL", "SASL_PLAINTEXT"])
@pytest.mark.parametrize("name", USER)
def test_a_user_without_name_or_password(protocol: str, name: str) -> None:
    said = complaint(
        kafka_security_protocol=protocol, **{k: v for k, v in USER.items() if k != name}
    )
    assert f"needs a user: set {name.upper()}" in said


@pytest.mark.parametrize("name", ["ca", "cert", "key"])
@pytest.mark.parametrize("protocol", ["SSL", "SASL_SSL"])
def test_a_file_that_is_missing(
    name: str, protocol: str, files: Certificates, tmp_path: Path
) -> None:
    given = {
        "kafka_ssl_ca_file": files.ca,
        "kafka_ssl_cert_file": files.client_cert,
        "kafka_ssl_key_file": files.client_key,
        f"kafka_ssl_{name}_file": tmp_path / "nowhere.pem",
    }
    said = complaint(kafka_security_protocol=protocol, **USER, **given)
    assert f"setting KAFKA_SSL_{name.upper()}_FILE is {str(tmp_path / 'nowhere.pem')!r}" in said
    assert "No such file" in said


def test_a_file_that_is_something_else(files: Certificates, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text("no certificate")
    said = complaint(kafka_security_protocol="SSL", kafka_ssl_ca_file=other)
    assert "KAFKA_SSL_CA_FILE" in said
    said = complaint(
        kafka_security_protocol="SSL",
        kafka_ssl_cert_file=files.client_cert,
        kafka_ssl_key_file=other,
    )
    assert "KAFKA_SSL_KEY_FILE" in said


def test_a_key_alone(files: Certificates) -> None:
    said = complaint(kafka_security_protocol="SSL", kafka_ssl_key_file=files.client_key)
    assert "set KAFKA_SSL_CERT_FILE as well" in said


@pytest.mark.parametrize("password", [None, SECRET])
def test_an_encrypted_key_without_its_password(password: str | None, files: Certificates) -> None:
    """Nobody is asked on the terminal, where a worker would wait for ever."""
    said = complaint(
        kafka_security_protocol="SSL",
        kafka_ssl_cert_file=files.client_cert,
        kafka_ssl_key_file=files.encrypted_key,
        kafka_ssl_key_password=password,
    )
    assert "KAFKA_SSL_KEY_PASSWORD" in said


def test_what_both_libraries_get(files: Certificates) -> None:
    settings = read_settings(
        _env_file=None,
        kafka_security_protocol="SASL_SSL",
        kafka_ssl_ca_file=files.ca,
        kafka_ssl_cert_file=files.client_cert,
        kafka_ssl_key_file=files.encrypted_key,
        kafka_ssl_key_password=KEY_PASSWORD,
        **USER,
    )
    assert client_options(settings) == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "me",
        "sasl.password": SECRET,
        "ssl.ca.location": str(files.ca),
        "ssl.certificate.location": str(files.client_cert),
        "ssl.key.location": str(files.encrypted_key),
        "ssl.key.password": KEY_PASSWORD,
    }
    found = faust_credentials(settings)
    assert isinstance(found, faust.SASLCredentials)
    assert (found.username, found.password) == ("me", SECRET)
    assert found.ssl_context is not None
    assert found.ssl_context.verify_mode is ssl.CERT_REQUIRED
    assert found.ssl_context.check_hostname
    assert SECRET not in repr(found)


def test_without_security_there_is_none() -> None:
    settings = read_settings(_env_file=None, kafka_ssl_ca_file="nowhere.pem")
    assert client_options(settings)["security.protocol"] == "PLAINTEXT"
    assert faust_credentials(settings) is None
    assert ssl_context(settings) is None


def test_an_error_that_is_no_refusal_is_none() -> None:
    settings = read_settings(_env_file=None, kafka_security_protocol="SSL")
    trouble = Trouble(settings)
    trouble.note(KafkaError(KafkaError._TRANSPORT, "connection refused"))
    trouble.note(KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"))
    assert trouble.refusal is None
    assert "0 of 1: connection refused" in str(trouble.explained("0 of 1", "no answer"))
    trouble.forget()
    assert "no answer" in str(trouble.explained("", "no answer"))
