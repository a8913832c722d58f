"""rcf-rdb-check as users run it: real dumps against what servers said, damage of each kind, formats, exit codes."""
import csv
import glob
import gzip
import io
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import jsonschema

from rdb_bytes import crc64, length

TOOL = os.path.join(os.path.abspath(os.environ["RCF_BUILD"]), "rcf-rdb-check")
SAMPLE = "fixtures/story-redis-4.0.1/06-stale-restarted/hosts/127.0.0.6/7000/dump_7000.rdb"
NEWEST_JUDGED_BY_REDIS = 10  # redis-check-rdb 7.0
with open("docs/schema/rcf-rdb-check.json", encoding="utf-8") as schema_file:
    SCHEMA = json.load(schema_file)
failures = []


def check(what, found, expected):
    if found != expected:
        failures.append(f"{what}: {found!r}, expected {expected!r}")


def run(*arguments, data=b"", cwd=None):
    done = subprocess.run([TOOL, *arguments], input=data, capture_output=True, timeout=120, cwd=cwd)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def records(*arguments, data=b""):
    """Exit code and records, which must satisfy the schema."""
    code, out, _ = run("--json", *arguments, data=data)
    document = json.loads(out)
    jsonschema.validate(document, SCHEMA)
    return code, document["files"]


def findings(record):
    return [defect["finding"] for defect in record["defects"]]


# ---------------------------------------------------------------- dumps made here

def sealed(body, checksum=None):
    """`body` with its end."""
    body += b"\xff"
    return body + struct.pack("<Q", crc64(body) if checksum is None else checksum)


def text(content):
    return length(len(content)) + content


def key(name, value=b"v"):
    return b"\0" + text(name) + text(value)


def aux(name, value):
    return b"\xfa" + text(name) + text(value)


def container(dump):
    """As Valkey 9.2 writes it."""
    return b"VCS\1\1\0\0" + subprocess.run(["lz4", "-q", "-c"], input=dump, capture_output=True, check=True).stdout


def dragonfly(records):
    """Records that Dragonfly compressed together, in a dump of its own."""
    frames = [subprocess.run(command, input=records + b"\xcb", capture_output=True, check=True).stdout
              for command in (["zstd", "-q", "-c"], ["lz4", "-q", "-c"])]
    return sealed(b"REDIS0009" + aux(b"df-ver", b"df-v1.21.2") + b"\xfe\0\xc9" + text(frames[0]) +
                  b"\xfe\1\xca" + text(frames[1]), 0)


HEADER = b"REDIS0010"
MARK = b"0123456789abcdef" * 2 + b"01234567"
SMALL = sealed(HEADER + aux(b"redis-ver", b"7.0.15") + aux(b"ctime", b"1700000000") + aux(b"repl-id", b"a" * 40) +
               aux(b"repl-offset", b"4711") + b"\xf5" + text(b"#!lua name=f\n") +
               b"\xfe\0\xfb\2\1" + key(b"{tag}1") + b"\xfc" + struct.pack("<q", 1800000000000) + key(b"{tag}2") +
               b"\xfe\3\xfb\1\0\x02" + text(b"set") + b"\2" + text(b"a") + text(b"b"))


def contents(scratch):
    path = os.path.join(scratch, "small.rdb")
    with open(path, "wb") as file:
        file.write(SMALL)
    code, (record,) = records("--slots", path)
    check("small: exit", code, 0)
    for name, expected in {
            "file": path, "verdict": "ok", "magic": "REDIS", "rdb_version": 10, "writer": "Redis 7.0.15",
            "ctime": "2023-11-14T22:13:20.000Z", "keys": "3", "expires": "1", "slot_count": 2, "functions": "1",
            "checksum": "valid", "stored_checksum": "%016x" % struct.unpack("<Q", SMALL[-8:]), "repl_id": "a" * 40,
            "repl_offset": "4711", "aof_base": False, "coding": "plain", "size": str(len(SMALL)), "defect_count": "0",
            "databases": [{"db": 0, "keys": "2", "expires": "1"}, {"db": 3, "keys": "1", "expires": "0"}],
            "defects": [], "slots": [{"slot": 2964, "keys": "1"}, {"slot": 8338, "keys": "2"}]}.items():
        check(f"small: {name}", record[name], expected)
    code, out, _ = run(path)
    check("small: text", out, f"ok           {path}: RDB 10, Redis 7.0.15, written 2023-11-14T22:13:20.000Z, "
          "db0 2 keys, db3 1 key in 2 slots, 1 function library, checksum valid\n")
    code, (record,) = records("--checksum-only", path)
    check("small: checksum only", (code, record["verdict"], record["checksum"], record["keys"], record["databases"]),
          (0, "ok", "valid", None, []))


