"""rcf-rdb-diff as users run it: real dumps, the same data written by servers that store it in other ways, damage, formats."""
import contextlib
import glob
import gzip
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

from support import BUILD, expect, finish, run, same, validate

SERVER = "/usr/bin/redis-server"
STORY = "fixtures/story-redis-4.0.1"
SOUND = STORY + "/10-recovered/hosts/127.0.0.6/7000/dump_7000.rdb"


def compare(*words, stdin=None):
    """Exit code, document (by its schema) and the keys as (how, name)."""
    code, out, err = run("rcf-rdb-diff", "--json", *words, stdin=stdin)
    if not expect(out, "rcf-rdb-diff %s: exit %d: %s" % (words, code, err)):
        return code, {"counts": {}, "keys": []}, []
    document = json.loads(out)
    validate(document, "rcf-rdb-diff")
    return code, document, [(key["how"], key["key"]) for key in document["keys"]]


def nothing(*words, what):
    code, document, keys = compare(*words)
    same((code, document.get("answer"), keys), (0, "equal", []), what)
    return document


# ---------------------------------------------------------------- the fixtures

def of_stage(stage):
    return sorted(glob.glob("%s/%s/hosts/*/*/*.rdb" % (STORY, stage)))


def check_fixtures(scratch):
    document = nothing(SOUND, SOUND, what="a dump and itself")
    same(document["counts"]["equal"], document["counts"]["keys_a"], "all of it is equal")
    for dump in of_stage("10-recovered"):
        nothing(dump, *of_stage("10-recovered"), "--ignore=only-b", what="%s among its cluster" % dump)
    before, after = of_stage("06-stale-restarted"), of_stage("10-recovered")
    also = ["--also=" + path for path in before[1:]]
    code, document, keys = compare(before[0], *also, *after)
    counts = {name: int(count) for name, count in document["counts"].items()}
    same(code, 1 if keys else 0, "a cluster before and after: exit")
    same(len(document["files"]), len(before) + len(after), "all dumps are read")
    same(counts["keys_a"] - counts["repeated_a"], sum(counts[how] for how in ("equal", "only_a", "type", "value", "expiry")),
         "each key of A has one fate")
    same(len(keys), sum(counts[how] for how in ("only_a", "only_b", "type", "value", "expiry")), "each key is named once")
    same({name for how, name in keys if how == "only-a"}, set(), "a recovered cluster has lost nothing")

    # An answer does not depend on what the file is wrapped in, nor on the way there.
    packed = os.path.join(scratch, "packed.rdb.gz")
    with open(SOUND, "rb") as file, gzip.open(packed, "wb") as other:
        other.write(file.read())
    nothing(packed, SOUND, what="a compressed dump")
    with open(SOUND, "rb") as file:
        content = file.read()
    for words in (["--counts", "-", SOUND], ["--counts", SOUND, "-"]):
        code, document, _ = run_bytes(words, content)
        same((code, document["answer"], document["listed"]), (0, "equal", False), "standard input: %s" % words)
    for words, about in ((["-", SOUND], "--counts"), (["-", "-"], "once only"), (["--counts", "--also=-", SOUND, "-"], "one dump only")):
        code, _, err = run("rcf-rdb-diff", *words, stdin=b"")
        same((code, about in err), (2, True), "standard input is refused: %s" % err)


def run_bytes(words, content):
    process = subprocess.run([os.path.join(BUILD, "rcf-rdb-diff"), "--json", *words], input=content, stdout=subprocess.PIPE, timeout=60)
    document = json.loads(process.stdout)
    validate(document, "rcf-rdb-diff")
    return process.returncode, document, []


