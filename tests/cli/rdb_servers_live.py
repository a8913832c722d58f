"""rcf-rdb-check --servers against a real server: what it says of Redis 7.0 is what redis-server 7.0 does with the dump.

A server is started on each sound and each damaged dump, with nothing but a socket in its folder. With another version of
redis-server only its own row is asked, and rows by rule may be wrong there without a failure; without one nothing is tested.
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import rdb_bytes
from support import expect, finish, run_json, same

SERVER = shutil.which('redis-server')
PATIENCE = 20.0  # seconds for one server


def server_row():
    version = re.search(r'v=(\d+\.\d+)', subprocess.run([SERVER, '--version'], capture_output=True, text=True, check=True).stdout)
    return 'Redis ' + version[1]


def answers(path):
    """The number of keys once the server has loaded, or None."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        try:
            client.connect(path)
            client.sendall(b'DBSIZE\r\n')
            reply = client.recv(100)
        except OSError:
            return None
    return int(reply[1:]) if reply.startswith(b':') else None


def start_on(dump):
    """What the server does: the keys that it holds, or None when it gives up."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 'dump.rdb'), 'wb') as file:
            file.write(dump)
        path = os.path.join(folder, 's')
        process = subprocess.Popen([SERVER, '--port', '0', '--unixsocket', path, '--dir', folder, '--save', '', '--appendonly', 'no'],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until and process.poll() is None:
                keys = answers(path)
                if keys is not None:
                    return keys
                time.sleep(0.02)
            return None
        finally:
            process.kill()
            process.wait()


def judged(folder, name, dump, row):
    path = os.path.join(folder, name + '.rdb')
    with open(path, 'wb') as file:
        file.write(dump)
    _, document = run_json('rcf-rdb-check', '--json', '--servers', path)
    return next(server for server in document['files'][0]['servers'] if server['server'] == row)


def main():
    if not SERVER:
        print('skipped: no redis-server here')
        return
    row = server_row()
    cases = [('sound-%d' % number, rdb_bytes.around(rdb_bytes.key(number, 'k', value), version=11 if number > 19 else 10), None)
             for number, value in rdb_bytes.SOUND_VALUES.items()] + rdb_bytes.DAMAGED
    proved = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, dump, _ in cases:
            said = judged(folder, name, dump, row)
            if not said['proved']:
                continue
            proved += 1
            keys = start_on(dump)
            found = 'refuses' if keys is None else 'loads'
            same({'differs': 'loads'}.get(said['outcome'], said['outcome']), found, '%s (%s)' % (name, said['why']))
            if said['outcome'] == 'loads' and keys is not None:
                expect(keys >= 2, '%s: %d keys' % (name, keys))
    expect(row != 'Redis 7.0' or proved > 60, 'only %d cases are proved' % proved)
    finish()


sys.exit(main())