def cluster_facts():
    states = b"93<" + b"a" * 40 + b",100>" + b"b" * 40 + b","
    code, (record,) = records("-", data=sealed(b"VALKEY080" + aux(b"cluster-slot-states", states) +
                                               b"\xf3" + text(b"job") + b"\2\0\1\5\5"))
    check("facts of the cluster", (code, record["open_slots"], record["imports"]),
          (0, states.decode(), [{"job": "job", "slots": "0-1 5-5"}]))


# name, bytes, verdict, findings, offset of the first, exit, verdict of --checksum-only
def damaged_dumps():
    keys = HEADER + b"\xfe\0\xfb\2\0" + key(b"a")
    whole = sealed(keys + key(b"b"))
    ends = len(whole)
    capture = b"$EOF:" + MARK + b"\r\n"
    large = sealed(HEADER + b"\xfe\0" + b"".join(key(b"key:%d" % i) for i in range(120000)), 0)
    flipped = bytearray(whole)
    flipped[whole.index(b"b")] ^= 1
    return [
        ("whole", whole, "ok", [], None, 0, "ok"),
        ("empty", b"", "damaged", ["dump-truncated"], 0, 1, "damaged"),
        ("magic cut", b"REDIS00", "damaged", ["dump-truncated"], 7, 1, "damaged"),
        ("header alone", HEADER, "damaged", ["dump-truncated"], 9, 1, "damaged"),
        ("no magic", b"redis" + whole[5:], "damaged", ["dump-corrupt"], 0, 1, "damaged"),
        ("text", b"port 7000\n", "damaged", ["dump-corrupt"], 0, 1, "damaged"),
        ("version digits", b"REDIS0x10" + whole[9:], "damaged", ["dump-corrupt"], 0, 1, "damaged"),
        ("version 0", b"REDIS0000" + whole[9:], "damaged", ["dump-corrupt"], 5, 1, "damaged"),
        ("version to come", sealed(b"REDIS0079" + (keys + key(b"b"))[9:]), "unsupported", ["dump-unsupported"], 5, 1,
         "unsupported"),
        ("version of Valkey to come", sealed(b"VALKEY999" + (keys + key(b"b"))[9:]), "unsupported",
         ["dump-unsupported"], 6, 1, "unsupported"),
        ("version of another magic", b"REDIS0080" + whole[9:], "unsupported", ["dump-unsupported"], 5, 1,
         "unsupported"),
        ("container of another codec", b"VCS\1\2\0\0" + whole, "unsupported", ["dump-unsupported"], 4, 1,
         "unsupported"),
        ("container", container(whole), "ok", [], None, 0, "ok"),
        ("container and more", container(whole) + b"x", "ok", ["dump-inconsistent"], ends, 0, "damaged"),
        ("capture", capture + whole + MARK, "ok", [], None, 0, "unsupported"),
        ("capture without its mark", capture + whole, "ok", ["dump-inconsistent"], ends + 47, 0, "unsupported"),
        ("capture by length", b"$%d\r\n" % ends + whole, "ok", [], None, 0, "unsupported"),
        ("Dragonfly", dragonfly(key(b"a") + key(b"b")), "ok", ["dump-checksum-disabled"], None, 0, "ok"),
        ("Dragonfly, unknown type in a blob", dragonfly(key(b"a") + b"\x4d" + text(b"k")), "unsupported",
         ["dump-unsupported"], 30, 1, "ok"),
        ("capture cut", capture + whole[:-9], "damaged", ["dump-truncated"], ends + 38, 1, "unsupported"),
        ("checksum flipped", whole[:-1] + bytes([whole[-1] ^ 1]), "damaged", ["dump-checksum-mismatch"], ends - 8, 1,
         "damaged"),
        ("key flipped", bytes(flipped), "damaged", ["dump-checksum-mismatch"], ends - 8, 1, "damaged"),
        ("checksum off", sealed(keys + key(b"b"), 0), "ok", ["dump-checksum-disabled"], ends - 8, 0, "ok"),
        ("before checksums", b"REDIS0004\xfe\0" + key(b"a") + b"\xff", "ok", [], None, 0, "ok"),
        ("zero follows", whole + b"\0", "ok", ["dump-inconsistent"], ends, 0, "damaged"),
        ("many zeros follow", whole + bytes(4096), "ok", ["dump-inconsistent"], ends, 0, "damaged"),
        ("bytes follow", whole + b"\0\0\0", "ok", ["dump-inconsistent"], ends, 0, "damaged"),
        ("bytes follow a checksum of 0", sealed(keys + key(b"b"), 0) + b"x" * 20, "ok",
         ["dump-inconsistent", "dump-checksum-disabled"], ends, 0, "damaged"),
        ("bytes follow a large dump without checksum", large + b"x" * 20, "ok",
         ["dump-inconsistent", "dump-checksum-disabled"], len(large), 0, "damaged"),
        ("cut and padded", whole[:-12] + b"\0" * 6, "damaged", ["dump-truncated"], ends - 6, 1, "damaged"),
        ("a key twice", sealed(keys + key(b"b") + key(b"b")), "damaged", ["dump-inconsistent", "dump-corrupt"], 11, 1,
         "ok"),
        ("one key less than stated", sealed(keys), "ok", ["dump-inconsistent"], 11, 0, "ok"),
        ("expiry without key", sealed(keys + key(b"b") + b"\xfc" + b"\1" * 8), "ok", ["dump-inconsistent"], ends - 9, 0,
         "ok"),
        ("length in a longer form", sealed(HEADER + b"\xfe\0\0\x80\0\0\0\1a\1v"), "ok", ["dump-inconsistent"], 12, 0,
         "ok"),
        ("unknown byte", sealed(keys + b"\x4d" + text(b"k")), "unsupported", ["dump-unsupported"], 19, 1, "ok"),
        ("module before 4.0", sealed(keys + b"\6" + text(b"k")), "unsupported", ["dump-unsupported"], 19, 1, "ok"),
        ("type of a later version", sealed(keys + b"\x14" + text(b"k") + text(b"v")), "damaged", ["dump-corrupt"], 19,
         1, "ok"),
        ("length beyond the end", sealed(keys + b"\0" + text(b"k") + b"\x80\0\1\0\0"), "damaged", ["dump-truncated"],
         None, 1, "ok"),
        ("length beyond all", sealed(keys + b"\0" + text(b"k") + b"\x81" + b"\xff" * 8), "damaged", ["dump-corrupt"],
         None, 1, "ok"),
        ("key that does not expand", sealed(keys + b"\0\xc3\2\x40\x50\xff\xff" + text(b"v")), "damaged",
         ["dump-corrupt"], None, 1, "ok"),
    ]


