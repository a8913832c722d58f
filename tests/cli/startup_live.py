"""The verdicts of tools/cluster/startup.def against a real server: Redis 7.0 is started on one nodes.conf for each
condition, and whether it starts, refuses or crashes, and what it then believes, is compared with rcf-nodes.

Loopback only. Every process that is ended was started here. A rule marked TRIED that no case here
exercises is an error.
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

TOOL = os.path.join(os.path.abspath(os.environ["RCF_BUILD"]), "rcf-nodes")
SERVER = shutil.which("redis-server")
TABLE = "tools/cluster/startup.def"
IP, PEER = "127.0.21.1", "127.0.21.9"
A, B, C, D, E = ("%d" % n * 40 for n in (1, 2, 3, 4, 5))
failures = []
exercised = set()


def free_port():
    """A port whose bus port, 10000 above, is free too."""
    for port in range(21000, 45000, 7):
        try:
            for number in (port, port + 10000):
                with socket.socket() as probe:
                    probe.bind((IP, number))
            return port
        except OSError:
            continue
    sys.exit("no free pair of ports")


PORT = free_port()
OWN = f"{A} {IP}:{PORT}@{PORT + 10000} myself,master - 0 0 1 connected 0-5460"
TWO = f"{B} {PEER}:7001@17001 master - 0 1795000000000 2 connected 5461-10922"
REP = f"{C} {PEER}:7002@17002 slave {B} 0 1795000000000 2 connected"
FOUR = f"{D} {PEER}:7003@17003 master - 0 1795000000000 3 connected 10923-16383"
VARS = "vars currentEpoch 6 lastVoteEpoch 4"
BASE = [OWN, TWO, REP, FOUR, VARS]


def text(*lines):
    return "".join(line + "\n" for line in lines).encode("latin-1")


def changed(line, old, new):
    """The base file with one word changed."""
    assert old in line, (line, old)
    return text(*[each.replace(old, new, 1) if each is line else each for each in BASE])


def added(*lines):
    return text(*BASE, *lines)


SHARD = "s" * 40
CASES = [
    # condition, file
    (None, text(*BASE)),
    ("empty", b""),
    ("only-padding", b"\n" * 40),
    ("padding", text(*BASE) + b"\n" * 30),
    ("no-myself", changed(OWN, "myself,", "")),
    ("two-myself", changed(TWO, "master", "myself,master")),
    ("own-without-role", changed(OWN, "myself,master", "myself")),
    ("own-without-primary", text(OWN.replace("master", "slave").replace(" 0-5460", ""), TWO, REP, FOUR, VARS)),
    ("line-twice", text(OWN, TWO, REP, TWO, FOUR, VARS)),
    ("id-twice", text(OWN, TWO, REP, FOUR, TWO.replace(":7001", ":7009").replace("5461-10922", "16383"), VARS)),
    ("slot-overlap", changed(OWN, "0-5460", "0-5470")),
    ("slot-overlap", changed(TWO, "5461-10922", "5461-10922 16383")),
    ("unknown-primary", changed(REP, f"slave {B}", f"slave {E}")),
    ("unknown-peer", changed(OWN, "0-5460", f"0-5460 [5460->-{E}]")),
    ("shard-id-mismatch", text(OWN, TWO.replace("@17001", f"@17001,,tls-port=0,shard-id={SHARD}"),
                               REP.replace("@17002", "@17002,,tls-port=0,shard-id=" + "r" * 40), FOUR, VARS)),
    ("vars-missing", text(*BASE[:4])),
    ("current-epoch-missing", changed(VARS, "currentEpoch 6 ", "")),
    ("last-vote-missing", changed(VARS, " lastVoteEpoch 4", "")),
    ("current-epoch-below", changed(VARS, "currentEpoch 6 lastVoteEpoch 4", "currentEpoch 2 lastVoteEpoch 2")),
    ("last-vote-above", changed(VARS, "lastVoteEpoch 4", "lastVoteEpoch 400")),
    ("vars-odd", changed(VARS, "lastVoteEpoch 4", "lastVoteEpoch")),
    ("vars-unknown", changed(VARS, "vars ", "vars someName 7 ")),
    ("vars-number", changed(VARS, "currentEpoch 6", "currentEpoch 5x6")),
    ("cut", text(VARS, OWN, TWO, REP, FOUR)[:-3]),
    ("line-too-long", changed(FOUR, "10923-16383", "10923-16383" + " 10923" * 350000)),
    ("carriage-return", text(*BASE).replace(b"\n", b"\r\n")),
    ("nul-line", text(OWN, TWO, REP) + b"\0" * 64 + text(FOUR, VARS)),
    ("vars-missing", text(OWN, TWO, REP) + b"\0" * 512),
    ("nul-tail", text(*BASE) + b"\0" * 512),
    ("nul-within", text(VARS, OWN, TWO, REP, FOUR).replace(b"10923-163", b"10923-\0\0\0")),
    ("few-fields", text(*BASE[:3]) + FOUR.encode()[:60] + b"\0" * 40 + b"\n"),
    ("quotes", changed(FOUR, "10923-16383", '"10923-16383')),
    ("few-fields", changed(FOUR, " connected 10923-16383", "")),
    ("few-fields", text(*BASE[:4], "va")),
    ("id-length", changed(FOUR, D, D[1:])),
    ("id-characters", changed(FOUR, D, "A" + D[1:])),
    ("id-letters", changed(FOUR, D, "z" + D[1:])),
    ("endpoint", changed(FOUR, f"{PEER}:7003@17003", "nowhere")),
    ("address-bytes", changed(FOUR, PEER, "127\x01.0.21.9")),
    ("port", changed(FOUR, ":7003@", ":7x003@")),
    ("port", changed(FOUR, "@17003", "@170030")),
    ("aux", changed(FOUR, "@17003", f"@17003,,tls-port=0,shard-id={SHARD}")),
    ("aux-form", changed(FOUR, "@17003", "@17003,host,shard-id")),
    ("aux-unknown", changed(FOUR, "@17003", "@17003,host,colour=blue")),
    ("aux-value", changed(FOUR, "@17003", "@17003,host,shard-id=short")),
    ("nofailover", changed(FOUR, "master", "master,nofailover")),
    ("flag-unknown", changed(FOUR, "master", "master,happy")),
    ("flag-unknown", changed(FOUR, "master", "mastes")),
    ("role-word", changed(FOUR, "master", "primary")),
    ("flag-form", changed(OWN, "myself,master", "Master,MYSELF")),
    ("handshake", changed(FOUR, "master - 0 1795000000000 3 connected 10923-16383",
                          "handshake - 0 0 0 disconnected")),
    ("primary-word", changed(REP, f"slave {B}", f"slave {B[1:]}")),
    ("primary-dash", changed(REP, f"slave {B}", f"slave -{B[1:]}")),
    ("time", changed(FOUR, "1795000000000", "17950x0000000")),
    ("config-epoch", changed(FOUR, " 3 connected", " x3 connected")),
    ("link", changed(FOUR, "connected", "connecte")),
    ("slot-word", changed(FOUR, "10923-16383", "10923-1x6383")),
    ("slot-order", changed(FOUR, "10923-16383", "16383-10923")),
    ("slot-form", changed(FOUR, "10923-16383", "11000-16383 10923-10998 10999")),
    ("slot-bound", changed(FOUR, "10923-16383", "10923-16384")),
    ("open-slot-dash", changed(OWN, "0-5460", "0-5460 [5460]")),
    ("open-slot-peer", changed(OWN, "0-5460", f"0-5460 [5460->-{D[1:]}]")),
    ("open-slot-peer", changed(OWN, "0-5460", f"0-5460 [5460->-{D}")),
    ("open-slot-number", changed(OWN, "0-5460", f"0-5460 [5x460->-{D}]")),
]
HANDSHAKE_WAIT = 3.0


def predict(path):
    def rows(table):
        done = subprocess.run([TOOL, "--format=jsonl", f"--table={table}", path], capture_output=True, timeout=60)
        return [json.loads(line) for line in done.stdout.splitlines()]

    verdict = next(row for row in rows("startup") if row["server"] == "Redis 7.0")
    return verdict, {row["condition"] for row in rows("conditions")}


def command(words):
    with socket.create_connection((IP, PORT), timeout=2) as connection:
        connection.sendall((" ".join(words) + "\r\n").encode())
        answer = connection.makefile("rb")
        head = answer.readline()
        if head[:1] == b"$":
            return answer.read(int(head[1:])).decode("latin-1")
        return head.decode("latin-1").strip()


def believed(folder):
    """What the server believes: the lines that it shows and saves, without times, link and failure flags."""
    nodes = {}
    for line in command(["CLUSTER", "NODES"]).split("\n"):
        word = line.split(" ")
        if len(word) < 8:
            continue
        flags = [flag for flag in word[2].split(",") if flag not in ("fail?", "fail")]
        nodes[word[0]] = (word[1], flags, word[3], word[6], word[8:])
    command(["CLUSTER", "SAVECONFIG"])
    with open(os.path.join(folder, "nodes.conf"), encoding="latin-1") as saved:
        variables = next((line.split() for line in saved if line.startswith("vars")), None)
    return nodes, variables


def outcome_of(process, log):
    """starts, refuses or crashes; None when nothing happens in time."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        code = process.poll()
        if code is not None:
            with open(log, encoding="latin-1") as lines:
                said = lines.read()
            if code < 0 or "ASSERTION FAILED" in said or "Guru Meditation" in said:
                return "crashes"
            return "refuses" if "corrupted cluster config file" in said else f"exit {code}: {said[-200:]}"
        try:
            if command(["PING"]) == "+PONG":
                return "starts"
        except OSError:
            pass
        time.sleep(0.01)
    return None


