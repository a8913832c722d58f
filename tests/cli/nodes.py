"""rcf-nodes as users run it: every fixture, formats, captures, damage, exit codes; and what rcf-check makes of it."""
import bz2
import csv
import glob
import gzip
import io
import json
import os
import re
import shutil
import subprocess
import tempfile

from support import expect, finish, run, run_json, same, validate

STALE = "fixtures/story-redis-4.0.1/06-stale-restarted"
OWN = STALE + "/hosts/127.0.0.6/7002/nodes_7002.conf"
CAPTURE = "fixtures/seed-document/06-restarted.cluster-nodes-7002.txt"
SERVERS = re.findall(r'"([^"]+)"\)', open("tools/evidence/generations.def", encoding="utf-8").read())


def rows(table, *words, code=None, stdin=None):
    found, out, err = run("rcf-nodes", "--csv", "--table=" + table, *words, stdin=stdin)
    if code is not None:
        same(found, code, "exit of %s %s (%s)" % (table, " ".join(words), err.strip()))
    return list(csv.DictReader(io.StringIO(out)))


def sound_files():
    """A healthy file of any version has no condition but its grammar, and its own server starts on it."""
    paths = sorted(glob.glob("fixtures/**/nodes*.conf", recursive=True))
    expect(len(paths) > 100, "few fixtures: %d" % len(paths))
    found = rows("conditions", *paths, code=0)
    same({row["class"] for row in found}, {"newer"}, "conditions of sound files")
    for row in rows("startup", *paths, code=0):
        if "valkey-8." in row["file"] and row["server"] in ("Redis 7.0",):
            same(row["wrong_view"], "true", "%s on %s" % (row["file"], row["server"]))
        else:
            same((row["outcome"], row["wrong_view"]), ("starts", "false"), "%s on %s" % (row["file"], row["server"]))


def content():
    found = rows("nodes", OWN, code=0)
    same(len(found), 7, "nodes")
    own = next(row for row in found if row["flags"] == "myself,master")
    same((own["address"], own["role"], own["config_epoch"], own["slots"], own["link"], own["pong"], own["bus_port"]),
         ("127.0.0.6:7002", "primary", "8", "", "connected", "2026-11-22T14:52:23.000Z", "17002"), "own line")
    first = next(row for row in found if row["address"] == "127.0.0.6:7000")
    same((first["slots"], first["slot_count"]), ("0-5494 10923-10955", "5528"), "slots")
    with open(OWN, encoding="ascii") as file:
        lines = file.read().splitlines()
    for row in found:
        word = lines[int(row["line"]) - 1].split(" ")
        same((row["id"], row["flags"], row["primary"] or "-", row["config_epoch"], row["link"], row["slots"]),
             (word[0], word[2], word[3], word[6], word[7], " ".join(word[8:])), "line " + row["line"])
    file = rows("files", OWN, code=0)[0]
    same((file["kind"], file["node_count"], file["own_address"], file["slots_assigned"], file["current_epoch"],
          file["last_vote_epoch"], file["newest_pong"], file["damaged"]),
         ("nodes.conf", "7", "127.0.0.6:7002", "16384", "9", "9", "2026-11-22T14:52:24.150Z", "false"), "file")
    open_slots = [row["open_slots"] for row in rows("nodes", *sorted(
        glob.glob("fixtures/incidents-redis-7.0.15/open-slots/**/nodes*.conf", recursive=True))) if row["open_slots"]]
    expect(any(re.match(r"\[\d+-[<>]-[0-9a-f]{40}\]", each) for each in open_slots), "open slots: %r" % open_slots)


def formats():
    code, document = run_json("rcf-nodes", "--json", OWN, CAPTURE)
    same(code, 0, "json: exit")
    validate(document, "rcf-nodes")
    same([len(file["startup"]) for file in document["files"]], [len(SERVERS), 0], "verdicts")
    same([row["server"] for row in document["files"][0]["startup"]], SERVERS, "servers")
    same([file["kind"] for file in document["files"]], ["nodes.conf", "cluster-nodes"], "kinds")
    for table in ("nodes", "files", "conditions", "startup"):
        _, out, _ = run("rcf-nodes", "--format=jsonl", "--table=" + table, OWN, CAPTURE)
        _, one = run_json("rcf-nodes", "--json", "--table=" + table, OWN, CAPTURE)
        same([json.loads(line) for line in out.splitlines()], one.get(table), "jsonl and json of " + table)
        same(len(rows(table, OWN, CAPTURE)), len(one.get(table)), "csv and json of " + table)
    code, text, _ = run("rcf-nodes", OWN)
    same((code, "starts        every version" in text), (0, True), "text")
    expect("b9ff0e9ba591bdebcd6e823581ec3d84068be1d5" not in text, "ids are cut")
    expect("b9ff0e9ba591bdebcd6e823581ec3d84068be1d5" in run("rcf-nodes", "-v", OWN)[1], "-v shows ids whole")
    same(run("rcf-nodes", "-q", OWN)[:2], (0, ""), "-q")
    same(run("rcf-nodes", "--help")[0], 0, "--help")
    same(run("rcf-nodes")[0], 2, "no file")
    with open("/dev/full", "w", encoding="ascii") as full:
        build = os.environ.get("RCF_BUILD", "build/gcc")
        done = subprocess.run([build + "/rcf-nodes", OWN], stdout=full, stderr=subprocess.PIPE, check=False)
    same(done.returncode, 2, "a full disk")