def damage(scratch):
    for number, (name, content, verdict, words, offset, code, checksum_verdict) in enumerate(damaged_dumps()):
        path = os.path.join(scratch, f"{number:02}.rdb")
        with open(path, "wb") as file:
            file.write(content)
        found_code, (record,) = records(path)
        check(f"{name}: verdict", (record["verdict"], findings(record), found_code), (verdict, words, code))
        if offset is not None:
            check(f"{name}: offset", record["defects"][0]["offset"], str(offset))
        check(f"{name}: count", record["defect_count"], str(len(words)))
        found_code, (record,) = records("--checksum-only", path)
        check(f"{name}: checksum only", (record["verdict"], found_code),
              (checksum_verdict, 0 if checksum_verdict == "ok" else 1))
        code, (record,) = records("-", data=content)
        check(f"{name}: from a pipe", (record["file"], record["verdict"], findings(record)),
              ("<stdin>", verdict, words))
    names = [dump[0] for dump in damaged_dumps()]
    follow, off = (os.path.join(scratch, f"{names.index(name):02}.rdb") for name in ("bytes follow", "checksum off"))
    check("--fail-on", [run(f"--fail-on={severity}", path)[0] for path in (follow, off)
                        for severity in ("error", "warning", "info")], [0, 1, 1, 0, 0, 1])


