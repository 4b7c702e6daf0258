"""What stands before every answer: who may ask, for which addresses, and what a browser may do with it."""

import ipaddress
import re
from collections.abc import Collection
from typing import Final
from urllib.parse import unquote

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the app's own pages."""
REPORT_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline' blob:; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""That of reports, which hold their scripts and may fetch nothing."""
HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
METHODS: Final = ("GET", "HEAD")
LOCAL_NAMES: Final = ("localhost",)
_ENCODED: Final = re.compile(rb"%(2f|5c|00)", re.IGNORECASE)
_HOST: Final = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:(?P<port>[0-9]{1,5}))?")


class Guard:
    """Passes on what may be answered, and sets the headers of security on all answers.

    Refused are methods that change something (405), a ``Host`` that is neither the own address nor an
    address in numbers where ``is_local`` is False (421: a name of somebody else's that leads here is how
    other pages read local ones), requests of other sites' pages that are no navigation (403), and paths
    with dots, backslashes, encoded slashes or control characters (404).
    """

    def __init__(self, app: ASGIApp, *, names: Collection[str] = (), is_local: bool = True) -> None:
        self.app = app
        self.names = {name.lower().strip("[]") for name in (*LOCAL_NAMES, *names)}
        self.is_local = is_local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("content-security-policy", OWN_POLICY)
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            await self.app(scope, receive, send_guarded)
            return
        status, words = refusal
        body = f"{words}\n".encode()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
        ]
        if status == 405:
            headers.append((b"allow", ", ".join(METHODS).encode()))
        await send_guarded({"type": "http.response.start", "status": status, "headers": headers})
        await send_guarded(
            {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body}
        )

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        if scope["method"] not in METHODS:
            return 405, "This server only reads: GET and HEAD are answered."
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_own(hosts[0]):
            return 421, "This server is asked by its own address only."
        site, mode = headers.get("sec-fetch-site", "none"), headers.get("sec-fetch-mode", "")
        if site in ("cross-site", "same-site") and mode != "navigate":
            return 403, "Pages of other sites may not read from this server."
        if not _is_plain(scope):
            return 404, "There is no such page."
        return None

    def _is_own(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = found["name"].lower().strip("[]")
        if name in self.names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self.is_local


def _is_plain(scope: Scope) -> bool:
    """Whether a path has neither dots, backslashes, encoded slashes nor control characters in it."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    # Encoded twice, it would be decoded once more by somebody careless.
    paths = [scope["path"], unquote(scope["path"]), unquote(unquote(scope["path"]))]
    return _ENCODED.search(raw) is None and all(
        path.startswith("/")
        and "\\" not in path
        and path.isprintable()
        and not any(part in (".", "..") for part in path.split("/"))
        for path in paths
    )
