"""Append-only files against a real server: what rcf says of each damaged file is what redis-server does when it starts on it, and
what redis-check-aof calls valid has no finding.

A server writes an AOF with every kind of command; then the file, or its manifest, is damaged in a table of ways, cut at
many places, and single bits are flipped. For each, rcf-prejoin says whether a server starts and to what size it cuts the file;
the server is started on a copy, without a network, and asked. By rule the verdicts are those of Redis 7.0; with another version
only the record is made. Without redis-server nothing is tested. Arguments: names of cases to run alone.
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(os.environ.get("RCF_BUILD", "build/gcc"))
SERVER, CHECKER = shutil.which("redis-server"), shutil.which("redis-check-aof")
CONF = "port 0\nunixsocket s\ndir ./\nlogfile redis.log\nsave \"\"\nappendonly yes\nappendfsync always\naof-timestamp-enabled yes\n"
LOG = "1:M 22 Nov 2026 15:18:45.118 # Redis version=7.0.15, bits=64, commit=00000000, modified=0, pid=1, just started\n"
INCR = "appendonlydir/appendonly.aof.1.incr.aof"
BASE = "appendonlydir/appendonly.aof.1.base.rdb"
MANIFEST = "appendonlydir/appendonly.aof.manifest"
LIBRARY = "#!lua name=lib\nredis.register_function('f', function(keys) return redis.call('SET', keys[1], 'x') end)"
PATIENCE_S = 10.0
problems = []
compared = 0


def check(what, found, expected):
    global compared
    compared += 1
    if found != expected:
        problems.append(f"{what}: {found!r}, expected {expected!r}")


def command(*words):
    words = [word if isinstance(word, bytes) else word.encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class Server:
    """A server in a folder, which talks through a socket file there."""

    def __init__(self, folder):
        self.folder = folder
        self.process = subprocess.Popen([SERVER, "redis.conf"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE_S
        self.running = False
        while not self.running and time.monotonic() < until and self.process.poll() is None:
            try:
                self.running = self.ask("PING") == "PONG"
            except (OSError, EOFError):
                pass
            if not self.running:
                time.sleep(0.005)

    def ask(self, *words):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE_S)
            client.connect("/proc/%d/cwd/s" % self.process.pid)
            client.sendall(command(*words))
            with client.makefile("rb") as stream:
                return self.reply(stream)

    def reply(self, stream):
        line = stream.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError("the server is gone")
        kind, rest = line[:1], line[1:-2]
        if kind == b"*":
            return [self.reply(stream) for _ in range(int(rest))]
        if kind == b"$":
            return None if rest == b"-1" else stream.read(int(rest) + 2)[:-2]
        return int(rest) if kind == b":" else rest.decode()

    def stop(self):
        """By its process: SHUTDOWN could write."""
        self.process.kill()
        self.process.wait()


def record(folder):
    """Files of a server that has run commands of every kind."""
    os.makedirs(folder)
    with open(os.path.join(folder, "redis.conf"), "w") as conf:
        conf.write(CONF)
    server = Server(folder)
    try:
        if not server.running:
            sys.exit("redis-server does not start")
        server.ask("SET", "moved", "v")
        moved = server.ask("DUMP", "moved")
        for words in [("SET", "k", "v"), ("SET", "e", "v", "EX", "100000"), ("SETRANGE", "k", "3", "x"), ("INCR", "n"), ("MSET", "a", "1", "b", "2"),
                      ("HSET", "h", "f", "v"), ("HDEL", "h", "f"), ("RPUSH", "l", "1", "2"), ("LPOP", "l"), ("SADD", "s", "m"), ("SPOP", "s"),
                      ("ZADD", "z", "1", "m"), ("ZUNIONSTORE", "u", "1", "z"), ("XADD", "x", "1-1", "f", "v"), ("XGROUP", "CREATE", "x", "g", "0"),
                      ("XREADGROUP", "GROUP", "g", "c", "STREAMS", "x", ">"), ("PFADD", "p", "1"), ("BITOP", "NOT", "q", "k"),
                      ("GEOADD", "geo", "1", "2", "m"), ("EXPIRE", "n", "100000"), ("PERSIST", "n"), ("RENAME", "a", "c"), ("COPY", "b", "d"),
                      ("RESTORE", "r", "0", moved), ("EVAL", "redis.call('SET', KEYS[1], 'x') return 1", "1", "lua"), ("FUNCTION", "LOAD", LIBRARY),
                      ("FCALL", "f", "1", "fk"), ("SORT", "l", "STORE", "sorted"), ("PUBLISH", "c", "m"), ("SCRIPT", "FLUSH"), ("UNLINK", "d"),
                      ("SELECT", "0"), ("SWAPDB", "0", "3"), ("SWAPDB", "0", "3"), ("GETEX", "k", "EX", "100000"), ("DEL", "u")]:
            answer = server.ask(*words)
            if isinstance(answer, str) and answer.startswith("ERR"):
                sys.exit(f"{words}: {answer}")
        server.ask("EVAL", "redis.call('SET', 'i', 1) redis.call('INCR', 'i') return 1", "0")
        return {name: open(os.path.join(folder, name), "rb").read() for name in (INCR, BASE, MANIFEST)}, server.ask("DBSIZE")
    finally:
        server.stop()


# ---------------------------------------------------------------- one case


def build(folder, files, conf=""):
    for name, data in files.items():
        if data is None:
            continue
        os.makedirs(os.path.dirname(os.path.join(folder, name)) or folder, exist_ok=True)
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)
    with open(os.path.join(folder, "redis.conf"), "w") as file:
        file.write(CONF + conf)


def tool(name, *words):
    done = subprocess.run([os.path.join(BUILD, name), *words], capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout.decode()


def said_of(folder):
    """What rcf says of the folder: starts, refuses or unsure; the size to which a file is cut; the findings."""
    with open(os.path.join(folder, "redis.log"), "w") as log:
        log.write(LOG)
    _, out = tool("rcf-prejoin", "--json", folder)
    instances = json.loads(out)["instances"]
    start = instances[0]["start"]
    cuts = [int(found[1]) for reason in instances[0]["reasons"] for found in [re.search(r"the last (\d+) bytes? (?:are|is) dropped", reason["text"])] if found]
    _, out = tool("rcf-check", "--format=jsonl", folder)
    findings = [record for record in map(json.loads, out.splitlines()) if record.get("finding", "").startswith(("aof-", "dump-"))]
    os.remove(os.path.join(folder, "redis.log"))
    outcome = {"refuses": "refuses", "unknown": "unsure"}.get(start["source"], "starts")
    if start["keys"] == "cannot-tell" and any("what it holds is not known" in reason["text"] for reason in instances[0]["reasons"]):
        outcome = "unsure"
    return outcome, sum(cuts), findings, int(start["provable_keys"])


def sizes(folder):
    return {name: os.path.getsize(os.path.join(folder, name)) for name in (INCR, "appendonlydir/appendonly.aof.2.incr.aof")
            if os.path.exists(os.path.join(folder, name))}


def play(name, parent, files, conf="", odd=None):
    """Compares; `odd` True or False: whether the check tool and the findings complain of the incremental file."""
    folder = os.path.join(parent, "case")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    build(folder, files, conf)
    outcome, dropped, findings, keys = said_of(folder)
    checker = subprocess.run([CHECKER, INCR], cwd=folder, capture_output=True, stdin=subprocess.DEVNULL) if files.get(INCR) else None
    before = sizes(folder)
    server = Server(folder)
    try:
        found = "starts" if server.running else "refuses"
        after = sizes(folder)
        held = server.ask("DBSIZE") if server.running else 0
    finally:
        server.stop()
    if outcome != "unsure":
        check(f"{name}: outcome ({[f['summary'] for f in findings]})", outcome, found)
    if outcome == found == "starts":
        # It may have grown: a server writes DEL for a key whose expiry a flipped bit has moved into the past.
        check(f"{name}: bytes dropped", dropped, max(0, sum(before.values()) - sum(after[n] for n in before)))
        check(f"{name}: keys proved", keys <= held, True)
    if checker and checker.returncode != 0:
        check(f"{name}: findings where redis-check-aof complains", len(findings) > 0, True)
    if found == "refuses" or (found == "starts" and dropped):
        check(f"{name}: a finding for a file that is refused or cut", len(findings) > 0, True)
    if odd is not None:
        check(f"{name}: findings", len(findings) > 0, odd)
    return outcome, found


# ---------------------------------------------------------------- the tables


def replace(data, old, new):
    if data.count(old) < 1:
        sys.exit(f"the record has no {old!r}")
    return data.replace(old, new, 1)


def incr_cases(incr):
    """Name, what becomes of the incremental file, lines of the configuration, whether there are findings."""
    ping, multi, set_, no = command("PING"), command("MULTI"), command("SET", "last", "v"), "aof-load-truncated no\n"
    return [
        ("as it was written", incr, "", False),
        ("empty", b"", "", False),
        ("only a timestamp", b"#TS:1700000000\r\n", "", False),
        ("a cut timestamp", incr + b"#TS:17", "", False),
        ("cut in the last word", (incr + set_)[:-3], "", True),
        ("cut in the last word, not tolerated", (incr + set_)[:-3], no, True),
        ("cut in the first command", b"*2\r\n$6\r\nSEL", "", True),
        ("cut behind a star", incr + b"*", "", True),
        ("cut behind a star and CR", incr + b"*\r", "", True),
        ("cut behind a count", incr + b"*3", "", True),
        ("cut behind a dollar", incr + b"*3\r\n$", "", True),
        ("cut behind a length", incr + b"*1\r\n$4\r\n", "", True),
        ("cut in CRLF", (incr + ping)[:-1], "", True),
        ("a transaction without end", incr + multi + set_, "", True),
        ("a transaction without end, not tolerated", incr + multi + set_, no, True),
        ("a transaction cut in a command", (incr + multi + set_ + set_)[:-3], "", True),
        ("a transaction with nothing in it", incr + multi, "", True),
        ("a transaction alone", multi + set_, "", True),
        ("MULTI within a transaction, no end", incr + multi + set_ + multi + set_, "", True),
        ("MULTI within a transaction", incr + multi + set_ + multi + set_ + command("EXEC"), "", True),
        ("EXEC alone", incr + command("EXEC"), "", True),
        ("text at the end", incr + b"nonsense\r\n", "", True),
        ("text at the end, not tolerated", incr + b"nonsense\r\n", no, True),
        ("NUL bytes at the end", incr + bytes(64), "", True),
        ("a blank line", incr + b"\r\n" + ping, "", True),
        ("text in the middle", replace(incr, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n", b"junk\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n"), "", True),
        ("a hole of NUL bytes", incr[:200] + bytes(60) + incr[260:], "", True),
        ("a count too high", replace(incr, b"*3\r\n$3\r\nSET", b"*4\r\n$3\r\nSET"), "", True),
        ("a count too low", replace(incr, b"*3\r\n$3\r\nSET", b"*2\r\n$3\r\nSET"), "", True),
        ("a count of 0", incr + b"*0\r\n", "", True),
        ("a negative count", incr + b"*-1\r\n", "", True),
        ("a count that is no number", incr + b"*x\r\n", "", True),
        ("a length too high", replace(incr, b"$1\r\nk\r\n", b"$9\r\nk\r\n"), "", True),
        ("a length far too high", replace(incr, b"$1\r\nk\r\n", b"$99999\r\nk\r\n"), "", True),
        ("a length too low", replace(incr, b"$3\r\nSET", b"$2\r\nSET"), "", True),
        ("a negative length", incr + b"*1\r\n$-1\r\n", "", True),
        ("an impossible length", incr + b"*1\r\n$9999999999999999\r\n", "", True),
        ("LF alone ends lines", incr + b"*1\n$4\nPING\r\n", "", True),
        ("numbers with a sign", incr + b"*+1\r\n$ 4\r\nPING\r\n", "", True),
        ("a word without CRLF", incr + b"*1\r\n$4\r\nPINGxx", "", True),
        ("a word without CRLF, and more", incr + b"*1\r\n$4\r\nPINGxx" + ping, "", True),
        ("a count beyond 32 bits", incr + b"*4294967297\r\n$4\r\nPING\r\n", "", True),
        ("an unknown command", incr + command("NOSUCH", "x"), "", True),
        ("an unknown command before", command("NOSUCH", "x") + incr, "", True),
        ("an unknown command in a transaction", incr + multi + command("NOSUCH") + command("EXEC"), "", True),
        ("a command of a later version", incr + command("HGETDEL", "h", "FIELDS", "1", "f"), "", True),
        ("a command that reads", incr + command("GET", "k"), "", False),
        ("names in other letters", incr + command("sEt", "k", "v"), "", False),
        ("an unknown second word", incr + command("FUNCTION", "NOSUCH"), "", True),
        ("an error that is passed over", incr + command("LPUSH", "k", "v"), "", False),
        ("too few words", incr + command("SET"), "", True),
        ("SELECT of no database", incr + command("SELECT", "99") + set_, "", False),
        ("SELECT of another database", incr + command("SELECT", "5") + set_, "", False),
        ("RESTORE of a damaged payload", incr + command("RESTORE", "bad", "0", b"\x00\x01v\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00"), "", True),
        ("an annotation in the middle", incr + b"#hello\r\n" + ping, "", False),
        ("an annotation too long", incr + b"#" + b"x" * 1100 + b"\r\n" + ping, "", True),
        ("an annotation within a command", incr + b"*1\r\n#x\r\n$4\r\nPING\r\n", "", True),
    ]


def manifest_cases(files):
    base, incr = (b"file appendonly.aof.1.base.rdb seq 1 type b\n", b"file appendonly.aof.1.incr.aof seq 1 type i\n")
    second = b"file appendonly.aof.2.incr.aof seq 2 type i\n"
    other = "appendonlydir/appendonly.aof.2.incr.aof"
    more = command("SELECT", "0") + command("SET", "second", "v")
    cut = files[INCR] + b"*3\r\n$3"
    texts = [
        ("as it was written", base + incr), ("incremental first", incr + base), ("CRLF", (base + incr).replace(b"\n", b"\r\n")),
        ("a comment", b"# x\n" + base + incr), ("a comment behind a blank", b" # x\n" + base + incr), ("no last LF", (base + incr)[:-1]),
        ("empty", b""), ("a blank line", base + b"\n" + incr), ("a NUL at the end", base + incr + b"\0"), ("a NUL in a line", base + incr[:-1] + b"\0\n"),
        ("only a comment", b"# x\n"), ("a path", base + b"file ./appendonly.aof.1.incr.aof seq 1 type i\n"), ("two bases", base + base + incr),
        ("a number again", base + incr + incr), ("a number that falls", base + second + incr), ("seq 0", base + incr.replace(b"seq 1", b"seq 0")),
        ("a negative seq", base + incr.replace(b"seq 1", b"seq -1")), ("a negative seq of a base", base.replace(b"seq 1", b"seq -1") + incr),
        ("seq with junk", base + incr.replace(b"seq 1", b"seq 1x")), ("seq no number", base + incr.replace(b"seq 1", b"seq x")),
        ("type in capitals", base + incr.replace(b"type i", b"type I")), ("a long type", base + incr.replace(b"type i", b"type incr")),
        ("an unknown type", base + incr.replace(b"type i", b"type x")), ("keys in capitals", base + incr.replace(b"seq", b"SEQ")),
        ("pairs in another order", base + b"type i seq 1 file appendonly.aof.1.incr.aof\n"), ("a further pair", base + incr[:-1] + b" startoffset 1\n"),
        ("an odd number of words", base + incr[:-1] + b" x\n"), ("too few words", base + b"file appendonly.aof.1.incr.aof seq 1\n"),
        ("a quoted name", base + b'file "appendonly.aof.1.incr.aof" seq 1 type i\n'), ("a quote without end", base + b'file "appendonly seq 1 type i\n'),
        ("a long line", base + incr[:-1] + b" x " + b"y" * 1000 + b"\n"), ("a history file", base + b"file gone.aof seq 1 type h\n" + incr),
        ("a missing file", base + incr + second), ("no base", incr), ("no increment", base), ("text", b"hello\n"),
        ("a repeated key", base + incr[:-1] + b" seq 7\n"), ("the base twice by name", base + incr + b"file appendonly.aof.1.base.rdb seq 2 type i\n"),
    ]
    for name, text in texts:
        yield "manifest: " + name, {**files, MANIFEST: text}, ""
    yield "manifest: missing", {**files, MANIFEST: None}, ""
    yield "two increments", {**files, MANIFEST: base + incr + second, other: more}, ""
    yield "two increments, the first cut", {**files, MANIFEST: base + incr + second, INCR: cut, other: more}, ""
    yield "two increments, the first cut, the second empty", {**files, MANIFEST: base + incr + second, INCR: cut, other: b""}, ""
    yield "two increments, the second cut", {**files, MANIFEST: base + incr + second, other: more[:-3]}, ""
    yield "two increments, the first in a transaction", {**files, MANIFEST: base + incr + second, INCR: files[INCR] + command("MULTI"), other: more}, ""
    yield "an increment that no manifest names", {**files, other: more}, ""
    yield "base cut", {**files, BASE: files[BASE][:-4]}, ""
    yield "base with a wrong checksum", {**files, BASE: files[BASE][:-1] + bytes([files[BASE][-1] ^ 1])}, ""
    yield "base of 0 bytes", {**files, BASE: b""}, ""
    yield "base of commands", {**files, BASE: more}, ""
    yield "base with commands behind", {**files, BASE: files[BASE] + more}, ""
    yield "base with a cut command behind", {**files, BASE: files[BASE] + more[:-3], INCR: b""}, ""
    single = {INCR: None, BASE: None, MANIFEST: None}
    yield "a single file of an older server", {**single, "appendonly.aof": files[INCR]}, ""
    yield "a single file with a dump", {**single, "appendonly.aof": files[BASE] + more}, ""


def main():
    if not SERVER or not CHECKER:
        print("aof: redis-server is not installed, skipped")
        return 0
    version = subprocess.run([SERVER, "--version"], capture_output=True, text=True, check=True).stdout
    parent = tempfile.mkdtemp(prefix="rcf-aof-")
    wanted = sys.argv[1:]
    counts = {}
    try:
        files, keys = record(os.path.join(parent, "record"))
        incr = files[INCR]
        if "v=7.0." not in version:
            print("aof: not Redis 7.0, only the record was read")
            return 0
        cases = [(name, {**files, INCR: data}, conf, odd) for name, data, conf, odd in incr_cases(incr)]
        cases += [(*case, None) for case in manifest_cases(files)]
        cases += [(f"cut at {at}", {**files, INCR: incr[:at]}, "", None) for at in range(1, len(incr), 29)]
        cases += [(f"bit {at % 8} of byte {at // 8} flipped", {**files, INCR: incr[:at // 8] + bytes([incr[at // 8] ^ 1 << at % 8]) + incr[at // 8 + 1:]},
                   "", None) for at in range(3, 8 * len(incr), 101)]
        for name, case, conf, odd in cases:
            if wanted and name not in wanted:
                continue
            result = play(name, parent, case, conf, odd)
            counts[result] = counts.get(result, 0) + 1
    finally:
        shutil.rmtree(parent)
    for problem in problems:
        print(f"FAIL {problem}")
    print(f"aof: {sum(counts.values())} files, {compared} comparisons, {len(problems)} failures; (said, seen): {counts}; {keys} keys recorded")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