def every_cut_and_flip(scratch):
    """No prefix and no dump with one bit changed is ok, and the cut is found where it is."""
    folder = os.path.join(scratch, "variants")
    os.mkdir(folder)
    for at in range(len(SMALL)):
        with open(os.path.join(folder, f"cut-{at:04}"), "wb") as file:
            file.write(SMALL[:at])
        for bit in range(8):
            with open(os.path.join(folder, f"flip-{at:04}-{bit}"), "wb") as file:
                file.write(SMALL[:at] + bytes([SMALL[at] ^ 1 << bit]) + SMALL[at + 1:])
    variants = sorted(glob.glob(folder + "/*"))
    for option in ((), ("--checksum-only",)):
        code, found = records(*option, *variants)
        check("variants: exit", code, 1)
        check("variants: ok", [record["file"] for record in found
                               if record["verdict"] not in ("damaged", "unsupported")], [])
        check("variants: without defect", [record["file"] for record in found if not record["defects"]], [])
    _, found = records(*[path for path in variants if "cut-" in path])
    check("cuts", [(findings(record), record["defects"][0]["offset"]) for record in found],
          [(["dump-truncated"], str(at)) for at in range(len(SMALL))])
    shutil.rmtree(folder)


def blocks(scratch):
    """--checksum-only reads in blocks of 1 MiB; wherever the end falls, it and the walk compute the same."""
    path = os.path.join(scratch, "block.rdb")
    prefix = b"REDIS0010\xfe\0\0\1k\x80"
    for size in [(1 << 20) + more for more in (-9, -8, -1, 0, 1, 8, 9, 10)] + [(2 << 20) + 9, (3 << 20) + 5]:
        value = size - len(prefix) - 4 - 9
        with open(path, "wb") as file:
            file.write(prefix + struct.pack(">I", value) + b"x" * value + b"\xff" + b"\1" * 8)
        _, (walked,) = records(path)
        _, (summed,) = records("--checksum-only", path)
        check(f"block {size}: wrong", (walked["checksum"], summed["checksum"], walked["size"]),
              ("mismatch", "mismatch", str(size)))
        check(f"block {size}: computed", summed["computed_checksum"], walked["computed_checksum"])
        with open(path, "r+b") as file:
            file.seek(-8, os.SEEK_END)
            file.write(bytes.fromhex(walked["computed_checksum"])[::-1])
        check(f"block {size}: right", (run(path)[0], run("--checksum-only", path)[0]), (0, 0))
    os.unlink(path)


def many_defects(scratch):
    path = os.path.join(scratch, "many.rdb")
    with open(path, "wb") as file:
        file.write(sealed(HEADER + b"\xfe\0" + (b"\xfc" + b"\1" * 8 + b"\xfe\0") * 1500))
    _, (record,) = records(path)
    check("many: all counted, 1000 listed", (record["defect_count"], len(record["defects"])), ("1500", 1000))
    lines = run(path)[1].splitlines()
    check("many: text", (len(lines), lines[21:]), (23, ["  and 980 more; -v lists them",
                                                       "  and 500 more of the same kinds, counted only"]))
    lines = run("-v", path)[1].splitlines()
    check("many: text with -v", (len(lines), lines[-1]), (1003, "  and 500 more of the same kinds, counted only"))
    os.unlink(path)


# ---------------------------------------------------------------- real dumps

def all_dumps():
    return sorted(glob.glob("fixtures/**/*.rdb", recursive=True))


def fixtures():
    paths = all_dumps()
    code, found = records("--slots", *paths)
    check("fixtures: exit", code, 0)
    check("fixtures: some", len(found) > 200, True)
    check("fixtures: in order", [record["file"] for record in found], paths)
    for record in found:
        path = record["file"]
        check(path, (record["verdict"], record["checksum"], record["defects"]), ("ok", "valid", []))
        check(f"{path}: keys of slots", sum(int(slot["keys"]) for slot in record["slots"]), int(record["keys"]))
        check(f"{path}: slots", len(record["slots"]), record["slot_count"])
        check(f"{path}: keys of databases", sum(int(db["keys"]) for db in record["databases"]), int(record["keys"]))
        server = re.search(r"(redis|valkey)-([0-9.]+)/", path)
        if server:  # made dumps lie elsewhere
            writer = None if server[2] == "3.0.7" else f"{server[1].capitalize()} {server[2]}"
            check(f"{path}: writer", record["writer"], writer)
    code, found = records("--checksum-only", *paths)
    check("fixtures: checksums", (code, {(record["verdict"], record["checksum"]) for record in found}),
          (0, {("ok", "valid")}))