def run(content, wait):
    folder = tempfile.mkdtemp(prefix="rcf-startup-")
    config, log = os.path.join(folder, "nodes.conf"), os.path.join(folder, "log")
    with open(config, "wb") as file:
        file.write(content)
    verdict, conditions = predict(config)
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [SERVER, "--port", str(PORT), "--bind", IP, "--cluster-enabled", "yes", "--cluster-config-file",
             "nodes.conf", "--cluster-node-timeout", "1000" if wait else "60000", "--dir", folder,
             "--save", "", "--appendonly", "no", "--crash-memcheck-enabled", "no", "--loglevel", "notice"],
            stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd=folder)
    view = None
    try:
        outcome = outcome_of(process, log)
        if outcome == "starts":
            time.sleep(wait)
            view = believed(folder)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        shutil.rmtree(folder)
    return verdict, conditions, outcome, view


def expected_view(name, sound):
    """What the file was meant to say, where that is not what the base file says."""
    nodes, variables = sound
    nodes = dict(nodes)
    if name == "own-without-primary":
        nodes[A] = (nodes[A][0], ["myself", "slave"], "-", "1", [])
    if name == "nofailover":
        nodes[D] = (nodes[D][0], ["master", "nofailover"]) + nodes[D][2:]
    if name == "shard-id-mismatch":
        return None
    if name == "handshake":
        nodes[D] = (nodes[D][0], ["handshake"], "-", "0", [])
    return nodes, variables