def check_forms():
    first, second = of_stage("06-stale-restarted")[0], SOUND
    _, document, _ = compare(first, second)
    _, lines, _ = run("rcf-rdb-diff", "--format=jsonl", first, second)
    same([json.loads(line) for line in lines.splitlines()], document["keys"], "jsonl has the keys of json")
    _, table, _ = run("rcf-rdb-diff", "--csv", first, second)
    same(len(table.splitlines()), 1 + len(document["keys"]), "csv has a row a key")
    _, text, _ = run("rcf-rdb-diff", "-v", first, second)
    same(len(text.splitlines()), 5 + len(document["keys"]), "text with -v has a line a key")
    slots = {key["slot"] for key in document["keys"]}
    some = min(slots) if slots else 0
    _, narrow, keys = compare("--slot=%d" % some, first, second)
    same(keys, [(key["how"], key["key"]) for key in document["keys"] if key["slot"] == some], "--slot takes its keys")
    _, narrow, keys = compare("--match=user:*", first, second)
    same(keys, [(key["how"], key["key"]) for key in document["keys"] if key["key"].startswith("user:")], "--match takes its keys")
    same(compare("--db=1", first, second)[1]["counts"]["keys_a"], "0", "--db takes its keys")
    same(compare("--ignore=only-a", "--ignore=only-b", first, second)[2],
         [(key["how"], key["key"]) for key in document["keys"] if not key["how"].startswith("only")], "--ignore leaves the others")
    same(run("rcf-rdb-diff", "--ignore=nothing", first, second)[0], 2, "--ignore takes known words")