def truth():
    """INFO keyspace was taken right after SAVE, on every instance that was up."""
    compared = 0
    for path in sorted(glob.glob("tests/truth/**/keyspace.txt", recursive=True)):
        capture, instance = re.fullmatch(r"tests/truth/(.*)/truth/([0-9.]+_[0-9]+)/keyspace.txt", path).groups()
        ip, port = instance.split("_")
        dump = f"fixtures/{capture}/hosts/{ip}/{port}/dump_{port}.rdb"
        if not os.path.exists(dump):
            continue
        with open(path, encoding="ascii") as file:
            expected = {int(db): (keys, expires)
                        for db, keys, expires in re.findall(r"db(\d+):keys=(\d+),expires=(\d+)", file.read())}
        _, (record,) = records(dump)
        check(dump, {db["db"]: (db["keys"], db["expires"]) for db in record["databases"]}, expected)
        compared += 1
    check("truth: compared", compared > 200, True)


def compressed(scratch):
    with open(SAMPLE, "rb") as file:
        content = file.read()
    _, (plain,) = records(SAMPLE)
    gz, lz4, zst = (os.path.join(scratch, f"dump.rdb.{ending}") for ending in ("gz", "lz4", "zst"))
    with gzip.open(gz, "wb") as file:
        file.write(content)
    subprocess.run(["lz4", "-q", "-f", SAMPLE, lz4], check=True)
    subprocess.run(["zstd", "-q", "-f", SAMPLE, "-o", zst], check=True)
    vcs = os.path.join(scratch, "dump.vcs")
    with open(vcs, "wb") as file:
        file.write(container(content))
    for path, coding in ((gz, "gzip"), (lz4, "lz4"), (zst, "zstd"), (vcs, "vcs")):
        for option in ((), ("--checksum-only",)):
            code, (record,) = records(*option, path)
            check(f"{coding}: {option}", (code, record["verdict"], record["coding"], record["checksum"]),
                  (0, "ok", coding, "valid"))
            check(f"{coding}: sizes", (record["size"], record["decoded"]), (str(os.path.getsize(path)), plain["size"]))
        check(f"{coding}: keys", records(path)[1][0]["databases"], plain["databases"])
        with open(path, "rb") as file:
            code, (record,) = records("-", data=file.read())
        check(f"{coding}: from a pipe", (code, record["coding"]), (0, coding))
        with open(path, "r+b") as file:
            file.truncate(os.path.getsize(path) // 2)
        for option in ((), ("--checksum-only",)):
            code, (record,) = records(*option, path)
            check(f"{coding} cut: {option}", (code, record["verdict"], record["sha256"]), (2, "unreadable", None))


def judge(path):
    """Whether redis-check-rdb finds a dump good."""
    done = subprocess.run(["redis-check-rdb", path], capture_output=True, timeout=60)
    return done.returncode == 0 and b"\\o/ RDB looks OK! \\o/" in done.stdout


def beside_redis(scratch):
    """What redis-check-rdb can judge, it judges alike; but it lets bytes after the checksum and keys that come twice pass
    without a word."""
    _, found = records(*all_dumps())
    seen = set()
    for record in found:
        if record["rdb_version"] <= NEWEST_JUDGED_BY_REDIS and record["sha256"] not in seen and len(seen) < 60:
            seen.add(record["sha256"])
            check(f"{record['file']}: redis-check-rdb", judge(record["file"]), True)
    check("redis-check-rdb: dumps", len(seen), 60)
    for number, (name, content, verdict, *_) in enumerate(damaged_dumps()):
        path = os.path.join(scratch, f"redis-{number}.rdb")
        with open(path, "wb") as file:
            file.write(content)
        known = content.startswith(b"REDIS") and b"df-ver" not in content
        check(f"{name}: redis-check-rdb", judge(path), (verdict == "ok" or name == "a key twice") and known)
    with open(SAMPLE, "rb") as file:
        content = file.read()
    for number in range(40):
        path = os.path.join(scratch, f"redis-flip-{number}.rdb")
        at = len(content) * number // 40 + 3
        with open(path, "wb") as file:
            file.write(content[:at] + bytes([content[at] ^ 1 << number % 8]) + content[at + 1:])
        check(f"flip at {at}", (run(path)[0], judge(path)), (1, False))


# ---------------------------------------------------------------- files, formats, options

def odd_files(scratch):
    missing = os.path.join(scratch, "missing")
    link = os.path.join(scratch, "link")
    os.symlink(os.path.abspath(SAMPLE), link)
    for path, cause in (("/dev/null", "character device"), (scratch, "directory"), (missing, "No such file")):
        code, (record,) = records(path)
        check(f"{cause}: record",
              (code, record["verdict"], cause in record["cause"], record["keys"], record["defects"]),
              (2, "unreadable", True, None, []))
        code, out, errors = run(path)
        check(f"{cause}: text", (code, out.startswith("unreadable  "), cause in out, cause in errors),
              (2, True, True, True))
    check("a link that is named is followed", run(link)[0], 0)
    code, out, _ = run(SAMPLE, missing, "-", data=SMALL[:-4])
    check("several: exit", code, 2)
    check("several: verdicts", [line.split()[0] for line in out.splitlines() if line[0] != " "],
          ["ok", "unreadable", "damaged", "3"])
    check("several: total", out.splitlines()[-1], "3 files: 1 ok, 1 damaged, 1 unreadable; 1,015 keys")
    check("damaged and ok", run(SAMPLE, "-", data=SMALL[:-4])[0], 1)
    strange = os.path.join(scratch, "\x1b[31m\n.rdb")
    shutil.copy(SAMPLE, strange)
    check("a name with escapes", "\\x1b[31m\\x0a.rdb: RDB 8" in run(strange)[1], True)
    before = os.stat(strange)
    os.utime(strange, ns=(before.st_mtime_ns - 10**15, before.st_mtime_ns))
    run(strange)
    after = os.stat(strange)
    check("times", (after.st_atime_ns, after.st_mtime_ns), (before.st_mtime_ns - 10**15, before.st_mtime_ns))


def formats(scratch):
    cut = os.path.join(scratch, "cut.rdb")
    with open(cut, "wb") as file:
        file.write(SMALL[:-20])
    code, out, _ = run("--csv", SAMPLE, cut, scratch)
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    check("csv: rows", (code, [row["verdict"] for row in rows]), (2, ["ok", "damaged", "unreadable"]))
    check("csv: whole", (rows[0]["keys"], rows[0]["databases"], rows[0]["findings"], rows[0]["first_defect"]),
          ("1012", "db0:keys=1012,expires=0", "", ""))
    check("csv: cut", (rows[1]["databases"].split()[0], rows[1]["findings"], rows[1]["first_defect"]),
          ("db0:keys=2,expires=1", "dump-truncated",
           f"{len(SMALL) - 20}: expected the end of the dump, found the evidence ends inside the dump"))
    code, out, _ = run("--format=jsonl", SAMPLE, cut, scratch)
    _, found = records(SAMPLE, cut, scratch)
    check("jsonl: the same records", (code, [json.loads(line) for line in out.splitlines()]), (2, found))
    check("slots only when asked for", ["slots" in record for record in found], [False] * 3)
    check("twice the same", run("--json", SAMPLE, cut)[1], run("--json", SAMPLE, cut)[1])
    code, out, errors = run("-q", cut)
    check("quiet", (code, out, errors), (1, "", ""))
    code, out, _ = run("--help")
    check("help", (code, "Not checked" in out, "Every value" in out), (0, True, True))
    check("colour", "\x1b[31mdamaged" in run("--color=always", cut)[1], True)
    for usage in ((), ("--slots", SAMPLE), ("--slots", "--csv", SAMPLE),
                  ("--slots", "--json", "--checksum-only", SAMPLE), ("--fail-on=never", SAMPLE),
                  ("--format=dot", SAMPLE)):
        code, out, errors = run(*usage)
        check(f"usage {usage}", (code, out, "--help" in errors), (2, "", True))
    with open("/dev/full", "wb") as full:
        done = subprocess.run([TOOL, SAMPLE], stdout=full, stderr=subprocess.PIPE)
    check("a full disk", (done.returncode, b"standard output" in done.stderr), (2, True))


with tempfile.TemporaryDirectory() as directory:
    contents(directory)
    cluster_facts()
    damage(directory)
    every_cut_and_flip(directory)
    blocks(directory)
    many_defects(directory)
    fixtures()
    truth()
    compressed(directory)
    beside_redis(directory)
    odd_files(directory)
    formats(directory)
for failure in failures:
    print("rdb_check:", failure)
sys.exit(1 if failures else 0)
