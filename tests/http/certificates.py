"""Certificates for servers on loopback, made with the openssl command."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate, which is its own authority."""

    path: Path
    key: Path

    @property
    def serving(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path, self.key)
        return context

    def add_to_folder(self, folder: Path) -> Path:
        """Create a folder of certificates that OpenSSL finds by the hash of their subject."""
        folder.mkdir()
        subject = _openssl("x509", "-in", str(self.path), "-noout", "-hash").strip()
        shutil.copy(self.path, folder / f"{subject}.0")
        return folder


def make_certificate(folder: Path, host: str = "localhost", days: int = 2) -> Certificate:
    """Make a certificate that expires after some days; a negative number makes an expired one."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command")
    key, request, path, names = (folder / f"{host}{ending}" for ending in (".key", ".csr", ".pem", ".ext"))
    names.write_text(f"subjectAltName=DNS:{host}\n")
    _openssl(*f"req -new -newkey rsa:2048 -nodes -subj /CN={host} -keyout".split(), str(key), "-out", str(request))
    options = ["-days", str(days), "-extfile", str(names), "-out", str(path)]
    _openssl("x509", "-req", "-in", str(request), "-signkey", str(key), *options)
    return Certificate(path, key)


def _openssl(*arguments: str) -> str:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True).stdout