def check_damage(scratch):
    with open(SOUND, "rb") as file:
        content = file.read()
    changed = bytearray(content)
    changed[-1] ^= 1
    for name, damaged in (("cut", content[:len(content) // 2]), ("changed", bytes(changed)), ("empty", b""), ("text", b"no dump\n")):
        path = os.path.join(scratch, name + ".rdb")
        with open(path, "wb") as file:
            file.write(damaged)
        for words in ((path, SOUND), (SOUND, path)):
            code, out, err = run("rcf-rdb-diff", "--json", *words)
            document = json.loads(out)
            validate(document, "rcf-rdb-diff")
            same((code, document["answer"]), (2, "cannot-tell"), "%s: nothing is proved" % name)
            expect(path in err, "%s: the message names the file: %s" % (name, err))
            same([file["whole"] for file in document["files"]], [word == SOUND for word in words], "%s: which file it is" % name)
    code, document, keys = compare(os.path.join(scratch, "cut.rdb"), SOUND)
    expect({how for how, _ in keys} == {"only-b"}, "what was read of a cut dump is compared")
    same(run("rcf-rdb-diff", os.path.join(scratch, "missing"), SOUND)[0], 2, "a missing file")
    check_salvage(scratch, content)


def check_salvage(scratch, content):
    """What stands behind damage that loses the position is compared, in both readings, and what was skipped is said."""
    rows = json.loads(run("rcf-rdb-keys", "--json", SOUND)[1])["keys"]
    spoilt = [rows[number] for number in (len(rows) // 3, len(rows) // 2)]
    damaged = bytearray(content)
    for row in spoilt:
        damaged[int(row["offset"])] = 77
    path = os.path.join(scratch, "spoilt.rdb")
    with open(path, "wb") as file:
        file.write(damaged)
    lost = sum(int(rows[rows.index(row) + 1]["offset"]) - int(row["offset"]) for row in spoilt)
    code, document, keys = compare(SOUND, path)
    same((code, document["answer"], document["counts"]["equal"]), (2, "cannot-tell", str(len(rows) - 2)), "all but two are equal")
    same(sorted(keys), sorted(("only-a", row["key"]) for row in spoilt), "two are not seen in B")
    same([(file["losses"], file["lost_bytes"], file["whole"]) for file in document["files"]],
         [("0", "0", True), ("2", str(lost), False)], "what was skipped")
    same(sorted(compare(path, SOUND)[2]), sorted(("only-b", row["key"]) for row in spoilt), "the other way")
    err = run("rcf-rdb-diff", SOUND, path)[2]
    expect("%d bytes skipped in 2 stretches" % lost in err, "the message tells what was skipped: " + err)
    err = run("rcf-rdb-diff", "--counts", SOUND, "-", stdin=bytes(damaged))[2]
    expect("nothing after this can be read" in err, "standard input is not searched: " + err)


# ---------------------------------------------------------------- servers

class Server:
    """A server of its own behind a socket, and a client of it."""

    def __init__(self, folder, *options):
        os.mkdir(folder)
        self.path = os.path.join(folder, "dump.rdb")
        where = os.path.join(folder, "socket")
        self.process = subprocess.Popen([SERVER, "--port", "0", "--unixsocket", where, "--dir", folder, "--save", "", *options],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.socket = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + 20
        while True:
            try:
                self.socket.connect(where)
                break
            except OSError:
                if time.monotonic() > end:
                    self.stop()
                    raise
                time.sleep(0.02)
        self.replies = self.socket.makefile("rb")

    def __call__(self, *words):
        encoded = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded))
        return self.reply()

    def reply(self):
        line = self.replies.readline().rstrip(b"\r\n")
        mark, rest = line[:1], line[1:]
        if mark == b"-":
            raise RuntimeError(rest.decode())
        if mark == b"$":
            return self.replies.read(int(rest) + 2)[:-2] if int(rest) >= 0 else None
        if mark == b"*":
            return [self.reply() for _ in range(int(rest))]
        return rest

    def save(self, path):
        self("SAVE")
        shutil.copy(self.path, path)
        return path

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def fill(server, order):
    """The same data for every server; `order` turns the order in which it comes."""
    def many(count):
        return order(list(range(count)))

    def words():
        for n in many(20):
            server("SET", "text:%d" % n, "value of %d " % n * (n * 10))
            server("SET", "number:%d" % n, n * 1000003)
            server("HSET", "hash:%d" % n, *[word for i in many(n + 1) for word in ("field:%d" % i, i * 7)])
            server("SADD", "set:%d" % n, *["member:%d" % i for i in many(n + 1)])
            server("SADD", "ints:%d" % n, *[i * 100000 for i in many(n + 1)])
            server("ZADD", "zset:%d" % n, *[word for i in many(n + 1) for word in (i / 3, "member:%d" % i)])
            server("RPUSH", "list:%d" % n, *["item:%d" % i if i % 2 else i for i in range(n * 3 + 1)])
            for i in range(n + 1):
                server("XADD", "stream:%d" % n, "%d-%d" % (1000 + i, i % 3 + 1), "name", i, "other", "x" * i)
            server("PEXPIREAT", "text:%d" % n, 4102444800000 + n) if n % 2 else None
        server("XDEL", "stream:10", "1003-1")
        server("XGROUP", "CREATE", "stream:10", "group", "1002-3", "ENTRIESREAD", 3)
        server("XCLAIM", "stream:10", "group", "consumer", 0, "1001-2", "TIME", 1700000000000, "RETRYCOUNT", 3, "FORCE", "JUSTID")
        server("ZADD", "ends", "-inf", "low", "inf", "high", 0, "middle", "1e-300", "small")
        server("PFADD", "hyperloglog", *["element:%d" % i for i in range(100)])
        server("SET", b"\xff\x00binary", b"\x00\xff")
        server("SETRANGE", "raw", 4, "")
        server("SET", "raw", "12345")
        server("APPEND", "raw", "6")

    words()
    server("SELECT", 3)
    words()
    server("SELECT", 0)


OTHERWISE = ["--hash-max-listpack-entries", "0", "--zset-max-listpack-entries", "0", "--set-max-intset-entries", "0",
             "--list-max-listpack-size", "1", "--stream-node-max-entries", "1", "--rdbcompression", "no"]
DEEPLY = ["--list-max-listpack-size", "4", "--list-compress-depth", "1", "--stream-node-max-entries", "3", "--rdbchecksum", "no",
          "--hll-sparse-max-bytes", "0"]

# All keys but the HyperLogLog: that is a string for users, and a dense one is another string than a sparse one.
LIKE_STRINGS = ["--match=[^h]*", "--match=hash*"]


def check_servers(scratch):
    with contextlib.ExitStack() as stack:
        def start(name, *options):
            server = Server(os.path.join(scratch, name), *options)
            stack.callback(server.stop)
            return server

        usual, otherwise, deeply = start("usual"), start("otherwise", *OTHERWISE), start("deeply", *DEEPLY)
        fill(usual, list)
        fill(otherwise, lambda numbers: numbers[::-1])
        fill(deeply, lambda numbers: numbers[1::2] + numbers[::2])
        dumps = [server.save(os.path.join(scratch, "%d.rdb" % n)) for n, server in enumerate((usual, otherwise, deeply))]
        for a in dumps:
            for b in dumps:
                others = LIKE_STRINGS if (a == dumps[2]) != (b == dumps[2]) else []
                nothing(a, b, *others, what="the same data in other encodings: %s" % (os.path.basename(a) + " " + os.path.basename(b)))

        for how, name, commands in CHANGES:
            check_change(scratch, dumps[0], deeply, how, name, commands)
        deeply("SELECT", 3)
        check_change(scratch, dumps[0], deeply, "only-a", "set:1", [("DEL", "set:1")])


# What is done to a key, and how it differs then.
CHANGES = [
    ("value", "hash:5", [("HSET", "hash:5", "field:2", "15")]),
    ("value", "hash:6", [("HDEL", "hash:6", "field:2")]),
    ("value", "hash:7", [("HSET", "hash:7", "fresh", "")]),
    ("value", "set:5", [("SREM", "set:5", "member:1")]),
    ("value", "ints:5", [("SADD", "ints:5", "7")]),
    ("value", "zset:5", [("ZADD", "zset:5", "1.25", "member:3")]),
    ("value", "list:5", [("LSET", "list:5", "3", "other")]),
    ("value", "list:6", [("LMOVE", "list:6", "list:6", "LEFT", "RIGHT")]),
    ("value", "stream:5", [("XADD", "stream:5", "9999-1", "name", "x")]),
    ("value", "stream:6", [("XDEL", "stream:6", "1002-3")]),
    ("value", "stream:7", [("XGROUP", "CREATE", "stream:7", "group", "0")]),
    ("value", "stream:10", [("XACK", "stream:10", "group", "1001-2")]),
    ("value", "text:4", [("APPEND", "text:4", "!")]),
    ("value", "number:3", [("INCR", "number:3")]),
    ("expiry", "text:5", [("PEXPIREAT", "text:5", "4102444800999")]),
    ("expiry", "text:7", [("PERSIST", "text:7")]),
    ("expiry", "set:8", [("PEXPIREAT", "set:8", "4102444800000")]),
    ("type", "set:4", [("DEL", "set:4"), ("ZADD", "set:4", "1", "member:0")]),
    ("only-a", "list:9", [("DEL", "list:9")]),
    ("only-b", "new", [("SET", "new", "")]),
]


def check_change(scratch, before, server, how, name, commands):
    """The key alone differs, whichever side it is on; then it is as it was."""
    kept, expiry = server("DUMP", name), int(server("PEXPIRETIME", name))
    about = " ".join(commands[-1])
    for words in commands:
        server(*words)
    changed = server.save(os.path.join(scratch, "changed.rdb"))
    code, _, keys = compare(before, changed, *LIKE_STRINGS)
    same((code, keys), (1, [(how, name)]), "%s is one difference" % about)
    turned = {"only-a": "only-b", "only-b": "only-a"}.get(how, how)
    same(compare(changed, before, *LIKE_STRINGS)[2], [(turned, name)], "%s, the other way" % about)
    if how == "expiry":
        nothing(before, changed, "--ignore=expiry", *LIKE_STRINGS, what="%s, ignored" % about)
    server("DEL", name)
    if kept is not None:
        server("RESTORE", name, max(expiry, 0), kept, *(["ABSTTL"] if expiry > 0 else []))


def check():
    with tempfile.TemporaryDirectory(prefix="rcf-") as scratch:
        check_fixtures(scratch)
        check_forms()
        check_damage(scratch)
        check_servers(scratch)


check()
finish()
