"""One secured Kafka and one secured MongoDB for the tests of this folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from config import Settings, read_settings
from tests.secured.certificates import KEY_PASSWORD, Certificates, make_certificates
from tests.secured.servers import PASSWORD, USER, SecuredKafka, SecuredMongo

#: The ways to prove to Kafka who one is.
WAYS = ("password", "certificate", "encrypted key")


@dataclass(frozen=True)
class Secured:
    """The servers, and what a client of theirs must be told."""

    kafka: SecuredKafka
    mongodb: SecuredMongo
    certificates: Certificates

    def kafka_settings(self, way: str) -> dict[str, Any]:
        """Return the settings of a client that proves itself in one of the :data:`WAYS`."""
        ca = {"kafka_ssl_ca_file": self.certificates.ca}
        if way == "password":
            return ca | {
                "kafka_bootstrap_servers": self.kafka.sasl_address,
                "kafka_security_protocol": "SASL_SSL",
                "kafka_sasl_mechanism": "SCRAM-SHA-512",
                "kafka_sasl_username": USER,
                "kafka_sasl_password": PASSWORD,
            }
        mutual = ca | {
            "kafka_bootstrap_servers": self.kafka.mutual_address,
            "kafka_security_protocol": "SSL",
            "kafka_ssl_cert_file": self.certificates.client_cert,
        }
        if way == "certificate":
            return mutual | {"kafka_ssl_key_file": self.certificates.client_key}
        return mutual | {
            "kafka_ssl_key_file": self.certificates.encrypted_key,
            "kafka_ssl_key_password": KEY_PASSWORD,
        }


SettingsFor = Callable[..., Settings]


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Start the servers once, and stop them."""
    certificates = make_certificates(tmp_path_factory.mktemp("certificates"))
    data_dir: Path = tmp_path_factory.mktemp("secured")
    kafka, mongodb = SecuredKafka(data_dir, certificates), SecuredMongo(data_dir, certificates)
    with kafka, mongodb:
        kafka.add_user()
        yield Secured(kafka, mongodb, certificates)
    shutil.rmtree(data_dir)


@pytest.fixture
def settings_for(secured: Secured) -> SettingsFor:
    """Make settings of a client of the secured servers, with changes."""

    def make(way: str = "password", **changes: Any) -> Settings:
        given = secured.kafka_settings(way) | {"mongodb_uri": secured.mongodb.uri}
        return read_settings(_env_file=None, **given | changes)

    return make
