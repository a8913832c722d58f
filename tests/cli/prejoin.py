"""rcf-prejoin as users run it: verdicts on fixtures and on made directories, reasons, formats, exit codes."""
import csv
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile

import jsonschema

TOOL = os.path.join(os.path.abspath(os.environ["RCF_BUILD"]), "rcf-prejoin")
INSTANCES = "fixtures/incidents-redis-7.0.15/instances"
HOST = INSTANCES + "/hosts/127.0.13.6"
STORY = "fixtures/story-redis-4.0.1"
CODES = {"empty": 0, "not-empty": 1, "cannot-tell": 2}
ME, OTHER = "1" * 40, "2" * 40

with open("docs/schema/rcf-prejoin.json") as schema_file:
    SCHEMA = json.load(schema_file)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
LINE_VALIDATOR = jsonschema.Draft202012Validator({**SCHEMA["$defs"]["instance"], "$defs": SCHEMA["$defs"]})
failures = []
checked = 0


def check(what, found, expected):
    global checked
    checked += 1
    if found != expected:
        failures.append(f"{what}: {found!r}, expected {expected!r}")


def run(*arguments):
    done = subprocess.run([TOOL, *arguments], capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def judge(what, *arguments):
    """The first instance of the JSON document, with the exit code; the document must fit the schema."""
    code, out, err = run("--json", *arguments)
    if not out:
        failures.append(f"{what}: no answer, exit {code}: {err}")
        return code, {"verdict": None, "reasons": [], "start": {}, "tool_rule": {}}
    document = json.loads(out)
    check(f"{what}: schema", [error.message for error in VALIDATOR.iter_errors(document)], [])
    return code, document["instances"][0]


def subjects(said, effect="against"):
    return sorted({reason["subject"] for reason in said["reasons"] if reason["effect"] == effect})


def expect(what, arguments, verdict, against=(), opened=(), tool=None, **start):
    code, said = judge(what, *arguments)
    check(f"{what}: verdict", (said["verdict"], code), (verdict, CODES[verdict]))
    check(f"{what}: against", subjects(said), sorted(against))
    check(f"{what}: open", subjects(said, "open"), sorted(opened))
    if tool:
        check(f"{what}: tool", said["tool_rule"].get("verdict"), tool)
    for key, value in start.items():
        check(f"{what}: {key}", said["start"].get(key), value)
    return said


# Directories made by hand.

def command(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def dump(keys=(), functions=0, end=b"\xff" + bytes(8)):
    """Dumps of version 10 with the checksum switched off; keys are (db, name)."""
    data = b"REDIS0010\xfa\x09redis-ver\x067.0.15"
    code = b"#!lua name=a\nreturn 1"
    data += (b"\xf5" + bytes([len(code)]) + code) * functions
    for db, name in keys:
        data += b"\xfe" + bytes([db]) + b"\x00" + bytes([len(name)]) + name + b"\x01v"
    return data + end


def own_line(node=ME, address="127.0.0.9:7000@17000", slots="", epoch=0):
    return f"{node} {address} myself,master - 0 0 {epoch} connected{slots}\n"


ALONE = own_line() + "vars currentEpoch 0 lastVoteEpoch 0\n"
CONF = 'port 7000\nbind 127.0.0.9\ncluster-enabled yes\nappendonly {}\nsave ""\n'
LOG = ("1:M 22 Nov 2026 15:18:45.118 # Redis version=7.0.15, bits=64, modified=0, pid=1, just started\n"
       "1:M 22 Nov 2026 15:18:45.120 * Running mode=cluster, port=7000.\n")
MANIFEST = b"file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
SELECT = command(b"SELECT", b"0")
SET = command(b"SET", b"k", b"v")
FLUSHALL = command(b"FLUSHALL")


def aof(incr, base=dump()):
    return {
        "appendonlydir/appendonly.aof.manifest": MANIFEST,
        "appendonlydir/appendonly.aof.1.base.rdb": base,
        "appendonlydir/appendonly.aof.1.incr.aof": incr,
    }


class Directory:
    def __init__(self, parent):
        self.parent = parent
        self.made = 0

    def make(self, files, appendonly="no", view=ALONE, conf=True, log=True):
        folder = os.path.join(self.parent, str(self.made))
        self.made += 1
        files = dict(files)
        if conf:
            files["redis.conf"] = CONF.format(appendonly)
        if log:
            files["redis.log"] = LOG
        if view:
            files["nodes.conf"] = view
        os.makedirs(folder)
        for name, data in files.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data.encode() if isinstance(data, str) else data)
        return folder


def fixtures():
    expect("7100", [HOST + "/7100"], "empty", tool="empty", source="dump")
    said = expect("7101", [HOST + "/7101"], "not-empty", ["data"], tool="not-empty", source="aof", provable_keys="1")
    check("7101: where", [(reason["file"], reason["offset"]) for reason in said["reasons"]],
          [("appendonlydir/appendonly.aof.1.incr.aof", "23")])
    said = expect("7102", [HOST + "/7102"], "not-empty", ["data"], tool="cannot-tell", source="refuses", other_db=True)
    check("7102: says the database", "1 key in db 3" in [reason["text"] for reason in said["reasons"]], True)
    for stage in ("05-deleted", "06-stale-restarted"):
        said = expect(stage, [f"{STORY}/{stage}/hosts/127.0.0.6/7002"], "not-empty", ["knows-others"], tool="not-empty")
        check(f"{stage}: known nodes", said["known_nodes"], 7)
    said = expect("07-reset", [STORY + "/07-reset/hosts/127.0.0.6/7002"], "empty", tool="empty")
    check("07-reset: notes", subjects(said, "note"), ["epochs"])
    check("07-reset: epochs", (said["current_epoch"], said["config_epoch"], said["last_vote_epoch"]), ("9", "8", "9"))
    expect("dirty-removed", ["fixtures/incidents-redis-7.0.15/dirty-removed/hosts/127.0.31.6/7002"], "not-empty",
           ["data", "knows-others", "open-slots"], held_keys="3")


def several():
    code, out, _ = run("--format=jsonl", INSTANCES)
    lines = [json.loads(line) for line in out.splitlines()]
    check("several: exit is the worst", code, 1)
    check("several: verdicts", [line["verdict"] for line in lines], ["empty", "not-empty", "not-empty"])
    check("several: jsonl schema", [error.message for line in lines for error in LINE_VALIDATOR.iter_errors(line)], [])
    for name, verdict in (("127.0.13.6:7100", "empty"), ("50c8d565", "empty"), ("127.0.13.6:7102", "not-empty")):
        expect(f"--instance {name}", [f"--instance={name}", INSTANCES], verdict, ["data"] if verdict != "empty" else [])
    check("--instance: unknown", run("--instance=127.0.13.6:1", INSTANCES)[0], 2)


def clusters():
    target = STORY + "/07-reset/hosts/127.0.0.6/7002"
    said = expect("cluster: not listed", ["--cluster", STORY + "/07-reset", target], "empty")
    check("cluster: members read", said["members_read"], 6)
    said = expect("cluster: listed", ["--cluster", STORY + "/10-recovered", target], "not-empty", ["listed-by-member"],
                  tool="empty")
    check("cluster: who lists it", said["reasons"][0]["file"].startswith("hosts/"), True)
    check("cluster: its line", bool(said["reasons"][0]["line"]), True)
    expect("cluster: none", ["--cluster", HOST + "/7100", target], "cannot-tell", opened=["members"])


def addresses(directory):
    member = "3" * 40
    view = (f"{OTHER} 127.0.0.8:7000@17000 myself,master - 0 0 1 connected 0-8191\n"
            f"{member} 127.0.0.9:7000@17000 master - 0 1795359208232 2 connected 8192-16383\n"
            "vars currentEpoch 2 lastVoteEpoch 0\n")
    third = view.replace("myself,", "").replace(f"{member} 127.0.0.9:7000@17000 master - 0 1795359208232",
                                                f"{member} 127.0.0.9:7000@17000 myself,master - 0 0")
    third = third.replace("127.0.0.8:7000@17000 master - 0 0", "127.0.0.8:7000@17000 master - 0 1795359208233")
    case = directory.make({"a/nodes_7000.conf": view, "b/nodes_7000.conf": third}, view=None, conf=False, log=False)
    newcomer = directory.make({})
    expect("address conflict", ["--cluster", case, newcomer], "not-empty", ["address-conflict"], tool="empty")
    elsewhere = directory.make({}, view=ALONE.replace("127.0.0.9:7000", "127.0.0.10:7000"))
    expect("no address conflict", ["--cluster", case, elsewhere], "empty")
    cloned = directory.make({}, view=ALONE.replace("127.0.0.9:7000", "127.0.0.10:7000").replace(ME, OTHER))
    expect("id of a member", ["--cluster", case, cloned], "not-empty", ["listed-by-member"])


def data(directory):
    make = directory.make
    keys = dump([(0, b"k"), (0, b"m")])
    expect("nothing at all", [make({})], "empty", source="nothing")
    expect("dump without keys", [make({"dump.rdb": dump()})], "empty", source="dump")
    expect("dump with keys", [make({"dump.rdb": keys})], "not-empty", ["data"], provable_keys="2", tool="not-empty")
    expect("AOF on, none there", [make({}, "yes")], "empty", source="nothing")
    said = expect("AOF on, dump with keys", [make({"dump.rdb": keys}, "yes")], "not-empty", ["data"], tool="empty",
                  source="nothing", ignored_keys="2", keys="no-keys")
    check("AOF on, dump with keys: not agreed", said["tool_rule"]["agrees"], False)
    expect("AOF of 0 bytes", [make(aof(b"", b""), "yes")], "empty", source="aof")
    expect("flushed at the end", [make(aof(SELECT + SET + FLUSHALL), "yes")], "empty", source="aof")
    expect("flushed base", [make(aof(FLUSHALL, keys), "yes")], "empty", source="aof")
    expect("set after the flush", [make(aof(FLUSHALL + SET), "yes")], "not-empty", ["data"], source="aof")
    expect("set and deleted", [make(aof(SELECT + SET + command(b"DEL", b"k")), "yes")], "empty", source="aof")
    expect("a script", [make(aof(command(b"EVAL", b"return 1", b"0")), "yes")], "cannot-tell", opened=["data"])
    expect("a script, then flushed", [make(aof(command(b"EVAL", b"return 1", b"0") + FLUSHALL), "yes")], "empty")
    expect("MULTI without EXEC", [make(aof(SELECT + command(b"MULTI") + SET), "yes")], "empty", source="aof")
    expect("base truncated", [make(aof(b"", dump(end=b"")), "yes")], "cannot-tell", opened=["data"], source="refuses",
           tool="cannot-tell")
    expect("base truncated, with keys", [make(aof(b"", dump([(0, b"k")], end=b"")), "yes")], "not-empty", ["data"],
           source="refuses")
    expect("cut in the last file", [make(aof(SELECT + SET[:-5]), "yes")], "empty", source="aof")
    expect("increment missing", [make({"appendonlydir/appendonly.aof.manifest": MANIFEST,
                                       "appendonlydir/appendonly.aof.1.base.rdb": dump()}, "yes")],
           "cannot-tell", opened=["data"], source="refuses")
    expect("AOF off, AOF with a key", [make(aof(SELECT + SET))], "not-empty", ["data"], tool="empty", ignored_keys="1")
    expect("AOF off, AOF without", [make(aof(SELECT))], "empty", source="nothing")
    expect("functions", [make({"dump.rdb": dump(functions=2)})], "not-empty", ["data"], tool="empty", functions="2",
           keys="no-keys")
    expect("db 3", [make({"dump.rdb": dump([(3, b"k")])})], "not-empty", ["data"], source="refuses", other_db=True)
    expect("a temporary dump", [make({"temp-4711.rdb": keys})], "empty", source="nothing")
    expect("bad magic", [make({"dump.rdb": b"no dump at all\x00\x01"})], "cannot-tell", opened=["data"],
           source="refuses")


def compressed(directory):
    def pack(folder):
        for parent, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(parent, name)
                with open(path, "rb") as plain, open(path + ".gz", "wb") as packed:
                    packed.write(gzip.compress(plain.read()))
                os.remove(path)
        return folder

    for port, verdict in (("7100", "empty"), ("7101", "not-empty"), ("7102", "not-empty")):
        folder = os.path.join(directory.parent, "gz" + port)
        shutil.copytree(f"{HOST}/{port}", folder)
        expect(f"gz {port}", [pack(folder)], verdict, ["data"] if verdict != "empty" else [])
    cut = directory.make({"dump.rdb.gz": gzip.compress(dump())[:-12]})
    expect("gz cut", [cut], "cannot-tell", opened=["data", "unread"])


def unreadable(directory):
    folder = directory.make({"dump.rdb": dump()})
    os.rename(folder + "/dump.rdb", directory.parent + "/elsewhere.rdb")
    os.symlink(directory.parent + "/elsewhere.rdb", folder + "/dump.rdb")
    expect("a symbolic link", [folder], "cannot-tell", opened=["data"])
    if os.geteuid() != 0:
        folder = directory.make({"dump.rdb": dump()})
        os.chmod(folder + "/dump.rdb", 0)
        expect("no permission", [folder], "cannot-tell", opened=["data", "unread"])


def views(directory):
    make = directory.make
    expect("no nodes.conf", [make({"dump.rdb": dump()}, view=None)], "empty")
    past = LOG + "1:M 22 Nov 2026 15:18:47.187 # Cluster state changed: ok\n"
    expect("nodes.conf lost", [make({"dump.rdb": dump(), "redis.log": past}, view=None, log=False)], "cannot-tell",
           opened=["nodes-conf"])
    expect("slots", [make({}, view=own_line(slots=" 0-99") + "vars currentEpoch 0 lastVoteEpoch 0\n")], "not-empty",
           ["slots"], tool="empty")
    expect("cut", [make({}, view=own_line()[:60])], "cannot-tell", opened=["nodes-conf"])
    expect("no redis.conf, nothing there", [make({}, conf=False)], "empty", appendonly=None)
    expect("no redis.conf, a dump with keys", [make({"dump.rdb": dump([(0, b"k")])}, conf=False)], "not-empty",
           ["data"], keys="cannot-tell", assumed=True)
    said = expect("no redis.conf, an AOF that may hold keys",
                  [make(aof(command(b"EVAL", b"return 1", b"0")), conf=False)], "cannot-tell", opened=["data"])
    check("no redis.conf: what would settle it",
          any("redis.conf" in reason["text"] for reason in said["reasons"]), True)
    expect("not a cluster node", [make({"redis.conf": "port 7000\nbind 127.0.0.9\n"}, view=None, conf=False)], "empty")


def formats(directory):
    code, out, _ = run("--csv", INSTANCES)
    rows = list(csv.DictReader(io.StringIO(out)))
    check("csv: exit", code, 1)
    check("csv: instances", sorted({row["instance"] for row in rows}),
          ["127.0.13.6:7100", "127.0.13.6:7101", "127.0.13.6:7102"])
    check("csv: every row has its verdict", {row["verdict"] for row in rows} <= set(CODES), True)
    _, out, _ = run(HOST + "/7100")
    check("text: the answer first", out.splitlines()[0], "127.0.13.6:7100  empty")
    check("text: no rule beside ours where they agree", "by its own rule" in out, False)
    check("text: the rule where they differ", "by its own rule" in run(HOST + "/7102")[1], True)
    check("text: twice the same", run(INSTANCES)[1], run(INSTANCES)[1])
    named = directory.make({"x\x1b[31m.rdb": dump([(0, b"k")])}, conf=False)
    check("text: no escape reaches the terminal", "\x1b" in "".join(run(named)[1:]), False)
    check("quiet", run("-q", HOST + "/7101")[:2], (1, ""))
    check("help", run("--help")[0], 0)
    check("usage: nothing", run()[0], 2)
    check("usage: option", run("--nonsense", HOST)[0], 2)
    check("no such directory", run("does/not/exist")[0], 2)
    empty = os.path.join(directory.parent, "empty")
    os.mkdir(empty)
    code, out, err = run(empty)
    check("an empty directory", (code, out, bool(err)), (2, "", True))
    with open("/dev/full", "wb") as full:
        done = subprocess.run([TOOL, HOST + "/7100"], stdout=full, stderr=subprocess.DEVNULL)
        check("a full disk", done.returncode, 2)


def main():
    parent = tempfile.mkdtemp(prefix="rcf-prejoin-")
    directory = Directory(parent)
    try:
        fixtures()
        several()
        clusters()
        for part in (addresses, data, compressed, unreadable, views, formats):
            part(directory)
    finally:
        shutil.rmtree(parent)
    for failure in failures:
        print(f"FAIL {failure}")
    print(f"prejoin: {checked} checks, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
