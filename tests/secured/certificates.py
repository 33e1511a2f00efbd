"""Certificates made for one run of the tests: an authority, those it signed, and a foreign one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

#: Of the client's second key, which is the first one, encrypted.
KEY_PASSWORD = "key-password-of-nobody"  # noqa: S105


@dataclass(frozen=True)
class Certificates:
    """Where the PEM files are.

    Attributes:
        ca: the authority that signed the servers' and the clients' certificates.
        foreign_ca: another one, that signed nothing.
        server: key and certificates of 127.0.0.1, in one file.
        client_cert: the client's certificate.
        client_key: its key.
        encrypted_key: the same key, under :data:`KEY_PASSWORD`.
    """

    ca: Path
    foreign_ca: Path
    server: Path
    client_cert: Path
    client_key: Path
    encrypted_key: Path


def make_certificates(folder: Path) -> Certificates:
    """Make all of them, in a folder that exists."""
    authority = trustme.CA()
    found = Certificates(
        *(
            folder / name
            for name in (
                "ca.pem",
                "foreign-ca.pem",
                "server.pem",
                "client.pem",
                "client-key.pem",
                "encrypted-key.pem",
            )
        )
    )
    authority.cert_pem.write_to_path(found.ca)
    trustme.CA().cert_pem.write_to_path(found.foreign_ca)
    server = authority.issue_cert("127.0.0.1", "localhost")
    client = authority.issue_cert("worker@financial-trends.example")
    chain = b"".join(blob.bytes() for blob in server.cert_chain_pems)
    found.server.write_bytes(_key(server, NoEncryption()) + chain)
    found.client_cert.write_bytes(b"".join(blob.bytes() for blob in client.cert_chain_pems))
    found.client_key.write_bytes(_key(client, NoEncryption()))
    locked = BestAvailableEncryption(KEY_PASSWORD.encode())
    found.encrypted_key.write_bytes(_key(client, locked))
    for path in (found.server, found.client_key, found.encrypted_key):
        path.chmod(0o600)
    return found


def _key(leaf: trustme.LeafCert, encryption: KeySerializationEncryption) -> bytes:
    """Return a key in PKCS 8, the only form that Kafka reads."""
    key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
