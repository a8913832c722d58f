"""Module: live clusters for tests: Debian's redis-server on loopback addresses, created, driven, collected and stopped.

Each cluster has a network of its own, 127.0.A.0/24, whose addresses stand for hosts, so that several run side by side on
the same ports. Everything lies below one temporary directory, every wait polls and is bounded, and stop_all() ends
exactly the processes that this module started.
"""
import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from slots import SLOTS, key_slot  # noqa: E402, F401

SERVER = os.environ.get("RCF_SERVER", "/usr/bin/redis-server")  # another version, with its own tools beside it
PATH = os.path.dirname(SERVER) + os.pathsep + os.environ["PATH"]
CLIENT = "redis-cli"
NODE_TIMEOUT_MS = 2000
BAN_S = 60  # CLUSTER FORGET keeps a forgotten id away for a minute
BUS_OFFSET = 10000


class Problem(Exception):
    """What differs from what was expected, in a sentence."""


def expect(what, found, expected):
    if found != expected:
        raise Problem(f"{what}: {found!r}, expected {expected!r}")


def wait_for(what, condition, seconds=20.0, pause=0.1):
    """Polls until the condition gives something true and returns it; connections refused meanwhile count as false."""
    end = time.monotonic() + seconds
    while True:
        try:
            found = condition()
        except (OSError, ServerError):
            found = None
        if found:
            return found
        if time.monotonic() > end:
            raise Problem(f"{what}: not within {seconds:g} s")
        time.sleep(pause)


# ---------------------------------------------------------------- the protocol


class ServerError(Exception):
    """An error reply."""


def _reply(stream):
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("the server closed the connection")
    kind, rest = line[:1], line[1:-2]
    if kind == b"+":
        return rest.decode()
    if kind == b"-":
        raise ServerError(rest.decode())
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == b"-1" else stream.read(int(rest) + 2)[:-2]
    if kind == b"*":
        return [_reply(stream) for _ in range(int(rest))]
    raise ServerError(f"unknown reply {line!r}")


class Connection:
    """One connection to one server. Words are text or bytes; bulk replies are bytes."""

    def __init__(self, ip, port):
        self.socket = socket.create_connection((ip, port), timeout=10)
        self.stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()

    def call(self, *words):
        raw = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(raw) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in raw))
        return _reply(self.stream)


# How the value of a key of each type is read, so that equal values compare equal whatever their encoding.
_VALUES = {
    "string": lambda c, key: c.call("GET", key),
    "list": lambda c, key: c.call("LRANGE", key, 0, -1),
    "set": lambda c, key: sorted(c.call("SMEMBERS", key)),
    "zset": lambda c, key: c.call("ZRANGE", key, 0, -1, "WITHSCORES"),
    "hash": lambda c, key: sorted(zip(*[iter(c.call("HGETALL", key))] * 2)),
    "stream": lambda c, key: c.call("XRANGE", key, "-", "+"),
}


# ---------------------------------------------------------------- what was started

_processes = []
_adopted = []
_claims = []
_lock = threading.Lock()
_root = None
_over = False


def root():
    """The temporary directory of this run; removed at the end unless RCF_LIVE_KEEP is set."""
    global _root
    with _lock:
        if _root is None:
            _root = tempfile.mkdtemp(prefix="rcf-live-")
        return _root


def adopt(pid):
    """A process that a plan's script has started is one of this run's, and ends with it."""
    with _lock:
        _adopted.append(pid)


def stop_all():
    global _over
    with _lock:
        _over = True
        for pid in _adopted:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        _adopted.clear()
        for process in _processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        for process in _processes:
            process.wait()
        _processes.clear()
        for claim in _claims:
            claim.close()
        _claims.clear()
        if _root and not os.environ.get("RCF_LIVE_KEEP"):
            shutil.rmtree(_root, ignore_errors=True)


def _terminated(number, _):
    sys.exit(128 + number)


atexit.register(stop_all)
signal.signal(signal.SIGTERM, _terminated)


