# SPDX-License-Identifier: MIT
"""What no log may show: the secret of a mesh, what follows from it, and private keys."""

import base64
import re

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from lib.peer import Mesh, b64, bare_secret

KEY = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=|(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])")


def _decode(text):
    return bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text)


def _public_key(private_key):
    public = X25519PrivateKey.from_private_bytes(private_key).public_key()
    return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def private_keys(text):
    """Keys in a text whose public keys are in it too, as those of nodes always are."""
    keys = {_decode(found) for found in KEY.findall(text)}
    return {key for key in keys if _public_key(key) in keys}


def leaks(text, secrets):
    """What a text gives away: a list of what, and never the thing itself."""
    found = [f"a private key, of {b64(_public_key(key))}" for key in private_keys(text)]
    for secret in secrets:
        mesh = Mesh(secret)
        forms = {"a secret": bare_secret(secret)}
        for name, key in (("the key of datagrams", mesh.gossip_key), ("the preshared key", mesh.psk)):
            forms[f"{name} in base64"] = b64(key)
            forms[f"{name} in hexadecimal"] = key.hex()
        found += [name for name, form in forms.items() if form in text]
    return found
