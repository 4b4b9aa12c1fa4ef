"""An authorization server beside the fake MCP server: registers whoever comes, and checks PKCE."""

import base64
import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.mcp.client.fake import FakeServer, Handler, plain, say

TOKEN_SECONDS = 3600


class FakeIssuer:
    """Its tokens let into `server`. `agree` is the person who says yes; `grants` are heard."""

    def __init__(self, server: FakeServer) -> None:
        self.server = server
        self.origin = server.site.at("")
        self.metadata: dict[str, Any] = {
            "issuer": self.origin,
            "authorization_endpoint": f"{self.origin}/authorize",
            "token_endpoint": f"{self.origin}/token",
            "registration_endpoint": f"{self.origin}/register",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        self.resource: dict[str, Any] = {
            "resource": server.url, "authorization_servers": [self.origin],
            "scopes_supported": ["look"],
        }  # fmt: skip
        self.asked: dict[str, str] = {}
        self.grants: list[dict[str, str]] = []
        self.client_secret = ""  # that whoever registers gets
        self.registered: list[dict[str, Any]] = []
        self.revoked: list[dict[str, str]] = []
        self.refuses: set[str] = set()  # grant types
        self.count = 0
        server.token = "nobody has this"
        server.site.pages |= {  # type: ignore[operator]
            "/.well-known/oauth-protected-resource/mcp": lambda h: say(h, self.resource),
            "/.well-known/oauth-authorization-server": lambda h: say(h, self.metadata),
            "/register": self.register,
            "/token": self.token,
        }

    def agree(self, address: str) -> dict[str, str]:
        """What a browser brings back after the person said yes at `address`."""
        self.asked = {name: one[0] for name, one in parse_qs(urlsplit(address).query).items()}
        return {"code": "code-1", "state": self.asked["state"], "iss": self.origin}

    def register(self, handler: Handler) -> None:
        self.registered.append(json.loads(_body(handler)))
        known = {"client_id": "parley-1", **self.registered[-1]}
        if self.client_secret:
            known["client_secret"] = self.client_secret
        say(handler, known, status=201)

    def token(self, handler: Handler) -> None:
        asked = {name: one[0] for name, one in parse_qs(_body(handler).decode()).items()}
        self.grants.append(asked)
        if asked["grant_type"] in self.refuses or not self._is_right(asked):
            return plain(handler, b'{"error": "invalid_grant"}', status=400)
        self.count += 1
        self.server.token = f"access-{self.count}-Zq81nVt0LmXc72RbWqA9"
        return say(handler, {
            "access_token": self.server.token, "token_type": "bearer",
            "expires_in": TOKEN_SECONDS, "refresh_token": f"refresh-{self.count}-Hn52kPq9sZxWv38T",
        })  # fmt: skip

    def revoke(self, handler: Handler) -> None:
        asked = {name: one[0] for name, one in parse_qs(_body(handler).decode()).items()}
        scheme, _space, pair = handler.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            asked["client_id"], _colon, asked["client_secret"] = (
                base64.b64decode(pair).decode().partition(":")
            )
        self.revoked.append(asked)
        say(handler, {})

    def _is_right(self, asked: dict[str, str]) -> bool:
        if asked["grant_type"] == "refresh_token":
            return asked["refresh_token"].startswith(f"refresh-{self.count}-")  # good for once
        digest = hashlib.sha256(asked["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        return asked["code"] == "code-1" and challenge == self.asked["code_challenge"]


def _body(handler: Handler) -> bytes:
    return handler.rfile.read(int(handler.headers["Content-Length"]))
