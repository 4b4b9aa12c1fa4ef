"""Requests to `/mcp` by hand: whatever a client should not send."""

import json
import urllib.error
import urllib.request

ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
LEGACY = {"MCP-Protocol-Version": "2025-11-25"}
MODERN = "2026-07-28"
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}


def modern(method, **params):
    """Headers and body of a request of the newer revision, which says everything twice."""
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
    if "name" in params:
        headers["Mcp-Name"] = params["name"]
    meta = ENVELOPE | params.pop("_meta", {})
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    return headers, body


def legacy(method, **params):
    return LEGACY, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def send(port, body=None, *, key="", method="POST", path="mcp", **headers):
    """Status, headers and body, as it came."""
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    sent = ACCEPT | ({"Authorization": f"Bearer {key}"} if key else {})
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"http://127.0.0.1:{port}/{path}"
    request = urllib.request.Request(url, data, sent, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def open_stream(port, headers, body, key):
    """A response whose events have begun; close it to go away."""
    sent = {**ACCEPT, **headers, "Authorization": f"Bearer {key}"}
    url = f"http://127.0.0.1:{port}/mcp"
    request = urllib.request.Request(url, json.dumps(body).encode(), sent, method="POST")
    response = urllib.request.urlopen(request, timeout=60)
    while not response.readline().startswith(b"data:"):
        pass
    return response
