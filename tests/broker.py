"""A real RabbitMQ for tests, of one node or several: Debian's server on free loopback ports, in its own folder, ended
by the pids started."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from tests.ports import free_ports

SERVERS = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "/usr/local/sbin/rabbitmq-server", "/usr/sbin/rabbitmq-server")
SERVICE_USER = "rabbitmq"
STARTS_WITHIN = 60.0
STOPS_WITHIN = 30.0

_STARTER = ThreadPoolExecutor(1)
"""Starts the processes: they die with the thread that started them, so that one must live as long as the tests."""


class BrokerImpossible(Exception):
    """No RabbitMQ can be started on this machine; the text says why."""


class Broker:
    """One node with its data folder; it may be stopped, killed and started again on the same data and port."""

    def __init__(self, beside: "Broker | None" = None) -> None:
        """``beside``: a node that runs, whose cluster this one joins when it first starts."""
        self._script = _server_script()
        self._prefix, owner = _prefix()
        self._changing = threading.RLock()  # whoever starts it waits until a stop in another thread is through
        self._folder = Path(tempfile.mkdtemp(prefix="consilium-rabbit-"))
        self._port, epmd_port, self._distribution_port = free_ports(3)
        self._beside = beside
        self._epmd_port: int = epmd_port if beside is None else beside._epmd_port
        self._cookie: str = secrets.token_hex() if beside is None else beside._cookie
        lines = ["loopback_users.guest = true", "disk_free_limit.absolute = 50MB"]
        if beside is not None:
            lines += [f"cluster_formation.classic_config.nodes.1 = {beside.node}"]
        (self._folder / "plugins").write_text("[].\n")
        (self._folder / "rabbitmq.conf").write_text("\n".join([*lines, ""]))
        (self._folder / ".erlang.cookie").write_text(self._cookie)
        (self._folder / ".erlang.cookie").chmod(0o400)
        if owner is not None:
            for path in (self._folder, *self._folder.iterdir()):
                shutil.chown(path, owner, owner)
        self._epmd: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The AMQP URL; it stays the same over restarts."""
        return f"amqp://guest:guest@127.0.0.1:{self._port}/"

    @property
    def node(self) -> str:
        """Its name in a cluster."""
        return f"consilium{self._port}@localhost"

    def start(self) -> None:
        """Start and wait until it accepts AMQP. Raises ``BrokerImpossible`` when it does not come up."""
        environment = {
            "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            "LANG": "C.UTF-8",
            "HOME": str(self._folder),
            "detached": "true",  # the start script then becomes the Erlang VM instead of its parent: one pid, ours
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "data"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            "RABBITMQ_PID_FILE": str(self._folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
        }
        with self._changing:
            if self._beside is None and self._epmd is None:
                self._epmd = self._spawn(["epmd", "-address", "127.0.0.1", "-port", str(self._epmd_port)], environment)
                self._wait_for_port(self._epmd, self._epmd_port, greeting=False)
            self._server = self._spawn([self._script], environment)
            self._wait_for_port(self._server, self._port, greeting=True)

    def ensure(self) -> None:
        """Start it on the same data unless it runs and answers. Raises ``BrokerImpossible`` as ``start`` does."""
        with self._changing:
            if self._server is None or self._server.poll() is not None or not _answers(self._port, greeting=True):
                self.kill()
                self.start()

    def stop(self) -> None:
        """End it in good order (SIGTERM)."""
        self._end(kill=False)

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        self._end(kill=True)

    def restart(self) -> None:
        """Stop, then start on the same data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Kill the server and its port mapper and remove the folder."""
        self.kill()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()
            self._epmd = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _spawn(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        output = (self._folder / f"{Path(command[0]).name}.out").open("ab")
        try:
            return _STARTER.submit(
                subprocess.Popen,
                [*self._prefix, *command],
                env=environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C at the tests must not reach the broker before its fixture ends it
            ).result()
        except FileNotFoundError as error:
            raise BrokerImpossible(f"cannot run {command[0]}") from error
        finally:
            output.close()

    def _wait_for_port(self, process: subprocess.Popen[bytes], port: int, *, greeting: bool) -> None:
        deadline = time.monotonic() + STARTS_WITHIN
        while not _answers(port, greeting=greeting):
            if process.poll() is not None or time.monotonic() > deadline:
                raise BrokerImpossible(f"it did not come up (exit {process.poll()}): {self._last_words()}")
            time.sleep(0.05)

    def _last_words(self) -> str:
        output = self._folder / f"{Path(self._script).name}.out"
        return output.read_text(errors="replace")[-600:] if output.exists() else ""

    def _end(self, *, kill: bool) -> None:
        with self._changing:
            if self._server is None:
                return
            (self._server.kill if kill else self._server.terminate)()
            try:
                self._server.wait(timeout=STOPS_WITHIN)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
            self._server = None


def reachable(url: str) -> bool:
    """Whether something listens at the AMQP ``url``."""
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 5672), timeout=2).close()
    except OSError:
        return False
    return True


def _server_script() -> str:
    for candidate in SERVERS:
        if Path(candidate).exists():
            return candidate
    raise BrokerImpossible("no rabbitmq-server on this machine (Debian: apt-get install rabbitmq-server)")


def _prefix() -> tuple[list[str], str | None]:
    """The command prefix under which the server runs, and its user when that is not ours: never root.

    Where setpriv is there, the server dies with the tests, however those ended (PR_SET_PDEATHSIG).
    """
    root, setpriv = os.geteuid() == 0, shutil.which("setpriv")
    if setpriv is None and root:
        raise BrokerImpossible("root needs setpriv (util-linux) to start a broker as another user")
    dying = [] if setpriv is None else [setpriv, "--pdeathsig", "KILL"]
    if not root:
        return dying, None
    return [*dying, f"--reuid={SERVICE_USER}", f"--regid={SERVICE_USER}", "--clear-groups"], SERVICE_USER


def _answers(port: int, *, greeting: bool) -> bool:
    """Whether ``port`` accepts; with ``greeting``, whether an AMQP server answers the protocol header."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            if not greeting:
                return True
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(1) == b"\x01"
    except OSError:
        return False
