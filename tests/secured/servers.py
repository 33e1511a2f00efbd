"""The embedded servers, with passwords and certificates asked of every client."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from embedded import ports
from embedded.kafka import EmbeddedKafka
from embedded.mongo import REPLICA_SET, EmbeddedMongo
from tests.secured.certificates import Certificates
from topics import ALL_TOPICS

USER = "trends"
#: Of the user at MongoDB: to read and write; and for tests to drop what they made.
_ROLES = ("readWriteAnyDatabase", "dbAdminAnyDatabase")
#: What the broker calls whoever shows a client certificate.
CERTIFIED = "certified"
#: What docs/operations.md says that the program needs: resource, name or prefix, operation.
RIGHTS: tuple[tuple[ResourceType, str, AclOperation], ...] = (
    *(
        (ResourceType.TOPIC, name, AclOperation.ALL)
        for name in (*(spec.name for spec in ALL_TOPICS), "test-")
    ),
    (ResourceType.GROUP, "test-", AclOperation.READ),
    (ResourceType.BROKER, "kafka-cluster", AclOperation.CREATE),
    (ResourceType.BROKER, "kafka-cluster", AclOperation.DESCRIBE),
)
#: With characters that mean something in an address, in JSON and in a shell.
PASSWORD = "S3ntinel:/?#[]@%&\"'$ pw"  # noqa: S105 - of nobody


class SecuredKafka(EmbeddedKafka):
    """A broker with a listener for SASL over TLS, and one for client certificates.

    Its plain listener is for itself, and for making the user.
    """

    def __init__(self, data_dir: Path, certificates: Certificates) -> None:
        super().__init__(data_dir, avoid_usual_port=True)
        self._certificates = certificates

    @property
    def sasl_address(self) -> str:
        """Where a user name and a password are asked for, over TLS."""
        return f"{ports.HOST}:{self._ports()['sasl']}"

    @property
    def mutual_address(self) -> str:
        """Where a client certificate is asked for."""
        return f"{ports.HOST}:{self._ports()['mutual']}"

    def add_user(self) -> None:
        """Make the user, and give the rights to it and to the client certificate."""
        secret = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        wish = UserScramCredentialUpsertion(USER, secret, PASSWORD.encode())
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers})
        rights = [
            AclBinding(
                kind,
                name,
                # Groups and changelogs of tests begin so.
                ResourcePatternType.PREFIXED if name == "test-" else ResourcePatternType.LITERAL,
                f"User:{who}",
                "*",
                operation,
                AclPermissionType.ALLOW,
            )
            for who in (USER, CERTIFIED)
            for kind, name, operation in RIGHTS
        ]
        for done in (
            *admin.alter_user_scram_credentials([wish]).values(),
            *admin.create_acls(rights).values(),
        ):
            done.result(30)

    def _extra_ports(self) -> list[str]:
        return [*super()._extra_ports(), "sasl", "mutual"]

    def _properties(self) -> dict[str, str]:
        plain = super()._properties()
        more = {"SASL": self.sasl_address, "MUTUAL": self.mutual_address}
        listeners = "".join(f",{name}://{address}" for name, address in more.items())
        protocols = plain["listener.security.protocol.map"] + ",SASL:SASL_SSL,MUTUAL:SSL"
        return plain | {
            "listeners": plain["listeners"] + listeners,
            "advertised.listeners": plain["advertised.listeners"] + listeners,
            "listener.security.protocol.map": protocols,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._certificates.server),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self._certificates.ca),
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.mutual.ssl.principal.mapping.rules": f"RULE:^.*$/{CERTIFIED}/",
            # What nobody was given a right to is forbidden, but for the plain listener.
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "listener.name.sasl.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.sasl.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
        }


class SecuredMongo(EmbeddedMongo):
    """A mongod that asks for TLS, and for a user name and a password."""

    def __init__(self, data_dir: Path, certificates: Certificates) -> None:
        super().__init__(data_dir, avoid_usual_port=True)
        self._certificates = certificates

    @property
    def uri(self) -> str:
        """The connection string for clients, password included."""
        return self.uri_of()

    @property
    def direct_uri(self) -> str:
        """Connects to this mongod itself."""
        return self.uri.replace(f"replicaSet={REPLICA_SET}", "directConnection=true")

    @property
    def uri_without_user(self) -> str:
        """The connection string of somebody who does not say who it is."""
        return f"mongodb://{self.uri.rpartition('@')[2]}"

    def uri_of(self, password: str = PASSWORD, ca: Path | None = None) -> str:
        """Return a connection string with another password, or another authority."""
        who = f"{USER}:{quote(password, safe='')}"
        file = quote(str(self._certificates.ca if ca is None else ca))
        options = f"authSource=admin&replicaSet={REPLICA_SET}&tls=true&tlsCAFile={file}"
        return f"mongodb://{who}@{ports.HOST}:{self.port}/?{options}"

    def _ready(self) -> bool:
        if not ports.accepts(self.port):
            return False
        if not self.answers():
            self._found()
            return False
        self._complete.touch()
        return True

    def _found(self) -> None:
        """Make the set and its first user, whom the server lets in from this machine alone."""
        options: dict[str, Any] = {
            "tls": True,
            "tlsCAFile": str(self._certificates.ca),
            "directConnection": True,
            "serverSelectionTimeoutMS": 2_000,
        }
        member = {"_id": 0, "host": f"{ports.HOST}:{self.port}"}
        try:
            with MongoClient[dict[str, Any]](ports.HOST, self.port, **options) as client:
                hello = client.admin.command("hello")
                if not hello.get("setName"):
                    wish = {"_id": REPLICA_SET, "members": [member]}
                    client.admin.command("replSetInitiate", wish)
                elif hello.get("isWritablePrimary"):
                    client.admin.command("createUser", USER, pwd=PASSWORD, roles=list(_ROLES))
        except PyMongoError:
            return  # asked again until it answers

    def _command(self) -> list[str]:
        command = super()._command()
        key = self.home / "replica-set.key"
        key.write_text(secrets.token_hex(32), encoding="ascii")
        key.chmod(0o600)
        certificates = self._certificates
        return [
            *command,
            *("--auth", "--keyFile", str(key), "--tlsMode", "requireTLS"),
            *("--tlsCertificateKeyFile", str(certificates.server)),
            *("--tlsCAFile", str(certificates.ca), "--tlsAllowConnectionsWithoutCertificates"),
        ]
