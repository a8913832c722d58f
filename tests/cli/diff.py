#!/usr/bin/python3
"""rcf-diff as users run it: what it compares, what it does not, its formats and exit codes."""
import csv
import io
import json
import os
import random
import shutil
import subprocess
import tempfile
import unittest

import jsonschema

BUILD = os.environ.get("RCF_BUILD", "build/gcc")
STORY = "fixtures/story-redis-4.0.1/"
INCIDENTS = "fixtures/incidents-redis-7.0.15/"
SEED = "fixtures/seed-document/"
STALE = "b9ff0e9ba591bdebcd6e823581ec3d84068be1d5"


def run(*words, code):
    done = subprocess.run([BUILD + "/rcf-diff", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != code:
        raise AssertionError("rcf-diff %s: exit code %d, not %d\n%s%s" % (
            " ".join(words), done.returncode, code, done.stdout.decode(), done.stderr.decode()))
    return done.stdout.decode(), done.stderr.decode()


def document(*words, code):
    answer = json.loads(run("--json", *words, code=code)[0])
    with open("docs/schema/rcf-diff.json", encoding="utf-8") as file:
        jsonschema.validate(answer, json.load(file))
    return answer


def differences(answer):
    """{(node, aspect): {value: number of views}}"""
    return {(d["node"], d["aspect"]): {v["value"]: v["view_count"] for v in d["values"]} for d in answer["differences"]}


class Stories(unittest.TestCase):
    def test_healthy_cases_do_not_differ(self):
        for case in ("01-created", "08-rebuilt"):
            answer = document(STORY + case, code=0)
            self.assertEqual((answer["equal"], answer["differences"]), (True, []), case)

    def test_stale_member_is_the_only_difference(self):
        answer = document(STORY + "06-stale-restarted", code=1)
        self.assertEqual([g["view_count"] for g in answer["groups"]], [6, 1])
        self.assertEqual(differences(answer), {("127.0.0.6:7002", "member"): {"not listed": 6, "listed": 1}})
        self.assertEqual(answer["differences"][0]["node_id"], STALE)
        value = answer["differences"][0]["values"][1]
        with open(STORY + "06-stale-restarted/" + value["file"], encoding="ascii") as file:
            self.assertTrue(file.readlines()[value["line"] - 1].startswith(STALE))
        text = run(STORY + "06-stale-restarted", code=1)[0]
        self.assertIn("127.0.0.6:7000 and 5 more", text)
        self.assertIn("  + member   b9ff0e9b 127.0.0.6:7002 (itself)", text)

    def test_lost_host_holds_the_old_world(self):
        found = differences(document(STORY + "09-host-lost", code=1))
        self.assertEqual(found[("127.0.0.6:7001", "role")], {"primary": 5, "replica": 3})
        self.assertEqual(found[("127.0.0.7:8000", "slots")], {"none": 5, "5495-10922": 3})
        self.assertEqual(found[("127.0.0.7:8000", "flags")], {"fail": 5, "none": 3})
        self.assertNotIn(("127.0.0.8:9001", "epoch"), found)

    def test_two_captures_and_two_files_of_the_write_up(self):
        files = [SEED + "06-restarted.nodes_7000.conf", SEED + "06-restarted.nodes_7002.conf"]
        self.assertEqual(differences(document(*files, code=1)),
                         {("10.211.55.6:7002", "member"): {"not listed": 1, "listed": 1}})
        # A file and a capture of the same node at the same time say the same.
        run(files[1], SEED + "06-restarted.cluster-nodes-7002.txt", code=0)
        found = differences(document(SEED + "09-resharded-300.cluster-nodes-7002.txt",
                                     SEED + "08-re-added.cluster-nodes-7002.txt", code=1))
        self.assertEqual(found[("10.211.55.6:7002", "slots")], {"0-299": 1, "none": 1})
        self.assertEqual(found[("10.211.55.6:7002", "epoch")], {"19": 1, "17": 1})

    def test_directories_are_compared_instance_by_instance(self):
        answer = document(STORY + "01-created", STORY + "06-stale-restarted", code=1)
        self.assertEqual(answer["view_count"], 13)
        self.assertEqual(sorted(g["view_count"] for g in answer["groups"]), [1, 6, 6])

    def test_half_forgotten(self):
        found = differences(document(INCIDENTS + "half-forgotten", code=1))
        self.assertEqual(found, {("127.0.14.6:7002", "member"): {"listed": 4, "not listed": 3}})


class Made(unittest.TestCase):
    """Views made of one file by changing one thing."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        with open(STORY + "01-created/hosts/127.0.0.6/7000/nodes_7000.conf", encoding="ascii") as file:
            self.lines = file.read().splitlines()

    def write(self, name, lines):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return path

    def change(self, change):
        """Two files, the second with `change(words)` applied to each node line; what differs between them."""
        changed = []
        for line in self.lines:
            words = line.split(" ")
            if words[0] != "vars":
                change(words)
            changed.append(" ".join(words))
        one, two = self.write("a.conf", self.lines), self.write("b.conf", changed)
        answer = json.loads(subprocess.run([BUILD + "/rcf-diff", "--json", one, two], stdout=subprocess.PIPE,
                                           check=False).stdout)
        return {d["aspect"] for d in answer["differences"]}

    def test_what_is_never_compared(self):
        def times(words):
            words[4], words[5], words[7] = "7", "1795359000000", "disconnected"

        def myself(words):
            words[2] = words[2].replace("myself,", "")

        def replica_epoch(words):
            if "slave" in words[2]:
                words[6] = "77"

        def own_ip(words):
            if "myself" in words[2]:
                words[1] = words[1][words[1].rindex(":"):]

        for change in (times, myself, replica_epoch, own_ip):
            self.assertEqual(self.change(change), set(), change.__name__)
        shuffled = self.lines[:]
        random.Random(1).shuffle(shuffled)
        run(self.write("a.conf", self.lines), self.write("b.conf", shuffled), code=0)

    def test_each_aspect(self):
        def only(line, change):
            target = self.lines[line].split(" ")[0]
            return lambda words: change(words) if words[0] == target else None

        primary = next(i for i, line in enumerate(self.lines) if " master " in line)
        replica = next(i for i, line in enumerate(self.lines) if " slave " in line)
        other = next(line.split(" ")[0] for i, line in enumerate(self.lines) if "master " in line and i != primary)

        def put(index, value):
            def change(words):
                words[index] = value
            return change

        def drop_slots(words):
            del words[8:]

        self.assertEqual(self.change(only(primary, put(1, "127.9.9.9:7000@17000"))), {"address"})
        self.assertEqual(self.change(only(primary, put(6, "99"))), {"epoch"})
        self.assertEqual(self.change(only(primary, put(2, "master,fail"))), {"flags"})
        self.assertEqual(self.change(only(primary, drop_slots)), {"slots"})
        self.assertEqual(self.change(only(replica, put(3, other))) - {"primary"}, set())
        self.assertIn("role", self.change(only(replica, put(2, "master"))))

    def test_hundreds_of_views(self):
        subprocess.run(["/usr/bin/python3", "tests/bench/make_views.py", "--views", "60", "--nodes", "80",
                        "--differ", "each", self.folder + "/case"], check=True)
        answer = document(self.folder + "/case", code=1)
        self.assertEqual(len(answer["groups"]), 60)
        self.assertEqual(len(answer["differences"]), 60)
        for difference in answer["differences"]:
            self.assertEqual(sorted(v["view_count"] for v in difference["values"]), [1, 59])
        text = run(self.folder + "/case", code=1)[0]
        self.assertIn("all 59 others", text)
        self.assertIn("(-v shows all)", text)
        self.assertNotIn("(-v shows all)", run("-v", self.folder + "/case", code=1)[0])

    def test_evidence_bytes_reach_no_terminal(self):
        path = self.write("a\x1b[31m.conf", self.lines)
        text, errors = run(path, self.write("b.conf", self.lines[1:]), code=1)
        self.assertNotIn("\x1b", text + errors)

    def test_trouble(self):
        one = self.write("a.conf", self.lines)
        self.assertIn("one view alone", run(one, code=2)[1])
        self.assertIn("No such file", run(one, self.folder + "/none.conf", code=2)[1])
        self.assertIn("not a view", run(one, self.write("b.txt", ["hello"]), one, code=2)[1])
        os.mkdir(self.folder + "/empty")
        run(self.folder + "/empty", code=2)
        run(code=2)


class Formats(unittest.TestCase):
    def test_csv_and_jsonl_say_the_same(self):
        case = STORY + "09-host-lost"
        rows = list(csv.DictReader(io.StringIO(run("--csv", case, code=1)[0])))
        records = [json.loads(line) for line in run("--format=jsonl", case, code=1)[0].splitlines()]
        self.assertEqual(len(rows), len(records))
        for row, record in zip(rows, records):
            self.assertEqual(row["node_id"], record["node_id"])
            self.assertEqual(row["value"], record["value"])
            self.assertEqual(row["views"].split(" "), record["views"])
            self.assertEqual(int(row["view_count"]), len(record["views"]))
        answer = document(case, code=1)
        self.assertEqual(len(rows), sum(len(d["values"]) for d in answer["differences"]))

    def test_verbose_gives_file_and_line(self):
        text = run("-v", STORY + "06-stale-restarted", code=1)[0]
        self.assertIn("hosts/127.0.0.6/7002/nodes_7002.conf:3", text)

    def test_lost_output_is_noticed(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([BUILD + "/rcf-diff", STORY + "06-stale-restarted"], stdout=full,
                                  stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
