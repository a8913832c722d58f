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
DEFAULT_KEYS = {"strings": 10000000, "mixed": 3000000}

# Made by DEBUG POPULATE: user:session:N with 48 bytes each, which the server compresses.
STRINGS = ("user:session", 48)

# Makes the numbers ARGV[1] to ARGV[2]; every tenth number is two keys, every thousandth four. Stream ids are given, so
# that two runs differ in nothing but the order of hash tables and when keys expire.
MIXED = """
local filler = string.rep('lorem ipsum dolor sit amet ', 20)
local function short_string(i)
  redis.call('SET', 'str:' .. i, 'value-' .. i .. '-' .. i * 7919 % 1000003, 'EX', 864000 + i % 1000)
end
local function small_hash(i)
  redis.call('HSET', 'hash:{u' .. i % 5000 .. '}:' .. i, 'name', 'user' .. i, 'email', 'user' .. i .. '@example.com',
    'age', i % 100, 'score', i * 31 % 100000, 'bio', 'x' .. i)
end
local function fill(key, command, count, item)
  local words = {}
  for n = 1, count do for _, word in ipairs({item(n)}) do words[#words + 1] = word end end
  redis.call(command, key, unpack(words))
end
local make = {
  [0] = short_string, short_string, short_string, short_string, small_hash, small_hash,
  function(i) fill('list:' .. i, 'RPUSH', 20, function(n) return 'item-' .. i .. '-' .. n end) end,
  function(i) fill('zset:' .. i, 'ZADD', 20, function(n) return n * 1.5 + i % 7, 'm' .. n .. ':' .. i end) end,
  function(i)
    fill('set:' .. i, 'SADD', 15, function(n) return i * n end)
    redis.call('SADD', 'sets:' .. i, 'a' .. i, 'b' .. i, 'c' .. i)
  end,
  function(i) redis.call('SET', 'blob:' .. i, filler .. i .. filler) end,
}
for i = ARGV[1], ARGV[2] do
  make[i % 10](i)
  if i % 1000 == 0 then
    for n = 1, 50 do
      redis.call('XADD', 'stream:' .. i, 1700000000000 + i .. '-' .. n, 'sensor', n, 'temp', i % 40)
    end
    fill('bighash:' .. i, 'HSET', 600, function(n) return 'f' .. n, 'v' .. n .. i end)
    fill('bigz:' .. i, 'ZADD', 300, function(n) return n / 3, 'member' .. n end)
  end
end
"""


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
                                "--dbfilename", "dump.rdb", "--save", "", "--appendonly", "no",
                                "--enable-debug-command", "local"],
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
    parser.add_argument("--kind", choices=sorted(DEFAULT_KEYS), default="mixed")
    parser.add_argument("--keys", type=int, help="default: 10 million strings, 3 million mixed")
    parser.add_argument("dump", help="the file to write")
    options = parser.parse_args()
    path = os.path.abspath(options.dump)
    keys = options.keys or DEFAULT_KEYS[options.kind]
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        process, client = start(options.server, folder)
        try:
            if options.kind == "strings":
                client.command("DEBUG", "POPULATE", keys, *STRINGS)
            else:
                for first in range(0, keys, BATCH):
                    client.command("EVAL", MIXED, 0, first, min(first + BATCH, keys) - 1)
            client.command("SAVE")
            os.replace(os.path.join(folder, "dump.rdb"), path)
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
