"""rcf-prejoin against a real server: what it says of a directory is what the server restarted on it holds.

Each case prepares a directory with a standalone server (a cluster node refuses keys of slots it does not own), perhaps
changes it by hand, asks rcf-prejoin, then starts a cluster node there and asks it. Without redis-server nothing is
tested.
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

TOOL = os.path.join(os.path.abspath(os.environ["RCF_BUILD"]), "rcf-prejoin")
SERVER = shutil.which("redis-server")
ADDRESS = "127.0.22.7"
LIBRARY = "#!lua name={}\nredis.register_function('{}_f', function() return 1 end)"
failures = []
checked = 0


def check(what, found, expected):
    global checked
    checked += 1
    if found != expected:
        failures.append(f"{what}: {found!r}, expected {expected!r}")


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind((ADDRESS, port))
            return True
        except OSError:
            return False


def free_port():
    for port in range(21000, 31000, 7):
        if is_free(port) and is_free(port + 10000):
            return port
    sys.exit("no free port with its bus port")


def read_reply(stream):
    line = stream.readline()
    kind, rest = line[:1], line[1:-2]
    if kind in b"+-":
        return line[:-2].decode()
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == b"-1" else stream.read(int(rest) + 2)[:-2].decode(errors="replace")
    if kind == b"*":
        return [read_reply(stream) for _ in range(int(rest))]
    raise OSError("the server is gone")


class Server:
    """A server process on a directory; `running` is False when it refused to start."""

    def __init__(self, folder, port, *options):
        self.port = port
        self.process = subprocess.Popen([SERVER, "redis.conf", *options], cwd=folder, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self.running = self.wait()

    def wait(self):
        end = time.monotonic() + 10
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if self.ask("PING") == "+PONG":
                    return True
            except OSError:
                pass
            time.sleep(0.02)
        return False

    def ask(self, *words):
        with socket.create_connection((ADDRESS, self.port), timeout=10) as connection:
            request = b"*%d\r\n" % len(words)
            for word in words:
                data = word.encode()
                request += b"$%d\r\n%s\r\n" % (len(data), data)
            connection.sendall(request)
            with connection.makefile("rb") as stream:
                return read_reply(stream)

    def stop(self, *how):
        try:
            if self.process.poll() is None:
                self.ask("SHUTDOWN", *how)
        except OSError:
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)


def write_conf(folder, port, lines, cluster):
    with open(os.path.join(folder, "redis.conf"), "w") as conf:
        conf.write(f"port {port}\nbind {ADDRESS}\nprotected-mode no\nlogfile redis.log\ndbfilename dump.rdb\n")
        conf.write("".join(line + "\n" for line in lines))
        if cluster:
            conf.write("cluster-enabled yes\ncluster-config-file nodes.conf\n")


def append(name, data):
    def change(folder):
        with open(os.path.join(folder, name), "ab") as file:
            file.write(data)
    return change


def cut(name, count):
    def change(folder):
        path = os.path.join(folder, name)
        os.truncate(path, os.path.getsize(path) - count)
    return change


def remove(name):
    return lambda folder: os.remove(os.path.join(folder, name))


def move(name, target):
    return lambda folder: shutil.move(os.path.join(folder, name), os.path.join(folder, target))


def command(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


INCR = "appendonlydir/appendonly.aof.1.incr.aof"
BASE = "appendonlydir/appendonly.aof.1.base.rdb"
NO_AOF = ["appendonly no", "save 900 1"]
AOF = ["appendonly yes", "save 900 1"]
AOF_ONLY = ["appendonly yes", 'save ""']
UNSAVED = ["appendonly no", 'save ""']
SET = ("SET", "k", "v")
REWRITE = ("BGREWRITEAOF",)

# name, configuration, commands, how to stop, changes by hand, configuration of the cluster node (None: the same),
# our verdict
CASES = [
    ("fresh", NO_AOF, [], ("NOSAVE",), [], None, "empty"),
    ("fresh, default save points", ["appendonly no"], [], (), [], None, "empty"),
    ("fresh with AOF", AOF, [], (), [], None, "empty"),
    ("a key saved at shutdown", NO_AOF, [SET], (), [], None, "not-empty"),
    ("a key not saved", UNSAVED, [SET], (), [], None, "empty"),
    ("flushed and saved", NO_AOF, [SET, ("FLUSHALL",)], (), [], None, "empty"),
    ("flushed, the dump stays", UNSAVED, [SET, ("SAVE",), ("FLUSHALL",)], (), [], None, "not-empty"),
    ("a key with an expiry", NO_AOF, [("SET", "k", "v", "PX", "10000000")], (), [], None, "not-empty"),
    ("a key in the AOF", AOF_ONLY, [SET], (), [], None, "not-empty"),
    ("AOF with a key in a hash", AOF_ONLY, [("HSET", "h", "f", "v"), ("HDEL", "h", "g")], (), [], None, "not-empty"),
    ("AOF flushed", AOF_ONLY, [SET, ("FLUSHALL",)], (), [], None, "empty"),
    ("AOF flushed ASYNC", AOF_ONLY, [SET, ("FLUSHALL", "ASYNC")], (), [], None, "empty"),
    ("AOF deleted", AOF_ONLY, [SET, ("DEL", "k")], (), [], None, "empty"),
    ("AOF renamed and deleted", AOF_ONLY, [SET, ("RENAME", "k", "m"), ("DEL", "m")], (), [], None, "cannot-tell"),
    ("base with a key, flushed in the increment", AOF_ONLY, [SET, REWRITE, ("FLUSHALL",)], (), [], None, "empty"),
    ("base with a key, kept", AOF_ONLY, [SET, REWRITE], (), [], None, "not-empty"),
    ("base as commands", AOF_ONLY + ["aof-use-rdb-preamble no"], [SET, REWRITE], (), [], None, "not-empty"),
    ("AOF switched on beside a dump with keys", NO_AOF, [SET], (), [], AOF_ONLY, "not-empty"),
    ("AOF switched off", AOF_ONLY, [SET], (), [], UNSAVED, "not-empty"),
    ("functions in the dump", NO_AOF, [("FUNCTION", "LOAD", LIBRARY.format("a", "a")), ("SAVE",)], (), [], None,
     "not-empty"),
    ("functions in the AOF", AOF_ONLY, [("FUNCTION", "LOAD", LIBRARY.format("a", "a"))], (), [], None, "not-empty"),
    ("functions deleted in the AOF", AOF_ONLY,
     [("FUNCTION", "LOAD", LIBRARY.format("a", "a")), ("FUNCTION", "DELETE", "a")], (), [], None, "empty"),
    ("functions flushed in the AOF", AOF_ONLY,
     [("FUNCTION", "LOAD", LIBRARY.format("a", "a")), ("FUNCTION", "FLUSH")], (), [], None, "empty"),
    ("functions survive FLUSHALL", AOF_ONLY,
     [("FUNCTION", "LOAD", LIBRARY.format("a", "a")), SET, ("FLUSHALL",)], (), [], None, "not-empty"),
    ("MULTI without EXEC", AOF_ONLY, [], (),
     [append(INCR, command(b"SELECT", b"0") + command(b"MULTI") + command(b"SET", b"k", b"v"))], None, "empty"),
    ("flushed in an open MULTI", AOF_ONLY, [SET], (), [append(INCR, command(b"MULTI") + command(b"FLUSHALL"))], None,
     "not-empty"),
    ("a whole transaction", AOF_ONLY, [], (),
     [append(INCR, command(b"MULTI") + command(b"SET", b"k", b"v") + command(b"EXEC"))], None, "not-empty"),
    ("cut in its only SET", AOF_ONLY, [SET], (), [cut(INCR, 3)], None, "empty"),
    ("cut, and cuts are refused", AOF_ONLY + ["aof-load-truncated no"], [SET], (), [cut(INCR, 3)], None, "cannot-tell"),
    ("no command at the end", AOF_ONLY, [], (), [append(INCR, b"nonsense\r\n")], None, "cannot-tell"),
    ("base cut", AOF_ONLY, [], (), [cut(BASE, 5)], None, "cannot-tell"),
    ("dump cut", NO_AOF, [("SAVE",)], (), [cut("dump.rdb", 5)], None, "cannot-tell"),
    ("increment missing", AOF_ONLY, [], (), [remove(INCR)], None, "cannot-tell"),
    ("manifest with a blank line", AOF_ONLY, [], (), [append("appendonlydir/appendonly.aof.manifest", b"\n")], None,
     "cannot-tell"),
    ("bad manifest and no AOF wanted", AOF_ONLY, [], (), [append("appendonlydir/appendonly.aof.manifest", b"\n")],
     UNSAVED, "cannot-tell"),
    ("manifest missing", AOF_ONLY, [SET], (), [remove("appendonlydir/appendonly.aof.manifest")], None, "not-empty"),
    ("an older AOF is taken over", AOF_ONLY, [], (),
     [lambda folder: shutil.rmtree(os.path.join(folder, "appendonlydir")),
      append("appendonly.aof", command(b"SET", b"k", b"v"))], None, "not-empty"),
    ("an older AOF beside a newer one", AOF_ONLY, [], (), [append("appendonly.aof", command(b"SET", b"k", b"v"))], None,
     "not-empty"),
    ("AOF under another name", AOF_ONLY, [SET], (), [], AOF_ONLY + ["appendfilename other.aof"], "not-empty"),
    ("a key in db 3", NO_AOF, [SET], (), [], None, "not-empty"),
    ("a dump under another name", NO_AOF, [SET], (), [move("dump.rdb", "copy.rdb")], None, "cannot-tell"),
    ("dump of 0 bytes", UNSAVED, [], (), [append("dump.rdb", b"")], None, "cannot-tell"),
    ("two keys set, one deleted", AOF_ONLY, [], (),
     [append(INCR, command(b"SET", b"k", b"v") + command(b"SET", b"m", b"v") + command(b"DEL", b"k"))], None,
     "not-empty"),
]


def prepare(folder, port, lines, commands, how, db):
    write_conf(folder, port, lines, False)
    server = Server(folder, port)
    if not server.running:
        sys.exit(f"redis-server does not start in {folder}")
    try:
        for words in commands:
            if db:
                move_db = ("EVAL", "redis.call('SELECT', ARGV[1]); return redis.call('SET', 'k', 'v')", "0", str(db))
                words = move_db
            reply = server.ask(*words)
            if isinstance(reply, str) and reply.startswith("-"):
                failures.append(f"{words}: {reply}")
        while "aof_rewrite_in_progress:1" in server.ask("INFO", "persistence"):
            time.sleep(0.02)
    finally:
        server.stop(*how)
    os.remove(os.path.join(folder, "redis.log"))


def judge(folder):
    done = subprocess.run([TOOL, "--json", folder], capture_output=True, timeout=60)
    document = json.loads(done.stdout)
    check(f"{folder}: one instance", len(document["instances"]), 1)
    return done.returncode, document["instances"][0]


def compare(name, said, server):
    start, tool = said["start"], said["tool_rule"]["verdict"]
    if not server.running:
        check(f"{name}: refuses", start["source"], "refuses")
        check(f"{name}: nobody answers the tool", tool, "cannot-tell")
        return
    check(f"{name}: starts", start["source"] == "refuses", False)
    keys = server.ask("DBSIZE")
    keyspace = server.ask("INFO", "keyspace")
    known = "cluster_known_nodes:1\r\n" in server.ask("CLUSTER", "INFO")
    functions = len(server.ask("FUNCTION", "LIST"))
    if start["keys"] == "no-keys":
        check(f"{name}: no keys", keyspace.count("db"), 0)
    elif start["keys"] == "keys":
        check(f"{name}: keys", (keys > 0, keys >= int(start["provable_keys"])), (True, True))
    check(f"{name}: functions", int(start["functions"]), functions)
    check(f"{name}: functions proved", start["functions_may"], False)
    if tool != "cannot-tell":
        check(f"{name}: the tool's rule", tool, "empty" if known and "db0:" not in keyspace else "not-empty")
    if said["verdict"] == "empty":
        check(f"{name}: empty is empty", (keys, functions, known), (0, 0, True))


def play(case, parent, port):
    name, lines, commands, how, changes, later, expected = case
    folder = os.path.join(parent, str(len(os.listdir(parent))))
    os.mkdir(folder)
    prepare(folder, port, lines, commands, how, 3 if "db 3" in name else 0)
    write_conf(folder, port, later if later is not None else lines, True)
    for change in changes:
        change(folder)
    code, said = judge(folder)
    check(f"{name}: verdict", said["verdict"], expected)
    check(f"{name}: exit", code, {"empty": 0, "not-empty": 1, "cannot-tell": 2}[said["verdict"]])
    server = Server(folder, port)
    try:
        compare(name, said, server)
    finally:
        server.stop("NOSAVE")
    if server.running:
        reread(name, folder)


def reread(name, folder):
    """A node's own nodes.conf and log beside the data are no obstacle to reading it again."""
    code, said = judge(folder)
    check(f"{name}: one node after a run", (said["known_nodes"], said["has_nodes_conf"]), (1, True))
    check(f"{name}: the log tells the version", said["server_basis"], "log")


def main():
    if not SERVER:
        print("prejoin_live: redis-server is not installed, skipped")
        return 0
    parent = tempfile.mkdtemp(prefix="rcf-prejoin-")
    port = free_port()
    try:
        for case in CASES:
            play(case, parent, port)
    finally:
        shutil.rmtree(parent)
    for failure in failures:
        print(f"FAIL {failure}")
    print(f"prejoin_live: {len(CASES)} directories, {checked} checks, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