def compressed(scratch):
    with open(OWN, "rb") as file:
        text = file.read()
    plain = rows("nodes", OWN)
    for row in plain:
        del row["file"]
    paths = [os.path.join(scratch, "nodes.conf" + ending) for ending in (".gz", ".lz4", ".zst")]
    with gzip.open(paths[0], "wb") as file:
        file.write(text)
    for path, tool in zip(paths[1:], ("lz4", "zstd")):
        if shutil.which(tool):
            subprocess.run([tool, "-q", "-f", OWN, path] if tool == "lz4" else [tool, "-q", "-f", OWN, "-o", path],
                           check=True)
    for path in filter(os.path.exists, paths):
        found = rows("nodes", path, code=0)
        for row in found:
            del row["file"]
        same(found, plain, path)
    found = rows("nodes", "-", code=0, stdin=text)
    same([row["id"] for row in found], [row["id"] for row in plain], "standard input")
    with open(paths[0], "r+b") as file:
        file.truncate(100)
    same(run("rcf-nodes", paths[0])[0], 2, "a cut gzip file")
    other = os.path.join(scratch, "other.bz2")
    with open(other, "wb") as file:
        file.write(bz2.compress(text))
    for path in (other, "Makefile", scratch, os.path.join(scratch, "none"), "/dev/null"):
        code, out, err = run("rcf-nodes", path)
        same((code, out, bool(err)), (2, "", True), path)
    same(run("rcf-nodes", OWN, "Makefile")[0], 2, "one of two unreadable")
    expect("127.0.0.6:7002" in run("rcf-nodes", "Makefile", OWN)[1], "the readable one is shown")


def captures():
    with open(OWN, "rb") as file:
        lines = file.read()
    same(rows("files", "-", code=0, stdin=lines[:lines.index(b"vars")])[0]["kind"], "cluster-nodes", "without vars")
    same(rows("startup", "--capture", OWN), [], "--capture: no verdicts")
    ids = {row["id"] for row in rows("nodes", CAPTURE, code=0)}
    same(len(ids), 7, "capture")


DAMAGE = [
    # what, change, exit code, condition, (outcome, wrong view) on Redis 4.0, on Redis 7.2
    ("cut in vars", lambda t: t[:-17], 1, "cut", ("starts", "true"), ("starts", "true")),
    ("cut to va", lambda t: t[:t.index(b"vars") + 2], 1, "few-fields", ("refuses", ""), ("refuses", "")),
    ("empty", lambda t: b"", 1, "empty", ("starts", "true"), ("starts", "true")),
    ("line feeds", lambda t: b"\n" * 30, 1, "only-padding", ("refuses", ""), ("refuses", "")),
    ("padding", lambda t: t + b"\n" * 30, 0, "padding", ("starts", "false"), ("starts", "false")),
    ("CRLF", lambda t: t.replace(b"\n", b"\r\n"), 0, "carriage-return", ("starts", "false"), ("starts", "false")),
    ("no vars", lambda t: t[:t.index(b"vars")], 1, "vars-missing", ("starts", "true"), ("starts", "true")),
    ("two myself", lambda t: t.replace(b" master", b" myself,master", 1), 1, "two-myself", ("crashes", ""),
     ("crashes", "")),
    ("no myself", lambda t: t.replace(b"myself,", b""), 1, "no-myself", ("refuses", ""), ("refuses", "")),
    ("unknown flag", lambda t: t.replace(b" slave ", b" slavf ", 1), 1, "flag-unknown", ("crashes", ""),
     ("crashes", "")),
    ("upper case", lambda t: t.replace(b" slave ", b" SLAVE ", 1), 0, "flag-form", ("starts", "false"),
     ("starts", "false")),
    ("slot 16384", lambda t: t.replace(b"-16383", b"-16384"), 1, "slot-bound", ("refuses", ""), ("refuses", "")),
    ("overlap", lambda t: t.replace(b"5495-10922", b"5494-10922"), 1, "slot-overlap", ("starts", "true"),
     ("starts", "true")),
    ("link", lambda t: t.replace(b" connected", b" connecte", 1), 1, "link", ("starts", "false"), ("starts", "false")),
    ("short id", lambda t: t[1:], 1, "id-length", ("starts", "true"), ("refuses", "")),
    ("aux field", lambda t: t.replace(b"@17000", b"@17000,,colour=blue"), 1, "aux-unknown", ("starts", "false"),
     ("refuses", "")),
    ("escape sequence", lambda t: t.replace(b"127.0.0.8", b"\x1b[31m"), 1, "address-bytes", ("starts", "true"),
     ("starts", "true")),
]


