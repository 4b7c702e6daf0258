"""Binance's bulk archive: zips with their checksums, put there by a test."""

import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from .server import ExchangeServer


@dataclass(slots=True)
class Archive:
    """Files by path; a path that is not there is answered with 404."""

    files: dict[str, bytes] = field(default_factory=dict)

    def add(self, path: str, lines: list[str]) -> None:
        """Put a zip of ``lines`` and its checksum at ``path``."""
        name = path.rsplit("/", 1)[-1]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name.replace(".zip", ".csv"), "\n".join(lines) + "\n")
        self.files[path] = packed.getvalue()
        digest = hashlib.sha256(packed.getvalue()).hexdigest()
        self.files[f"{path}.CHECKSUM"] = f"{digest}  {name}\n".encode()


def add_routes(app: web.Application, server: "ExchangeServer") -> None:
    """The archive lies below /archive."""

    async def get(request: web.Request) -> web.Response:
        data = server.archive.files.get(request.match_info["path"])
        if data is None:
            return web.Response(status=404, text="NoSuchKey")
        return web.Response(body=data, content_type="application/octet-stream")

    async def root(_: web.Request) -> web.Response:
        return web.Response(text="")

    app.router.add_get("/archive", root)
    app.router.add_get("/archive/{path:.+}", get)