def _launch(argv, **how):
    """A process in a group of its own, so that what it starts ends with it."""
    with _lock:
        if _over:
            raise Problem("everything is being stopped")
        process = subprocess.Popen(argv, start_new_session=True, **how)
        _processes.append(process)
    return process


def run(argv, text="", environment=None, seconds=150):
    """Runs a program to its end; its exit code and what it wrote to both streams."""
    process = _launch(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                      env={**os.environ, "PATH": PATH, **(environment or {})})
    try:
        out, _ = process.communicate(text.encode(), timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise Problem(f"{argv[0]}: not done within {seconds} s") from None
    return process.returncode, out.decode(errors="backslashreplace")


def _free(ip, port):
    with socket.socket() as probe:
        try:
            probe.bind((ip, port))
            return True
        except OSError:
            return False


def claim_network(hosts, offsets):
    """A network 127.0.A and a base port whose ports and bus ports are free on its first hosts. The claim is a bound
    datagram socket, so that runs side by side never share a network."""
    for step in range(4 * 200):
        network = f"127.0.{20 + (os.getpid() + step) % 200}"
        base = 7000 + 100 * (step // 200)
        claim = socket.socket(type=socket.SOCK_DGRAM)
        try:
            claim.bind((f"{network}.1", base))
        except OSError:
            claim.close()
            continue
        if all(_free(f"{network}.{host + 1}", base + offset + bus)
               for host in range(hosts) for offset in offsets for bus in (0, BUS_OFFSET)):
            with _lock:
                _claims.append(claim)
            return network, base
        claim.close()
    raise Problem("no free loopback network")


# ---------------------------------------------------------------- one server


class Server:
    """One instance: its files below a directory, its process while it runs."""

    def __init__(self, folder, ip, port, save, appendonly):
        self.ip, self.port = ip, port
        self.name = f"{ip}:{port}"
        self.directory = os.path.join(folder, f"{ip}_{port}")
        self.process = None
        self.secret = None
        os.mkdir(self.directory)
        lines = [f"port {port}", f"bind {ip}", f"bind-source-addr {ip}", "protected-mode no", f"dir {self.directory}",
                 f"logfile redis_{port}.log", f"dbfilename dump_{port}.rdb",
                 *(f"save {points}" for points in save), f"appendonly {'yes' if appendonly else 'no'}",
                 "cluster-enabled yes", f"cluster-config-file nodes_{port}.conf",
                 f"cluster-node-timeout {NODE_TIMEOUT_MS}", "cluster-allow-replica-migration no",
                 "repl-diskless-sync-delay 0"]
        with open(self.path(f"redis_{port}.conf"), "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")

    def path(self, name):
        return os.path.join(self.directory, name)

    @property
    def nodes_conf(self):
        return self.path(f"nodes_{self.port}.conf")

    @property
    def dump(self):
        return self.path(f"dump_{self.port}.rdb")

    def start(self):
        self.process = _launch([SERVER, self.path(f"redis_{self.port}.conf")], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(f"{self.name} answers", lambda: self.call("PING") == "PONG")

    def ended(self):
        """Waits for the process to end after it was told to."""
        self.process.wait(timeout=20)

    def shut_down(self, *words):
        try:
            self.call("SHUTDOWN", *words)
        except (OSError, ServerError):
            pass
        self.ended()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.ended()

    def connect(self):
        connection = Connection(self.ip, self.port)
        if self.secret:
            connection.call("AUTH", self.secret)
        return connection

    def protect(self, secret):
        """Clients and peers need the password from now on."""
        self.call("CONFIG", "SET", "masterauth", secret)
        self.call("CONFIG", "SET", "requirepass", secret)
        self.secret = secret

    def call(self, *words):
        with self.connect() as connection:
            return connection.call(*words)

    def id(self):
        return self.call("CLUSTER", "MYID").decode()

    def info(self, field, section="all"):
        for line in self.call("INFO", section).decode().splitlines():
            if line.startswith(field + ":"):
                return line.partition(":")[2]
        return None

    def nodes(self):
        """CLUSTER NODES as {id: words of the line}."""
        return {line.split()[0]: line.split() for line in self.call("CLUSTER", "NODES").decode().splitlines()}

    def saved(self):
        """When its dump was last written, None when never."""
        return os.stat(self.dump).st_mtime_ns if os.path.exists(self.dump) else None

    def keys(self):
        """The names of all keys in memory, those of slots that it does not serve too."""
        found, cursor = set(), b"0"
        with self.connect() as connection:
            while True:
                cursor, keys = connection.call("SCAN", cursor, "COUNT", 1000)
                found.update(keys)
                if cursor == b"0":
                    return found

    def data(self):
        """Every key with its type, value and expiry; of a replica too."""
        found = {}
        with self.connect() as connection:
            connection.call("READONLY")
            cursor = b"0"
            while True:
                cursor, keys = connection.call("SCAN", cursor, "COUNT", 1000)
                for key in keys:
                    kind = connection.call("TYPE", key)
                    found[key] = (kind, _VALUES[kind](connection, key), connection.call("PEXPIRETIME", key))
                if cursor == b"0":
                    return found


# ---------------------------------------------------------------- a cluster


class Cluster:
    """Three primaries and three replicas on three hosts, each replica on another host than its primary, and room for one
    more node on the first host."""

    PRIMARY, REPLICA, ADDED = 0, 10, 2  # offsets from the base port

    def __init__(self, name):
        self.folder = os.path.join(root(), name)
        os.mkdir(self.folder)
        self.network, self.base = claim_network(3, (self.PRIMARY, self.REPLICA, self.ADDED))
        self.servers = []
        self.members = []

    def server(self, host, offset, save=("3600 1",), appendonly=False):
        made = Server(self.folder, f"{self.network}.{host + 1}", self.base + offset, save, appendonly)
        self.servers.append(made)
        made.start()
        return made

    def create(self):
        primaries = [self.server(host, self.PRIMARY) for host in range(3)]
        replicas = [self.server((host + 1) % 3, self.REPLICA) for host in range(3)]
        self.members = primaries + replicas
        for number, server in enumerate(self.members):
            server.call("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for number, server in enumerate(primaries):
            server.call("CLUSTER", "ADDSLOTSRANGE", number * SLOTS // 3, (number + 1) * SLOTS // 3 - 1)
        for server in self.members[1:]:
            server.call("CLUSTER", "MEET", primaries[0].ip, primaries[0].port)
        self.wait_agreed()
        for primary, replica in zip(primaries, replicas):
            replica.call("CLUSTER", "REPLICATE", primary.id())
        self.wait_agreed()
        wait_for("the replicas are in step", lambda: all(r.info("master_link_status") == "up" for r in replicas))

    def wait_agreed(self, seconds=40):
        """Waits until exactly the members list each other, connected, with one picture of roles,
        slots and their epochs, state ok."""
        def picture(server):
            nodes = server.nodes()
            if any(words[7] != "connected" or {"fail", "fail?", "handshake", "noaddr"} & set(words[2].split(","))
                   for words in nodes.values()):
                return None
            return sorted((node, words[2].replace("myself,", ""), words[3], words[6] if words[8:] else "", *words[8:])
                          for node, words in nodes.items())

        def agreed():
            pictures = [picture(server) for server in self.members]
            return (None not in pictures and all(p == pictures[0] for p in pictures) and
                    len(pictures[0]) == len(self.members) and
                    all("cluster_state:ok" in s.call("CLUSTER", "INFO").decode() for s in self.members))

        try:
            wait_for(f"the {len(self.members)} members agree", agreed, seconds)
        except Problem as problem:
            views = "\n".join(f"{server.name}:\n{server.call('CLUSTER', 'NODES').decode()}" for server in self.members)
            raise Problem(f"{problem}\n{views}") from None

    def tool(self, *words):
        """redis-cli --cluster, as an operator runs it."""
        code, out = run([CLIENT, "--cluster", *words])
        if code:
            raise Problem(f"redis-cli --cluster {' '.join(words)}: {out[-600:]}")

    def add(self, server, primary=None):
        role = ["--cluster-slave", "--cluster-master-id", primary.id()] if primary else []
        self.tool("add-node", server.name, self.members[0].name, *role)
        self.members.append(server)
        try:
            self.wait_agreed(10)
        except Problem:  # a handshake ends after the node timeout, on a busy machine without having met
            self.members[0].call("CLUSTER", "MEET", server.ip, server.port)
            self.wait_agreed()

    def move_slots(self, source, target, count):
        self.tool("reshard", self.members[0].name, "--cluster-from", source.id(), "--cluster-to", target.id(),
                  "--cluster-slots", str(count), "--cluster-yes")
        self.wait_agreed()

    def forget(self, node_id, members):
        for server in members:
            expect(f"CLUSTER FORGET on {server.name}", server.call("CLUSTER", "FORGET", node_id), "OK")

    def primaries(self):
        return [server for server in self.members if server.info("role") == "master"]

    def fill(self, count):
        """Keys of every type all over the slots of a new cluster."""
        connections = [server.connect() for server in self.members[:3]]
        for number in range(count):
            key = f"user:{number}"
            call = connections[next(i for i in range(3) if key_slot(key) < (i + 1) * SLOTS // 3)].call
            write = [lambda: call("SET", key, f"value {number}"), lambda: call("SET", key, number),
                     lambda: call("RPUSH", key, "a", "b", number), lambda: call("SADD", key, 1, 2, number),
                     lambda: call("HSET", key, "name", "x" * 70, "n", number),
                     lambda: call("ZADD", key, 1.5, "m", number, "n"), lambda: call("XADD", key, "1-1", "f", number),
                     lambda: call("SET", key, b"\x00\xff\r\n" + str(number).encode(), "PXAT", 4102444800000 + number)]
            write[number % len(write)]()
        for connection in connections:
            connection.__exit__()

    def data(self):
        """Every key of the cluster, from all primaries; a key on two of them is a problem."""
        whole = {}
        for server in self.primaries():
            part = server.data()
            twice = whole.keys() & part.keys()
            if twice:
                raise Problem(f"keys on two primaries: {sorted(twice)[:3]}")
            whole.update(part)
        return whole

    def expect_data(self, what, data):
        """Every key is as it was, and there are no others. MIGRATE sends what is left of a key's time, so its expiry may
        be some milliseconds later where a slot has moved."""
        def same(old, new):
            return old and new and old[:2] == new[:2] and (old[2] == new[2] or (min(old[2], new[2]) > 0 and abs(old[2] - new[2]) < 1000))

        now = self.data()
        expect(f"{what}: keys that are gone, new or changed",
               [(key, data.get(key), now.get(key)) for key in sorted(data.keys() | now.keys())
                if not same(data.get(key), now.get(key))][:3], [])

    def lists(self, node_id):
        """Names of the members that list an id."""
        return [server.name for server in self.members if node_id in server.nodes()]

    def save_members(self):
        for server in self.members:
            expect(f"SAVE on {server.name}", server.call("SAVE"), "OK")

    def collect(self, name):
        """Copies what every instance has in its directory to NAME/hosts/IP/PORT, as an operator would with scp."""
        case = os.path.join(self.folder, name)
        for server in self.servers:
            copy = os.path.join(case, "hosts", server.ip, str(server.port))
            shutil.copytree(server.directory, copy, ignore=shutil.ignore_patterns("temp-*"))
            self._copy_settled(server.directory, copy)
        return case

    @staticmethod
    def _copy_settled(folder, copy):
        """Up to 7.0 servers write nodes.conf over the old one, with line feeds up to its size, and then cut it: a copy of
        that moment is copied again."""
        for file in (file for file in os.listdir(copy) if file.startswith("nodes")):
            def settled(source=os.path.join(folder, file), target=os.path.join(copy, file)):
                with open(target, "rb") as text:
                    if b"\n\n" not in text.read():
                        return True
                shutil.copy2(source, target)
                return False

            wait_for(f"a whole copy of {file}", settled, 10)
