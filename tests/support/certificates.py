"""Certificates of an authority of our own, in the layout of DOCKER_CERT_PATH."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8
USAGES = {"client": ExtendedKeyUsageOID.CLIENT_AUTH, "server": ExtendedKeyUsageOID.SERVER_AUTH}

DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(tz=datetime.UTC)
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Authority:
    """An authority, and what it gives: a folder with ca.pem, cert.pem and key.pem each."""

    def __init__(self) -> None:
        self._ca = trustme.CA()

    def folder(
        self,
        path: Path,
        *names: str,
        not_before: datetime.datetime | None = None,
        not_after: datetime.datetime | None = None,
    ) -> Path:
        """A certificate for these names, by default those of loopback; the path again."""
        path.mkdir(parents=True)
        issued = self._ca.issue_cert(
            *(names or LOOPBACK), not_before=not_before, not_after=not_after
        )
        self._ca.cert_pem.write_to_path(path / "ca.pem")
        issued.cert_chain_pems[0].write_to_path(path / "cert.pem")
        issued.private_key_pem.write_to_path(path / "key.pem")
        return path


def client_context(folder: Path, *, own: bool = True) -> ssl.SSLContext:
    """What a client knows that has this folder; without a certificate of its `own` if asked so."""
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    if own:
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def listener_words(folder: Path) -> list[str]:
    """The options of dockerd and of our proxy for a listener with this folder's."""
    files = {"--tlscacert": "ca.pem", "--tlscert": "cert.pem", "--tlskey": "key.pem"}
    return [f"{option}={folder / name}" for option, name in files.items()]


def self_signed(
    cert: Path, key: Path, *, usage: str, not_after: datetime.datetime, rsa_bits: int | None = None
) -> None:
    """A certificate, for the "client" or the "server" side, that is its own authority."""
    private = (
        ec.generate_private_key(ec.SECP256R1())
        if rsa_bits is None
        else rsa.generate_private_key(65537, rsa_bits)
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, usage)])
    signed = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(not_after - 30 * DAY)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([USAGES[usage]]), critical=False)
        .sign(private, hashes.SHA256())
    )
    cert.write_bytes(signed.public_bytes(PEM))
    key.write_bytes(private.private_bytes(PEM, PKCS8, serialization.NoEncryption()))


def lock(key: Path, password: bytes) -> None:
    """The same key, with a password."""
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(password)
    key.write_bytes(private.private_bytes(PEM, PKCS8, locked))