def damage(scratch):
    with open(OWN, "rb") as file:
        sound = file.read()
    for what, change, code, condition, old, new in DAMAGE:
        path = os.path.join(scratch, "nodes.conf")
        with open(path, "wb") as file:
            file.write(change(sound))
        found = rows("conditions", path, code=code)
        expect(condition in {row["condition"] for row in found}, "%s: %r" % (what, found))
        with open(path, "rb") as file:
            size = len(file.read())
        expect(all(int(row["offset"]) + int(row["length"]) <= size for row in found), "%s: places" % what)
        verdicts = {row["server"]: (row["outcome"], row["wrong_view"]) for row in rows("startup", path)}
        same((verdicts["Redis 4.0"], verdicts["Redis 7.2"]), (old, new), what)
        code, document = run_json("rcf-nodes", "--json", path)
        validate(document, "rcf-nodes")
        code, out, _ = run("rcf-nodes", path)
        expect("\x1b" not in out, "%s: escapes" % what)
    for length in range(0, len(sound), 29):
        code, _, err = run("rcf-nodes", "-", stdin=sound[:length])
        expect(code in (0, 1, 2) and "Sanitizer" not in err, "cut at %d: exit %d" % (length, code))


def findings(scratch):
    """rcf-check: the same damage in a case, told by the right finding, and places that hold what is quoted."""
    told = {"cut in vars": "nodesconf-truncated", "cut to va": "nodesconf-truncated", "empty": "nodesconf-truncated",
            "padding": "nodesconf-suspicious", "CRLF": "nodesconf-suspicious", "no vars": "nodesconf-suspicious",
            "two myself": "nodesconf-corrupt", "unknown flag": "nodesconf-corrupt", "overlap": "nodesconf-corrupt",
            "upper case": "nodesconf-suspicious", "short id": "nodesconf-corrupt"}
    with open(OWN, "rb") as file:
        sound = file.read()

    def of_case(case):
        _, out, _ = run("rcf-check", "--format=jsonl", case)
        return [each for each in map(json.loads, out.splitlines()) if each["finding"].startswith("nodesconf")]

    same(of_case(STALE), [], "findings of sound files")
    case = os.path.join(scratch, "case")
    shutil.copytree(STALE, case)
    path = os.path.join(case, "hosts/127.0.0.6/7002/nodes_7002.conf")
    os.chmod(os.path.dirname(path), 0o700)
    os.chmod(path, 0o600)
    for what, change, *_ in DAMAGE:
        if what not in told:
            continue
        with open(path, "wb") as file:
            file.write(change(sound))
        found = of_case(case)
        same([each["finding"] for each in found], [told[what]], what)
        for each in found:
            expect("Redis 4.0, its own version," in each["summary"] or what == "empty",
                   "%s: %s" % (what, each["summary"]))
            expect(each["evidence"], "%s: no evidence" % what)
            for exhibit in each["evidence"]:
                with open(os.path.join(case, exhibit["file"]), "rb") as file:
                    file.seek(int(exhibit["offset"]))
                    there = file.read(int(exhibit["length"]))
                expect(len(there) == int(exhibit["length"]) <= 4096, "%s: length" % what)
                if there.isascii() and there.decode().isprintable():
                    same(exhibit["excerpt"], there.decode(), what + ": excerpt")
    with open(path, "wb") as file:
        file.write(sound)
    with open(path + ".tmp-4711-1795359144049", "wb") as file:
        file.write(sound[:200])
    same([each["finding"] for each in of_case(case)], ["nodesconf-suspicious"], "a leftover file, even if cut")


def main():
    sound_files()
    content()
    formats()
    captures()
    with tempfile.TemporaryDirectory(prefix="rcf-nodes-") as scratch:
        compressed(scratch)
    with tempfile.TemporaryDirectory(prefix="rcf-nodes-") as scratch:
        damage(scratch)
        findings(scratch)
    finish()


if __name__ == "__main__":
    main()
