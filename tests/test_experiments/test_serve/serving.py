"""The app as a client meets it: a real server on a free port, and requests as bytes."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from experiments.serve.server import Address, listening, server_of
from experiments.serve.site import Site


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs in a thread."""

    site: Site
    address: Address

    def ask(self, path: str, method: str = "GET", headers: dict[str, str] | None = None) -> Answer:
        """One request; ``path`` goes over the wire as it is."""
        connection = http.client.HTTPConnection(self.address.host, self.address.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=bool(headers and "Host" in headers))
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            return Answer(
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                response.read(),
            )
        finally:
            connection.close()

    def send(self, data: bytes) -> bytes:
        """Whatever the server says to ``data``, until it closes the connection."""
        with socket.create_connection((self.address.host, self.address.port), timeout=20) as raw:
            raw.sendall(data)
            found = b""
            while more := raw.recv(65_536):
                found += more
            return found


@contextmanager
def serving(runs: Path, host: str = "127.0.0.1") -> Iterator[Server]:
    """A server over ``runs`` that lives inside the block."""
    listener, address = listening(host, 0)
    site = Site(runs, names=(host,), is_local=address.is_local)
    started = threading.Event()
    server = server_of(site, started.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        assert started.wait(20)
        yield Server(site, address)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
