"""What TLS is spoken with: contexts from files, each of which is looked at before it is used."""

from __future__ import annotations

import ssl
import time
from pathlib import Path
from typing import NoReturn

from waitforweave.docker.certificates import FILES
from waitforweave.docker.reason import reason_of

# Which certificates an engine's client has, by the names that the docker command gives them.
CA, CERT, KEY = FILES
# OpenSSL's reasons for a key of another certificate: of the same kind, of another kind.
NOT_ITS_KEY = ("KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED")


class CertificateError(Exception):
    """A file that cannot be used, and why not."""


def listener_context(ca: Path, cert: Path, key: Path) -> ssl.SSLContext:
    """For clients that have a certificate of this authority, and for no others, as dockerd's
    --tlsverify. CertificateError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    add_own(context, cert, key, for_server=True)
    add_authority(context, ca)
    context.verify_mode = ssl.CERT_REQUIRED
    # Nobody comes back to a session: a ticket would only lie unread in a connection that is closed,
    # which resets it.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    return context


def engine_context(folder: Path, *, verify: bool) -> ssl.SSLContext:
    """For an engine on TCP, with what the docker command has in DOCKER_CERT_PATH: the authority
    that is believed if we `verify`, and a certificate of our own if it is there. CertificateError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.hostname_checks_common_name = False  # As Go.
    if verify:
        add_authority(context, folder / CA)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    cert, key = folder / CERT, folder / KEY
    if cert.exists() or key.exists():
        add_own(context, cert, key, for_server=False)
    return context


def add_authority(context: ssl.SSLContext, ca: Path) -> None:
    """Believe these authorities. CertificateError."""
    load_certificates(context, ca)
    ends = [ssl.cert_time_to_seconds(str(each["notAfter"])) for each in context.get_ca_certs()]
    if ends and max(ends) < time.time():
        raise CertificateError(f"{ca}: certificate has expired")


def add_own(context: ssl.SSLContext, cert: Path, key: Path, *, for_server: bool) -> None:
    """Be known by this certificate. CertificateError, also if nobody would believe it."""
    judge = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if for_server else ssl.PROTOCOL_TLS_SERVER)
    judge.check_hostname = False
    load_certificates(judge, cert)
    for each in (context, judge):
        load_pair(each, cert, key)
    judge.verify_mode = ssl.CERT_REQUIRED
    judge.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if for_server else ssl.PROTOCOL_TLS_CLIENT)
    own.check_hostname = False
    own.verify_mode = ssl.CERT_NONE
    load_pair(own, cert, key)
    try:
        rehearse(own, judge) if for_server else rehearse(judge, own)
    except ssl.SSLCertVerificationError as error:
        raise CertificateError(f"{cert}: {error.verify_message}") from error
    except ssl.SSLError as error:
        raise CertificateError(f"{cert}: {reason_of(error)}") from error


def rehearse(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    """A handshake in memory: who believes whom is OpenSSL's to say, before anybody comes.
    ssl.SSLError."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (client.wrap_bio(down, up), server.wrap_bio(up, down, server_side=True))
    waiting = True
    while waiting:
        waiting = False
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                waiting = True


def load_certificates(context: ssl.SSLContext, file: Path) -> None:
    readable(file)
    try:
        context.load_verify_locations(file)
    except ssl.SSLError as error:
        raise CertificateError(f"{file}: holds no certificate in PEM form") from error


def load_pair(context: ssl.SSLContext, cert: Path, key: Path) -> None:
    def locked() -> NoReturn:
        raise CertificateError(f"{key}: is locked by a password; allowed: a key without")

    readable(cert)
    readable(key)
    try:
        context.load_cert_chain(cert, key, password=locked)
    except ssl.SSLError as error:
        if error.reason in NOT_ITS_KEY:
            raise CertificateError(f"{key}: is not the key of {cert}") from error
        if error.reason == "EE_KEY_TOO_SMALL":
            raise CertificateError(f"{cert}: {reason_of(error)}") from error
        raise CertificateError(f"{key}: holds no private key in PEM form") from error


def readable(file: Path) -> None:
    """OpenSSL does not say which file it cannot read."""
    try:
        file.open("rb").close()
    except OSError as error:
        raise CertificateError(f"{file}: {error.strerror}") from error
