"""Files for TLS that cannot be used: each is named, with what is wrong with it."""

from __future__ import annotations

import shutil

import pytest

from tests.support.certificates import DAY, NOW, Authority, lock, self_signed
from waitforweave.proxy.certificates import CertificateError, engine_context, listener_context

OURS = Authority()


@pytest.fixture
def folder(tmp_path):
    return OURS.folder(tmp_path / "ours")


def listened(folder) -> str:
    """What is wrong with these for a listener."""
    with pytest.raises(CertificateError) as raised:
        listener_context(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    return str(raised.value)


def asked(folder, *, verify: bool = True) -> str:
    """What is wrong with these for a client of an engine."""
    with pytest.raises(CertificateError) as raised:
        engine_context(folder, verify=verify)
    return str(raised.value)


@pytest.mark.parametrize("said_of", [listened, asked])
@pytest.mark.parametrize("name", ["ca.pem", "cert.pem", "key.pem"])
def test_a_file_that_is_missing(folder, name, said_of):
    (folder / name).unlink()
    assert said_of(folder) == f"{folder / name}: No such file or directory"


@pytest.mark.parametrize("said_of", [listened, asked])
@pytest.mark.parametrize(
    ("name", "kind"),
    [("ca.pem", "certificate"), ("cert.pem", "certificate"), ("key.pem", "private key")],
)
@pytest.mark.parametrize("content", ["", "nonsense\n", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_file_that_holds_something_else(folder, name, kind, content, said_of):
    (folder / name).write_text(content)
    assert said_of(folder) == f"{folder / name}: holds no {kind} in PEM form"


@pytest.mark.parametrize("said_of", [listened, asked])
def test_a_key_of_another_certificate(folder, tmp_path, said_of):
    shutil.copy(OURS.folder(tmp_path / "other") / "key.pem", folder / "key.pem")
    said = f"{folder}/key.pem: is not the key of {folder}/cert.pem"
    assert said_of(folder) == said


@pytest.mark.parametrize(("usage", "said_of"), [("server", listened), ("client", asked)])
def test_keys_of_another_kind_and_that_are_too_small(folder, usage, said_of):
    cert, key = folder / "cert.pem", folder / "key.pem"
    small = {"usage": usage, "not_after": NOW + DAY, "rsa_bits": 1024}
    self_signed(folder / "unused", key, **small)
    assert said_of(folder) == f"{key}: is not the key of {cert}"
    self_signed(cert, key, **small)
    assert said_of(folder) == f"{cert}: ee key too small"


@pytest.mark.parametrize("said_of", [listened, asked])
def test_a_key_with_a_password_is_not_asked_for_one(folder, said_of):
    key = folder / "key.pem"
    lock(key, b"secret")
    assert said_of(folder) == f"{key}: is locked by a password; allowed: a key without"


@pytest.mark.parametrize("said_of", [listened, asked])
@pytest.mark.parametrize(
    ("days", "said"),
    [((-2, -1), "certificate has expired"), ((1, 2), "certificate is not yet valid")],
)
def test_a_certificate_whose_time_is_not_now(tmp_path, days, said, said_of):
    begin, end = (NOW + day * DAY for day in days)
    folder = OURS.folder(tmp_path / "then", not_before=begin, not_after=end)
    assert said_of(folder) == f"{folder}/cert.pem: {said}"


@pytest.mark.parametrize("said_of", [listened, asked])
def test_an_authority_whose_time_is_over(folder, said_of):
    self_signed(folder / "ca.pem", folder / "unused", usage="server", not_after=NOW - DAY)
    assert said_of(folder) == f"{folder}/ca.pem: certificate has expired"


@pytest.mark.parametrize(("usage", "said_of"), [("client", listened), ("server", asked)])
def test_a_certificate_that_is_for_the_other_side(folder, usage, said_of):
    """Docker's own guide makes one with extendedKeyUsage = clientAuth for its clients."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    self_signed(cert, key, usage=usage, not_after=NOW + DAY)
    assert said_of(folder) == f"{cert}: unsuitable certificate purpose"


def test_an_engine_that_is_not_verified_needs_no_authority(folder):
    (folder / "ca.pem").unlink()
    engine_context(folder, verify=False)


def test_an_engine_may_not_want_a_certificate_of_ours(folder):
    (folder / "cert.pem").unlink()
    (folder / "key.pem").unlink()
    engine_context(folder, verify=True)
