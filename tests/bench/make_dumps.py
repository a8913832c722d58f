#!/usr/bin/python3
"""Makes a dump of many keys, written by a real redis-server that is started for it and ended again."""
import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time

BATCH = 10000  # keys an EVAL; a script that runs for more than five seconds would be reported

# Each script makes the keys ARGV[1] to ARGV[2]. Expiries are absolute and stream ids are given, so that two runs differ
# in nothing but the order of hash tables.
KINDS = {
    "strings": """
for i = ARGV[1], ARGV[2] do
  redis.call('SET', 'session:' .. i, redis.sha1hex(i) .. string.format('%08d', i))
end
""",
    "mixed": """
local prose = string.rep('so much depends upon a red wheel barrow glazed with rain water ', 9)
local make = {
  [0] = function(i) redis.call('SET', 'counter:' .. i, i * 17) end,
  [1] = function(i) redis.call('SET', 'token:' .. i, redis.sha1hex(i), 'PXAT', 4102444800000 + i) end,
  [2] = function(i) redis.call('SET', 'page:' .. i, prose .. i) end,
  [3] = function(i)
    redis.call('HSET', 'user:{' .. i % 997 .. '}:' .. i, 'name', 'name' .. i, 'age', i % 90,
      'mail', i .. '@example.org')
  end,
  [4] = function(i) redis.call('RPUSH', 'queue:' .. i, i, 'job', i + 1, 'job of ' .. i) end,
  [5] = function(i) redis.call('SADD', 'ids:' .. i, i, i * 3, i * 7, i * 70001) end,
  [6] = function(i) redis.call('SADD', 'tags:' .. i, 'red', 'tag' .. i, 'white') end,
  [7] = function(i) redis.call('ZADD', 'rank:' .. i, i, 'first', i / 3, 'second', -i, 'third') end,
  [8] = function(i)
    for n = 1, 4 do redis.call('XADD', 'events:' .. i, i .. '-' .. n, 'kind', n % 2, 'value', i * n) end
  end,
  [9] = function(i)
    if i % 1000 ~= 9 then return redis.call('SET', 'note:' .. i, 'note ' .. i) end
    for n = 1, 1000 do
      redis.call('HSET', 'big-hash:' .. i, 'field' .. n, 'value ' .. n * i)
      redis.call('ZADD', 'big-rank:' .. i, n * 1.25, 'member' .. n)
      redis.call('RPUSH', 'big-queue:' .. i, 'job ' .. n)
    end
  end,
}
for i = ARGV[1], ARGV[2] do make[i % 10](i) end
""",
}


class Client:
    """As much of RESP as the scripts need."""

    def __init__(self, port):
        self.stream = socket.create_connection(("127.0.0.1", port)).makefile("rwb")

    def command(self, *words):
        words = [str(word).encode() for word in words]
        self.stream.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        self.stream.flush()
        reply = self.stream.readline()
        if not reply or reply.startswith(b"-"):
            raise OSError("%s: %s" % (words[0].decode(), reply.decode().strip() or "the server has gone"))
        if reply.startswith(b"$") and reply != b"$-1\r\n":
            self.stream.readline()
        return reply


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(server, folder):
    port = free_port()
    process = subprocess.Popen([server, "--bind", "127.0.0.1", "--port", str(port), "--dir", folder,
                                "--dbfilename", "dump.rdb", "--save", "", "--appendonly", "no"],
                               stdout=subprocess.DEVNULL)
    for _ in range(200):
        try:
            return process, Client(port)
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    process.kill()
    process.wait()
    sys.exit(f"{server} did not start on port {port}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", default="redis-server")
    parser.add_argument("--kind", choices=sorted(KINDS), default="mixed")
    parser.add_argument("--keys", type=int, default=1000000)
    parser.add_argument("dump", help="the file to write")
    options = parser.parse_args()
    path = os.path.abspath(options.dump)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        process, client = start(options.server, folder)
        try:
            for first in range(0, options.keys, BATCH):
                client.command("EVAL", KINDS[options.kind], 0, first, min(first + BATCH, options.keys) - 1)
            client.command("SAVE")
            os.replace(os.path.join(folder, "dump.rdb"), path)
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
