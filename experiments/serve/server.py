"""The server that shows a folder of runs in a browser until it is told to stop."""

import asyncio
import contextlib
import errno
import ipaddress
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final

import uvicorn

from engine import ConfigError, DataError

from .site import Site

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8765
PORTS_TRIED: Final = 20
LARGEST_REQUEST_BYTES: Final = 16_384
MOST_CONNECTIONS: Final = 100
STOP_SECONDS: Final = 2


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens; ``is_local`` where only this machine can reach it."""

    host: str
    port: int
    is_local: bool

    @property
    def url(self) -> str:
        """The address of the list; of all interfaces, that of this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listening(host: str, port: int | None) -> tuple[socket.socket, Address]:
    """A socket that listens on ``port``; without one, on the first free one from ``DEFAULT_PORT`` on.

    Port 0 is any free one. Raises ConfigError for a port that is taken or an address that is none of this
    machine.
    """
    if port is not None and not 0 <= port <= 65_535:
        raise ConfigError(f"--port {port}: must be 0 (any free one) to 65535")
    ports = [port] if port is not None else list(range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED))
    for number in ports:
        try:
            family, kind, protocol, _, place = socket.getaddrinfo(
                host, number, type=socket.SOCK_STREAM
            )[0]
        except OSError as error:
            raise ConfigError(f"--host {host}: is no address ({error.strerror})") from None
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen(MOST_CONNECTIONS)
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE and number != ports[-1]:
                continue
            taken = (
                f"{host}, port {number}"
                if len(ports) == 1
                else f"{host}, ports {ports[0]} to {number}"
            )
            raise ConfigError(
                f"{taken}: cannot be listened on ({error.strerror}); choose another with --port or --host"
            ) from None
        return listener, Address(host, int(listener.getsockname()[1]), is_loopback(host))
    raise AssertionError(ports)


class _Server(uvicorn.Server):
    """A server whose signals end it without being raised again: being stopped is how it ends."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tell()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.force_exit = self.should_exit
            self.should_exit = True

        before: dict[int, Any] = {
            number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def server_of(site: Site, started: Callable[[], None] = lambda: None) -> uvicorn.Server:
    """A server of ``site`` that has not begun; ``started`` is called when it listens."""
    config = uvicorn.Config(
        site.asgi,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=STOP_SECONDS,
        h11_max_incomplete_event_size=LARGEST_REQUEST_BYTES,
    )
    return _Server(config, started)


def check_runs(runs: Path) -> None:
    """DataError unless ``runs`` is a folder."""
    if not runs.exists():
        raise DataError(
            f"{runs}: there is no such folder; name that of the runs with --runs (`ninefold run` makes one)"
        )
    if not runs.is_dir():
        raise DataError(f"{runs}: is a file; name the folder of the runs with --runs")


def serve(
    runs: Path | str = "runs",
    *,
    host: str = DEFAULT_HOST,
    port: int | None = None,
    allow_network: bool = False,
    started: Callable[[Address], None] = lambda _address: None,
) -> None:
    """Show the runs and sweeps under ``runs`` until SIGINT or SIGTERM; ``started`` hears where.

    Raises ConfigError for an address that cannot be listened on, and for one that other machines reach
    unless ``allow_network``; DataError when ``runs`` is no folder.
    """
    runs = Path(runs)
    check_runs(runs)
    if not is_loopback(host) and not allow_network:
        raise ConfigError(
            f"--host {host}: other machines would reach it, and there is no password; add "
            "--allow-network if that is meant"
        )
    listener, address = listening(host, port)
    with listener:
        site = Site(runs, names=(host,), is_local=address.is_local)
        site.prepare()
        server = server_of(site, lambda: started(address))
        asyncio.run(server.serve(sockets=[listener]))