def compare(name, content, sound):
    verdict, conditions, outcome, view = run(content, HANDSHAKE_WAIT if name == "handshake" else 0)
    here = f"{name or 'sound file'}"
    if name:
        exercised.add(name)
        if name not in conditions:
            failures.append(f"{here}: rcf-nodes finds {sorted(conditions)} only")
    if verdict["outcome"] != outcome:
        failures.append(f"{here}: the server {outcome}, rcf-nodes says {verdict['outcome']} ({verdict['sentence']})")
        return view
    meant = expected_view(name, sound) if sound else view
    if outcome == "starts" and meant is not None and verdict["wrong_view"] != (view != meant):
        failures.append(f"{here}: wrong view {verdict['wrong_view']} says rcf-nodes; the server believes {view}, "
                        f"meant was {meant}")
    return view


def cuts(sound):
    """A file cut anywhere: what a cut hides cannot be known, so a cut that changes nothing may be called wrong."""
    whole = text(*BASE)
    for lost in (1, 2, 3, 17, 19, 33, 35, 36, 37, 42, 60, 68, len(whole) - 300, len(whole) - 60):
        verdict, _, outcome, view = run(whole[:-lost], 0)
        if verdict["outcome"] != outcome:
            failures.append(f"cut by {lost}: the server {outcome}, rcf-nodes says {verdict['outcome']}")
        elif outcome == "starts" and view != sound and not verdict["wrong_view"]:
            failures.append(f"cut by {lost}: starts with another view, rcf-nodes does not say so")


def tried():
    """Words of conditions with a TRIED rule that holds for Redis 7.0."""
    with open("tools/evidence/generations.def", encoding="utf-8") as file:
        order = re.findall(r"GENERATION\((\w+)", file.read())
    with open(TABLE, encoding="utf-8") as file:
        table = file.read()
    words = dict(re.findall(r'STARTUP_CONDITION\((\w+), "([^"]+)"', table))
    here = order.index("REDIS_7_0")
    return {words[rule[0]] for rule in re.findall(r"STARTUP_RULE\((\w+), (\w+), (\w+), \w+, TRIED", table)
            if order.index(rule[1]) <= here <= order.index(rule[2])}


def main():
    if not SERVER:
        sys.exit("no redis-server")
    version = subprocess.run([SERVER, "--version"], capture_output=True, timeout=10).stdout.decode()
    if "v=7.0." not in version:
        sys.exit("not a Redis 7.0: " + version.strip())
    sound = compare(None, CASES[0][1], None)
    for name, content in CASES[1:]:
        compare(name, content, sound)
    cuts(sound)
    missing = tried() - exercised
    if missing:
        failures.append(f"marked as tried, but not tried here: {sorted(missing)}")
    for failure in failures:
        print(failure)
    print(f"{len(CASES)} files, {len(exercised)} conditions, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
