#!/usr/bin/python3
"""rcf-topology as users run it: its tables against the evidence, its formats and exit codes."""
import csv
import glob
import hashlib
import io
import json
import os
import re
import subprocess
import tempfile
import unittest

import jsonschema

BUILD = os.environ.get("RCF_BUILD", "build/gcc")
STORY = "fixtures/story-redis-4.0.1/"
INCIDENTS = "fixtures/incidents-redis-7.0.15/"
SEED = "fixtures/seed-document"
NODE_COLUMNS = ("node_id,address,host,port,bus_port,hostname,role,primary_id,flags,link,config_epoch,slots,slot_count,"
                "keys,views_listing,views_total").split(",")
CASES = sorted(glob.glob(STORY + "*") + glob.glob(INCIDENTS + "*") + [SEED] +
               glob.glob("fixtures/story-*/10-recovered"))


def run(*words, code=0):
    done = subprocess.run([BUILD + "/rcf-topology", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False)
    if done.returncode != code:
        raise AssertionError("rcf-topology %s: exit code %d, not %d\n%s" % (
            " ".join(words), done.returncode, code, done.stderr.decode()))
    return done.stdout.decode(), done.stderr.decode()


def table(name, case):
    return list(csv.DictReader(io.StringIO(run("--csv", "--table=" + name, case)[0])))


def schema():
    with open("docs/schema/rcf-topology.json", encoding="utf-8") as file:
        return json.load(file)


class Nodes(unittest.TestCase):
    def test_columns_and_their_order(self):
        header = run("--csv", STORY + "01-created")[0].splitlines()[0].split(",")
        self.assertEqual(header[:len(NODE_COLUMNS)], NODE_COLUMNS)
        self.assertEqual(header[-1], "cluster")

    def test_stale_member_is_an_outsider(self):
        case = STORY + "06-stale-restarted"
        rows = {row["address"]: row for row in table("nodes", case)}
        self.assertEqual(len(rows), 7)
        stale = rows.pop("127.0.0.6:7002")
        self.assertEqual((stale["standing"], stale["flags"], stale["link"], stale["slots"]), ("outsider", "", "", ""))
        self.assertEqual((stale["views_listing"], stale["views_total"]), ("1", "7"))
        for row in rows.values():
            self.assertEqual((row["standing"], row["views_listing"], row["views_total"]), ("member", "7", "7"))
        self.assertEqual(rows["127.0.0.6:7000"]["slots"], "0-5494 10923-10955")
        self.assertEqual(rows["127.0.0.7:8001"]["primary_id"], rows["127.0.0.6:7000"]["node_id"])
        self.assertEqual(rows["127.0.0.7:8001"]["role"], "replica")
        self.assertEqual(rows["127.0.0.7:8001"]["flags"], "slave")

    def test_views_listing_is_what_grep_counts(self):
        for case in ("03-resharded", "06-stale-restarted", "08-rebuilt"):
            files = []
            for path in glob.glob(STORY + case + "/hosts/*/*/nodes_*.conf"):
                with open(path, encoding="ascii") as file:
                    files.append(file.read())
            for row in table("nodes", STORY + case):
                count = sum(bool(re.search("^" + row["node_id"], text, re.M)) for text in files)
                self.assertEqual(int(row["views_listing"]), count, case)
                self.assertEqual(int(row["views_total"]), len(files), case)

    def test_lost_host(self):
        rows = {row["address"]: row for row in table("nodes", STORY + "09-host-lost")}
        self.assertEqual(rows["127.0.0.7:8000"]["flags"], "master,fail")
        self.assertEqual(rows["127.0.0.7:8000"]["link"], "disconnected")
        self.assertEqual(rows["127.0.0.7:8000"]["slot_count"], "0")
        self.assertEqual(rows["127.0.0.6:7001"]["slots"], "5495-10922")

    def test_keys_are_absent_without_a_dump(self):
        for row in table("nodes", SEED):
            self.assertEqual(row["keys"], "")


class Slots(unittest.TestCase):
    def test_every_slot_is_in_one_row(self):
        for case in CASES:
            clusters = {}
            for row in table("slots", case):
                clusters.setdefault(row["cluster"], []).append(row)
            for rows in clusters.values():
                covered = [slot for row in rows for slot in range(int(row["first"]), int(row["last"]) + 1)]
                self.assertEqual(covered, list(range(16384)), case)
            for cluster, rows in clusters.items():
                owned = {}
                for row in rows:
                    owned[row["owner_id"]] = owned.get(row["owner_id"], 0) + int(row["slot_count"])
                for row in table("nodes", case):
                    if row["cluster"] == cluster:
                        self.assertEqual(int(row["slot_count"]), owned.get(row["node_id"], 0), case)

    def test_rows_are_as_long_as_possible(self):
        for case in CASES:
            rows = table("slots", case)
            for one, two in zip(rows, rows[1:]):
                facts = [key for key in one if key not in ("first", "last", "slot_count")]
                self.assertTrue(any(one[key] != two[key] for key in facts), case)

    def test_states(self):
        def states(case):
            return {row["state"] for row in table("slots", INCIDENTS + case)}

        self.assertEqual(states("clean-cluster"), {"ok"})
        self.assertTrue(states("uncovered") & {"uncovered", "dropped"})
        self.assertIn("conflict", states("split-brain"))
        self.assertIn("open", states("open-slots"))
        conflict = [row for row in table("slots", INCIDENTS + "split-brain") if row["state"] == "conflict"]
        self.assertEqual(conflict[0]["claimed_by"].split(" "), ["127.0.1.6:7001", "127.0.1.7:8000"])


class Others(unittest.TestCase):
    def test_replicas(self):
        rows = {row["replica_address"]: row for row in table("replicas", STORY + "06-stale-restarted")}
        self.assertEqual(rows["127.0.0.8:9001"]["same_host"], "true")
        self.assertEqual(rows["127.0.0.6:7001"]["primary_address"], "127.0.0.7:8000")
        self.assertEqual(rows["127.0.0.6:7001"]["same_host"], "false")

    def test_views(self):
        case = STORY + "06-stale-restarted"
        rows = {row["instance"]: row for row in table("views", case)}
        self.assertEqual(len(rows), 7)
        for row in rows.values():
            with open(os.path.join(case, row["file"]), "rb") as file:
                self.assertEqual(hashlib.sha256(file.read()).hexdigest(), row["sha256"])
        self.assertEqual({row["group"] for name, row in rows.items() if name != "127.0.0.6:7002"}, {"0"})
        self.assertEqual((rows["127.0.0.6:7002"]["group"], rows["127.0.0.6:7002"]["testifies"]), ("1", "false"))
        older = [row for row in table("views", SEED) if row["newest"] == "false"]
        self.assertTrue(older)
        self.assertEqual({row["group"] for row in older}, {""})

    def test_separate_clusters_are_numbered(self):
        for case in sorted(glob.glob(INCIDENTS + "merged-clusters/before")):
            rows = table("nodes", case)
            self.assertEqual({row["cluster"] for row in rows}, {"0", "1"})


class Formats(unittest.TestCase):
    def test_documents_match_the_schema_and_the_tables(self):
        for case in CASES:
            answer = json.loads(run("--json", case)[0])
            jsonschema.validate(answer, schema())
            for name in ("nodes", "slots", "replicas", "views", "totals", "tolerance", "takeovers", "pairs"):
                one = json.loads(run("--json", "--table=" + name, case)[0])
                jsonschema.validate(one, schema())
                self.assertEqual(one[name], answer[name])
                self.assertEqual(len(table(name, case)), len(answer[name]))
                lines = run("--format=jsonl", "--table=" + name, case)[0].splitlines()
                self.assertEqual([json.loads(line) for line in lines], answer[name])

    def test_graph(self):
        graph = run("--dot", STORY + "06-stale-restarted")[0]
        self.assertEqual(graph, run("--format=dot", STORY + "06-stale-restarted")[0])
        self.assertEqual(graph.count(" -> "), 3)
        self.assertEqual(len(re.findall(r"style=dashed", graph)), 1)
        self.assertEqual(graph.count("{"), graph.count("}"))
        self.assertEqual(graph.count('"') % 2, 0)
        self.assertIn('label="127.0.0.6";', graph)

    def test_overview(self):
        text = run(STORY + "06-stale-restarted")[0]
        self.assertIn("6 members: 3 primaries with slots, 3 replicas; 16384 of 16384 slots; currentEpoch 9", text)
        self.assertIn("127.0.0.6:7002 (b9ff0e9b)  outside", text)

    def test_trouble(self):
        with tempfile.TemporaryDirectory() as folder:
            run(folder, code=2)
            with open(folder + "/redis.conf", "w", encoding="ascii") as file:
                file.write("port 7000\ncluster-enabled yes\nappendonly no\n")
            self.assertIn("no view", run(folder, code=2)[1])
        run("--table=nothing", STORY + "01-created", code=2)
        run("--dot", "--json", STORY + "01-created", code=2)
        run(code=2)
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([BUILD + "/rcf-topology", STORY + "01-created"], stdout=full, stderr=subprocess.PIPE,
                                  check=False)
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
