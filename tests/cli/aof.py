"""What rcf-check and rcf-identify say of append-only files and manifests, each case in a folder of its own."""
import json
import os
import sys
import tempfile

from support import expect, finish, run, same


def command(*words):
    return b''.join([b'*%d\r\n' % len(words)] + [b'$%d\r\n%s\r\n' % (len(word), word) for word in map(str.encode, words)])


SELECT, SET, DEL, MULTI = command('SELECT', '0'), command('SET', 'k', 'v'), command('DEL', 'k'), command('MULTI')
BASE, FIRST, SECOND, THIRD = (b'file a.%d.%s seq %d type %s\n' % part for part in
                              ((1, b'base.aof', 1, b'b'), (1, b'incr.aof', 1, b'i'), (2, b'incr.aof', 2, b'i'), (3, b'incr.aof', 3, b'i')))
PARTS = {'a.1.base.aof': SELECT, 'a.1.incr.aof': SELECT + SET}

# Name, files, the findings as (id, severity, certainty, words of the summary).
CASES = [
    ('sound', {'a.aof': SELECT + SET + b'#TS:1700000000\r\n' + DEL}, []),
    ('cut', {'a.aof': SELECT + SET[:-4]}, [('aof-truncated', 'error', 'proved', 'to offset 23, and the last 23 bytes are lost')]),
    ('cut in a transaction', {'a.aof': SELECT + MULTI + SET[:-4]}, [('aof-truncated', 'error', 'proved', 'The MULTI at offset 23 stays')]),
    ('open transaction', {'a.aof': SELECT + MULTI + SET}, [('aof-truncated', 'error', 'proved', 'inside a transaction')]),
    ('a length too high', {'a.aof': SELECT + SET.replace(b'$1\r\nk', b'$1000\r\nk') + DEL + DEL},
     [('aof-truncated', 'error', 'proved', '2 whole commands, which no server comes to')]),
    ('broken in the middle', {'a.aof': SELECT + b'junk' + SET + DEL}, [('aof-corrupt', 'error', 'proved', 'begin again at offset 27: 2 whole commands')]),
    ('unknown', {'a.aof': SELECT + command('NOSUCH')}, [('aof-corrupt', 'error', 'probable', 'no server known here')]),
    ("a module's", {'a.aof': SELECT + command('ts.add', 'k', '1', '1')}, [('aof-corrupt', 'warning', 'probable', 'only a module')]),
    ('too few words', {'a.aof': SELECT + command('SET')}, [('aof-corrupt', 'error', 'proved', 'fewer words')]),
    ('LF alone', {'a.aof': SELECT + b'*1\n$4\nPING\r\n'}, [('aof-corrupt', 'warning', 'proved', 'no server writes')]),
    ('payload', {'a.aof': command('RESTORE', 'k', '0', 'xxxxxxxxxxxxxxx')}, [('aof-corrupt', 'error', 'proved', 'checksum of the payload')]),
    ('for older servers', {'a.aof': SELECT + command('HGETDEL', 'h', 'FIELDS', '1', 'f'),
                           'redis.conf': b'port 7000\nlogfile redis.log\nappendfilename a.aof\nappendonly yes\n',
                           'redis.log': b'1:M 22 Nov 2026 15:18:45.118 # Redis version=7.0.15, bits=64, pid=1, just started\n'},
     [('aof-corrupt', 'error', 'probable', 'Redis 7.0.15 refuses it')]),
    ('a set', {**PARTS, 'a.manifest': BASE + FIRST}, []),
    ('a set, not the last cut', {**PARTS, 'a.2.incr.aof': b'', 'a.1.incr.aof': SELECT[:-1], 'a.manifest': BASE + FIRST + SECOND},
     [('aof-truncated', 'error', 'proved', 'not the last file of its set')]),
    ('a part is missing', {**PARTS, 'a.manifest': BASE + FIRST + SECOND}, [('aof-manifest', 'error', 'probable', 'names a.2.incr.aof')]),
    ('a part is not named', {**PARTS, 'a.2.incr.aof': SELECT, 'a.manifest': BASE + FIRST},
     [('aof-manifest', 'warning', 'proved', 'does not name it')]),
    ('no manifest', PARTS, [('aof-manifest', 'error', 'probable', 'manifest is not in the case')] * 2),
    ('a gap', {**PARTS, 'a.3.incr.aof': b'', 'a.manifest': BASE + FIRST + THIRD}, [('aof-manifest', 'warning', 'probable', 'from seq 1 to seq 3')]),
    ('no base', {'a.1.incr.aof': SELECT, 'a.manifest': FIRST}, [('aof-manifest', 'warning', 'probable', 'names no base')]),
    ('refused', {**PARTS, 'a.manifest': BASE + FIRST[:-1]}, [('aof-manifest', 'error', 'proved', 'too long line')]),
]


def check_case(name, files, expected):
    with tempfile.TemporaryDirectory() as folder:
        for path, data in files.items():
            with open(os.path.join(folder, path), 'wb') as file:
                file.write(data)
        _, out, err = run('rcf-check', '--format=jsonl', folder)
        found = [record for record in map(json.loads, out.splitlines()) if record.get('finding', '').startswith('aof-')]
        same(sorted((f['finding'], f['severity'], f['certainty']) for f in found), sorted(e[:3] for e in expected), '%s: findings' % name)
        for (_, _, _, words) in expected:
            expect(any(words in f['summary'] for f in found), '%s: %r in %r %s' % (name, words, [f['summary'] for f in found], err))
        for f in found:
            check_exhibits(name, folder, f)


def check_exhibits(name, folder, finding):
    expect(finding['evidence'], '%s: nothing is shown' % name)
    for shown in finding['evidence']:
        if shown.get('offset') is None:
            continue
        with open(os.path.join(folder, shown['file']), 'rb') as file:
            data = file.read()
        offset, length = int(shown['offset']), int(shown['length'])
        expect(0 < length and offset + length <= len(data), '%s: %d+%d of %d bytes' % (name, offset, length, len(data)))


def check_identify():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'a.aof')
        with open(path, 'wb') as file:
            file.write(SELECT + b'#TS:1700000000\r\n' + SET)
        code, out, _ = run('rcf-identify', '--json', path)
        row = json.loads(out)['files'][0]
        same((code, row['complete'], row['note']), (0, True, '2 commands, last dated 2023-11-14T22:13:20.000Z'), 'identify')
        with open(path, 'ab') as file:
            file.write(MULTI)
        code, out, _ = run('rcf-identify', '--json', path)
        row = json.loads(out)['files'][0]
        same((code, row['complete']), (1, False), 'identify, open transaction: %s' % row['note'])


def main():
    for case in CASES:
        check_case(*case)
    check_identify()
    finish()


sys.exit(main())
