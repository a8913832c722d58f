"""rcf-identify as users run it: kinds, manifests that sha256sum accepts, comparison, exit codes."""
import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile

TOOL = os.path.join(os.path.abspath(os.environ["RCF_BUILD"]), "rcf-identify")
SEED = "fixtures/seed-document"
STALE = "fixtures/story-redis-4.0.1/06-stale-restarted"
failures = []


def run(*arguments, cwd=None, data=None):
    done = subprocess.run([TOOL, *arguments], cwd=cwd, input=data, capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def check(what, found, expected):
    if found != expected:
        failures.append(f"{what}: {found!r}, expected {expected!r}")


def rows(*arguments):
    code, out, _ = run("--format=csv", *arguments)
    return code, list(csv.DictReader(io.StringIO(out)))


def kinds():
    code, found = rows(SEED)
    check("seed: exit", code, 0)
    by_path = {row["path"]: row for row in found}
    check("seed: files", len(found), 17)
    check("seed: unknown files", [row["path"] for row in found if row["kind"] == "unknown"], [])
    check("seed: nodes.conf", by_path["06-restarted.nodes_7002.conf"]["kind"], "nodes.conf")
    check("seed: complete", by_path["06-restarted.nodes_7002.conf"]["complete"], "true")
    check("seed: instance", by_path["06-restarted.cluster-nodes-7002.txt"]["instance"], "10.211.55.6:7002")
    check("seed: add-node", by_path["08-re-added.trib-add-node.txt"]["kind"], "tool-add-node")

    code, found = rows(STALE)
    dump = next(row for row in found if row["path"] == "hosts/127.0.0.6/7002/dump_7002.rdb")
    check("story: exit", code, 0)
    check("story: dump", (dump["kind"], dump["version"], dump["instance"]),
          ("rdb", "RDB 8, Redis 4.0.1", "127.0.0.6:7002"))


def formats():
    _, out, _ = run("--json", SEED)
    document = json.loads(out)
    check("json: schema", (document["schema"], document["version"]), ("rcf-identify", 1))
    check("json: size is text", {type(row["size"]) for row in document["files"]}, {str})
    _, out, _ = run("--format=jsonl", SEED)
    check("jsonl: same rows", [json.loads(line)["path"] for line in out.splitlines()],
          [row["path"] for row in document["files"]])
    check("help: exit", run("--help")[0], 0)
    check("usage: exit", run()[0], 2)
    check("usage: --host alone", run("--host=a", SEED)[0], 2)
    check("usage: bad time", run("--manifest", "--collected-at=yesterday", SEED)[0], 2)


def manifests(scratch):
    case = os.path.join(scratch, "case")
    shutil.copytree(os.path.join(STALE, "hosts"), case)
    os.chmod(os.path.join(case, "127.0.0.6/7000/nodes_7000.conf"), 0o600)
    odd = os.path.join(case, "back\\slash\nline.conf")
    with open(odd, "w", encoding="ascii") as file:
        file.write("port 7000\n")
    code, out, _ = run("--manifest", "--collected-at=2026-11-22T15:00:00Z", "--timezone=+01:00", "--host=db1", case)
    check("manifest: exit", code, 0)
    check("manifest: facts", out.splitlines()[:4], ["# rcf-collection 1", "# collected-at: 2026-11-22T15:00:00Z",
                                                    "# timezone: +01:00", "# host: db1"])
    check("manifest: twice the same", run("--manifest", case)[1], run("--manifest", case)[1])
    listing = os.path.join(scratch, "list")
    with open(listing, "w", encoding="utf-8") as file:
        file.write(out)
    done = subprocess.run(["sha256sum", "-c", "--strict", "--quiet", listing], cwd=case, capture_output=True)
    check("sha256sum -c", (done.returncode, done.stdout), (0, b""))
    code, out, _ = run("--verify", listing, case)
    check("verify: same", (code, out), (0, "29 matched, 0 changed, 0 missing, 0 new\n"))

    inside = os.path.join(case, "SHA256SUMS")
    with open(inside, "w", encoding="ascii") as file:
        subprocess.run([TOOL, "--manifest", "."], cwd=case, stdout=file, check=True)
    check("manifest: without itself", "SHA256SUMS" in open(inside, encoding="utf-8").read(), False)
    check("verify: the list itself is not new", run("--verify", inside, case)[0], 0)
    os.unlink(inside)

    with open(os.path.join(case, "127.0.0.6/7000/nodes_7000.conf"), "a", encoding="ascii") as file:
        file.write("\n")
    os.rename(os.path.join(case, "127.0.0.6/7001/dump_7001.rdb"), os.path.join(case, "127.0.0.6/7001/dump.rdb"))
    code, out, _ = run("--verify", listing, "--format=csv", case)
    state = {row["path"]: row["state"] for row in csv.DictReader(io.StringIO(out))}
    check("verify: exit", code, 1)
    check("verify: changed", state["127.0.0.6/7000/nodes_7000.conf"], "changed")
    check("verify: missing", state["127.0.0.6/7001/dump_7001.rdb"], "missing")
    check("verify: new", state["127.0.0.6/7001/dump.rdb"], "new")
    check("verify: matched", sorted(state.values()).count("matched"), 27)
    check("verify: no such list", run("--verify", os.path.join(scratch, "none"), case)[0], 2)
    check("verify: no list", run("--verify", odd, case)[0], 2)


def damage(scratch):
    case = os.path.join(scratch, "damaged")
    os.mkdir(case)
    source = os.path.join(STALE, "hosts/127.0.0.6/7000")
    with open(os.path.join(source, "dump_7000.rdb"), "rb") as file:
        dump = file.read()
    with open(os.path.join(case, "dump.rdb"), "wb") as file:
        file.write(dump[:-20])
    code, found = rows(case)
    check("cut dump", (code, found[0]["complete"]), (1, "false"))
    os.rename(os.path.join(case, "dump.rdb"), os.path.join(case, "temp-4711.rdb"))
    code, found = rows(case)
    check("a dead fork's file may be cut", (code, found[0]["complete"]), (0, "false"))
    shutil.copy(os.path.join(source, "nodes_7000.conf"), os.path.join(case, "nodes.conf"))
    with open(os.path.join(case, "nodes.conf"), "r+b") as file:
        file.truncate(os.path.getsize(os.path.join(case, "nodes.conf")) - 30)
    check("cut nodes.conf", rows(case)[0], 1)
    with open(os.path.join(case, "cut.gz"), "wb") as file:
        file.write(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03cut")
    code, _, errors = run(case)
    check("cut gzip", (code, "cut.gz" in errors), (2, True))
    check("no such file", run(os.path.join(scratch, "none"))[0], 2)
    os.symlink("/etc/passwd", os.path.join(case, "link"))
    os.mkfifo(os.path.join(case, "fifo"))
    os.unlink(os.path.join(case, "cut.gz"))
    code, found = rows(case)
    notes = {row["path"]: row["note"] for row in found}
    check("links are not followed", (notes["link"], notes["fifo"]),
          ("skipped: symbolic link, not followed", "skipped: FIFO, not read"))


def envelopes(scratch):
    """A dump in Valkey's container is one; a captured replication stream is evidence that no server loads."""
    folder = os.path.join(scratch, "envelopes")
    os.mkdir(folder)
    with open(os.path.join(STALE, "hosts/127.0.0.6/7002/dump_7002.rdb"), "rb") as file:
        dump = file.read()
    mark = b"0123456789" * 4
    frame = subprocess.run(["lz4", "-q", "-c"], input=dump, capture_output=True, check=True).stdout
    for name, content in (("packed.rdb", b"VCS\1\1\0\1" + frame), ("unknown", b"VCS\1\2\0\0" + frame),
                          ("marked", b"$EOF:" + mark + b"\r\n" + dump + mark),
                          ("measured", b"$%d\r\n" % len(dump) + dump)):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)
    found = {row["path"]: row for row in rows(folder)[1]}
    known, note = "RDB 8, Redis 4.0.1", "captured replication stream: no server loads it as its dump"
    check("envelopes", {name: (row["kind"], row["coding"], row["version"], row["note"]) for name, row in found.items()},
          {"packed.rdb": ("rdb", "vcs", known, ""),
           "unknown": ("rdb", "plain", "", "not supported: Valkey's container for compressed dumps, "
                       "with a codec that is not LZ4 (offset 4)"),
           "marked": ("rdb", "plain", known, note), "measured": ("rdb", "plain", known, note)})


def streams():
    with open(os.path.join(STALE, "hosts/127.0.0.6/7000/nodes_7000.conf"), "rb") as file:
        data = file.read()
    code, out, _ = run("--format=jsonl", "-", data=data)
    row = json.loads(out)
    check("standard input", (code, row["kind"], row["size"]), (0, "nodes.conf", str(len(data))))
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([TOOL, SEED], stdout=full, stderr=subprocess.PIPE)
    check("a full disk", (done.returncode, bool(done.stderr)), (2, True))


with tempfile.TemporaryDirectory() as directory:
    kinds()
    formats()
    manifests(directory)
    damage(directory)
    envelopes(directory)
    streams()
for failure in failures:
    print("identify:", failure)
sys.exit(1 if failures else 0)
