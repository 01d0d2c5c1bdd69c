"""What the setting up of a Ghost site asks its Admin API for; written from Ghost's own source, not from our connector."""

import base64
import hashlib
import hmac
import http.cookiejar
import json
import time
import urllib.error
import urllib.request

from parvis_local.processes import StartError


class Admin:
    """Calls as the owner, by a session; or as an integration, with its key."""

    def __init__(self, url, key=""):
        self._url, self._key = url, key
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def __call__(self, method, path, body=None):
        headers = {"Content-Type": "application/json", "Origin": self._url, "Accept-Version": "v6.0"}
        if self._key:
            headers["Authorization"] = f"Ghost {token(self._key)}"
        request = urllib.request.Request(f"{self._url}/ghost/api/admin{path}", method=method, headers=headers,
                                         data=json.dumps(body).encode() if body is not None else None)
        try:
            with self._opener.open(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refused:
            raise StartError(f"Ghost refused {method} {path}: {refused.code} {refused.read()[:300].decode(errors='replace')}") from refused
        return json.loads(text) if text[:1] in (b"{", b"[") else {}


def token(key):
    """JWT of an Admin key, "id:secret": HS256 with the bytes that the secret names, for five minutes."""
    name, secret = key.split(":")
    now = int(time.time()) - 10
    parts = [{"alg": "HS256", "typ": "JWT", "kid": name}, {"iat": now, "exp": now + 300, "aud": "/admin/"}]
    signed = b".".join(_encoded(json.dumps(part).encode()) for part in parts)
    return (signed + b"." + _encoded(hmac.new(bytes.fromhex(secret), signed, hashlib.sha256).digest())).decode()


def _encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")
