"""The local signing key: ES256, made on first use, with its public JWKS beside it (RFC 7517, RFC 7638)."""

import base64
import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.errors import Unavailable

ALGORITHM = "ES256"


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """A private key and the id under which its public half is published."""

    kid: str
    private: ec.EllipticCurvePrivateKey

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half as a JWK."""
        return {**_coordinates(self.private.public_key()), "kid": self.kid, "use": "sig", "alg": ALGORITHM}


def new_key() -> SigningKey:
    """A fresh key that is stored nowhere."""
    return _named(ec.generate_private_key(ec.SECP256R1()))


def jwks_path(data_dir: Path) -> Path:
    """Where the public keys of ``data_dir`` are."""
    return data_dir / "keys" / "jwks.json"


def local_key(data_dir: Path) -> SigningKey:
    """The signing key of ``data_dir``; made when there is none.

    Several processes may ask at once: the first link wins and all get the same key. Raises ``Unavailable``
    when the file there is no key of ours, ``OSError`` when the folder cannot be written.
    """
    folder = data_dir / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "signing.pem"
    if not path.exists():
        _create_once(path, _pem(new_key()))
    key = _named(_read(path))
    published = json.dumps({"keys": [key.jwk]}, indent=1).encode()
    jwks = jwks_path(data_dir)
    if not jwks.exists() or jwks.read_bytes() != published:
        _replace(jwks, published)
    return key


def _read(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise Unavailable("The local signing key cannot be read; remove keys/signing.pem to have a new one.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Unavailable("The local signing key is not a P-256 key; remove keys/signing.pem to have a new one.")
    return key


def _named(private: ec.EllipticCurvePrivateKey) -> SigningKey:
    """The key with its RFC 7638 thumbprint as id."""
    thumbed = json.dumps(_coordinates(private.public_key()), sort_keys=True, separators=(",", ":"))
    return SigningKey(_base64url(hashlib.sha256(thumbed.encode()).digest()), private)


def _coordinates(public: ec.EllipticCurvePublicKey) -> dict[str, str]:
    point = public.public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": _base64url(point.x.to_bytes(32, "big")),
        "y": _base64url(point.y.to_bytes(32, "big")),
    }


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _pem(key: SigningKey) -> bytes:
    return key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _written(folder: Path, content: bytes) -> str:
    """A complete new file (mode 0600) in ``folder``."""
    handle, name = tempfile.mkstemp(dir=folder, prefix=".new-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return name


def _create_once(path: Path, content: bytes) -> None:
    """``path`` with ``content`` unless it exists by now: a link, unlike a rename, never replaces."""
    name = _written(path.parent, content)
    try:
        os.link(name, path)
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()


def _replace(path: Path, content: bytes) -> None:
    name = _written(path.parent, content)
    Path(name).chmod(0o644)
    Path(name).replace(path)
