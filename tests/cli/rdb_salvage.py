"""Reading on behind damage that lost the position: what is found again, what is said to be lost, what is not invented."""
import gzip
import json
import os
import random
import re
import struct
import sys
import tempfile
import time

import rdb_bytes as rdb
from support import expect, finish, run, run_json, same, validate

VERSION = 11
RECORDS = [rdb.key(kind, '%s:%04d:of type %d' % ('user' if number % 3 else 'cart', number, kind), rdb.SOUND_VALUES[kind],
                   1900000000000 + number if number % 4 == 0 else None)
           for number, kind in enumerate(list(rdb.SOUND_VALUES) * 30)]
HEAD = b'REDIS%04d' % VERSION + rdb.aux('redis-ver', '7.2.4') + b'\xfe\x00' + b'\xfb' + rdb.length(len(RECORDS)) + rdb.length(
    sum(record[0] == 0xfc for record in RECORDS))
STARTS = [len(HEAD)]
for record in RECORDS:
    STARTS.append(STARTS[-1] + len(record))
WHOLE = HEAD + b''.join(RECORDS) + b'\xff'
WHOLE += struct.pack('<Q', rdb.crc64(WHOLE))
FOLDER = tempfile.mkdtemp()
PATH = os.path.join(FOLDER, 'dump.rdb')


def check(data, *words):
    with open(PATH, 'wb') as file:
        file.write(data)
    _, document = run_json('rcf-rdb-check', '--json', *words, PATH)
    validate(document, 'rcf-rdb-check')
    return document.get('files', [{}])[0]


def put(at, new, old=None):
    """The dump with other bytes from `at` on instead of `old` of them."""
    return WHOLE[:at] + new + WHOLE[at + (len(new) if old is None else old):]


def type_at(number):
    return STARTS[number] + (9 if RECORDS[number][0] == 0xfc else 0)


def lost_one(name, number, data, grown=0):
    """All keys but one are found, and what was skipped is its record, but for the opcode in front of it."""
    found = check(data)
    same((found['keys'], found['losses'], found['verdict'] != 'ok'), (str(len(RECORDS) - 1), '1', True), name)
    same(found['lost_bytes'], str(len(RECORDS[number]) + grown), name + ': bytes')


def test_one_record():
    for number in range(40, 40 + len(rdb.SOUND_VALUES)):
        # Two elements of one length in a ziplist look like a record of their own.
        if RECORDS[number][0] in (0xfc, 14):
            continue
        lost_one('type of %d' % number, number, put(STARTS[number], b'\x4d'))
        lost_one('name of %d reaches beyond the end' % number, number, put(STARTS[number] + 1, b'\x80\x10\0\0\0'))


def test_expiry():
    number = next(n for n in range(40, 60) if RECORDS[n][0] == 0xfc)
    found = check(put(STARTS[number], b'\x4d'))
    same((found['keys'], found['lost_bytes']), (str(len(RECORDS)), '9'), 'an expiry without its opcode')


def test_stretches():
    for seed in range(12):
        number = 40 + seed * 20
        start = type_at(number)
        found = check(put(start, b'\x4d' + random.Random(seed).randbytes(200)))
        behind = next(i for i, at in enumerate(STARTS) if at >= start + 201)
        # A record whose expiry was overwritten is still a key.
        keys = len(RECORDS) - (behind - number)
        spared = RECORDS[behind - 1][0] == 0xfc and start + 201 <= type_at(behind - 1)
        expect(keys <= int(found['keys']) <= keys + spared + 1, 'random bytes %d: %s keys, not %d' % (seed, found['keys'], keys))


def test_two_losses():
    one, other = 101, 303
    data = bytearray(WHOLE)
    data[type_at(one)] = data[type_at(other)] = 77
    found = check(bytes(data))
    same((found['keys'], found['losses'], found['verdict']), (str(len(RECORDS) - 2), '2', 'damaged'), 'two losses')
    same([defect['kind'] for defect in found['defects']], ['unread-bytes', 'unread-bytes', 'checksum'], 'two losses: defects')
    stopped = check(bytes(data), '--no-salvage')
    same((stopped['keys'], stopped['losses']), (str(one), '0'), '--no-salvage')
    _, out, _ = run('rcf-rdb-check', PATH)
    expect('2 losses' in out and 'bytes skipped' in out, 'the text says the losses: ' + out)
    code, out, err = run('rcf-rdb-keys', '--format=csv', PATH)
    same((code, out.count('\n')), (1, len(RECORDS) - 1), 'rcf-rdb-keys lists what is behind')
    expect('skipped' in err, 'rcf-rdb-keys says what was skipped: ' + err)


def test_sums():
    """The checksum is computed over what was skipped, too: with the right one nothing else is wrong."""
    data = put(type_at(50), b'\x4d')[:-8]
    found = check(data + struct.pack('<Q', rdb.crc64(data)))
    same((found['checksum'], found['verdict']), ('valid', 'unsupported'), 'a valid checksum over a type that is not known')


def test_swallowed():
    """A length that leads into a later record: the keys that it swallowed are found again."""
    number = 21 * len(rdb.SOUND_VALUES)  # a string without expiry
    start = type_at(number)
    at = start + 1 + 1 + RECORDS[number][start - STARTS[number] + 1]
    found = check(put(at, rdb.length(len(RECORDS[number + 1]) + 20), 1))
    expect(int(found['keys']) >= len(RECORDS) - 1, 'swallowed: %s keys' % found['keys'])
    for name, data in (('bytes gone', put(start + 4, b'', 2)), ('bytes more', put(start + 4, b'xyz', 0))):
        found = check(data)
        expect(len(RECORDS) - 1 <= int(found['keys']) <= len(RECORDS), '%s: %s keys' % (name, found['keys']))


def test_nothing_invented():
    for cut in (STARTS[100] + 5, STARTS[200] + 12, STARTS[300] - 1, len(WHOLE) - 3):
        found = check(WHOLE[:cut])
        same((found['losses'], found['keys']), ('0', str(sum(at <= cut for at in STARTS[1:]))), 'cut at %d' % cut)
    start = WHOLE[:STARTS[10]]
    for name, rest in (('random bytes', random.Random(7).randbytes(3000000)), ('zeros', bytes(3000000)), ('ones', b'\x01' * 300000),
                       ('text', json.dumps(list(range(300000))).encode()), ('twos', b'\x02\x01A' * 100000)):
        begun = time.monotonic()
        found = check(start + b'\x4d' + rest)
        same(found['losses'], '0', name)
        expect(time.monotonic() - begun < 60, '%s: %d s' % (name, time.monotonic() - begun))


def test_zeros():
    """Pages that were never written read as keys without a name and value, of which a database has one."""
    for number in range(41, 61):
        behind = number + 30
        data = WHOLE[:STARTS[number]] + bytes(STARTS[behind] - STARTS[number]) + WHOLE[STARTS[behind]:]
        found = check(data)
        same((found['keys'], found['losses'], found['lost_bytes']),
             (str(len(RECORDS) - 30), '1', str(STARTS[behind] - STARTS[number])), 'zeros from record %d on' % number)
        expect('zero bytes' in found['defects'][0]['found'], 'zeros: %s' % found['defects'][0])
    found = check(WHOLE[:STARTS[99]] + bytes(500000))
    same((found['keys'], found['losses'], found['verdict']), ('99', '0', 'damaged'), 'zeros to the end')
    one = rdb.dump(rdb.key(0, 'a', rdb.string('')), rdb.key(0, '', rdb.string('')), rdb.key(0, 'b', rdb.string('')), version=VERSION)
    same((check(one)['keys'], check(one)['verdict']), ('3', 'ok'), 'a key without a name')


def test_stored_dump():
    """A dump in a value, whose record is damaged, is none of this dump's keys."""
    stored = rdb.dump(*[rdb.key(0, 'stored:%d' % number, rdb.string('value')) for number in range(50)], version=VERSION)
    data = HEAD + b''.join(RECORDS[:50]) + b'\x4d' + rdb.string('holds a dump') + rdb.string(stored) + b''.join(RECORDS[50:]) + b'\xff'
    found = check(data + struct.pack('<Q', rdb.crc64(data)))
    same((found['keys'], found['losses']), (str(len(RECORDS)), '1'), 'a stored dump')


def test_false_end():
    """A type that reads as the end of the dump: what follows the checksum there is searched, and believed as elsewhere."""
    for number in range(40, 60):
        if RECORDS[number][0] == 14:
            continue
        found = check(put(type_at(number), b'\xff'))
        same((found['keys'], found['losses'], found['lost_bytes'], found['verdict']),
             (str(len(RECORDS) - 1), '1', str(len(RECORDS[number])), 'damaged'), 'a false end at %d' % number)
        kinds = [defect['kind'] for defect in found['defects']]
        same(kinds, ['lost-bytes', 'checksum'], 'a false end at %d: defects' % number)
        expect('no checksum confirms' in found['defects'][0]['found'], 'a false end is named: ' + found['defects'][0]['found'])
    data = bytearray(WHOLE[:-8] + bytes(8))
    data[type_at(50)] = 0xff
    same((check(bytes(data))['keys'], check(bytes(data))['losses']), (str(len(RECORDS) - 1), '1'), 'a false end without checksums')
    stopped = check(put(type_at(50), b'\xff'), '--no-salvage')
    same((stopped['keys'], stopped['losses']), ('50', '0'), 'a false end with --no-salvage')


def test_true_end():
    """Behind an end that its checksum confirms, and before another dump, nothing is searched; nor is anything found in noise."""
    wrong, disabled = WHOLE[:-1] + bytes([WHOLE[-1] ^ 1]), WHOLE[:-8] + bytes(8)
    noise = random.Random(3).randbytes(100000)
    for name, data in (('two dumps', WHOLE + WHOLE), ('records behind', WHOLE + b''.join(RECORDS)), ('a wrong one and another', wrong + WHOLE),
                       ('without checksums', disabled + disabled), ('wrong and noise', wrong + noise), ('zeros', disabled + bytes(5000)),
                       ('one byte', disabled + b'x')):
        found = check(data)
        same((found['keys'], found['losses']), (str(len(RECORDS)), '0'), name)
        expect('trailing-bytes' in [defect['kind'] for defect in found['defects']], name + ': %s' % found['defects'])


def test_fixture():
    """A dump of a server, with a type byte in its middle changed."""
    for path in ('story-redis-4.0.1/04-emptied/hosts/127.0.0.6/7000/dump_7000.rdb',
                 'story-valkey-8.0.1/10-recovered/hosts/127.0.4.6/7000/dump_7000.rdb'):
        with open('fixtures/' + path, 'rb') as file:
            data = file.read()
        keys = int(check(data)['keys'])
        places = [match.start() for match in re.finditer(rb'\0(?=.user:\d+)', data[:-200])]
        expect(len(places) > 100, 'a fixture with users: ' + path)
        for at in places[20::len(places) // 8]:
            found = check(data[:at] + b'\xff' + data[at + 1:])
            same((found['keys'], found['losses'], found['verdict']), (str(keys - 1), '1', 'damaged'), 'a false end at %d of %s' % (at, path))


def test_pairs():
    """Two losses a few records apart: what is between them is found, though chance makes records that reach over it."""
    path = 'fixtures/story-redis-4.0.1/10-recovered/hosts/127.0.0.6/7000/dump_7000.rdb'
    with open(path, 'rb') as file:
        data = file.read()
    rows = json.loads(run('rcf-rdb-keys', '--json', path)[1])['keys']
    starts = [int(row['offset']) for row in rows if data[int(row['offset'])] == 0]
    for number in range(20, len(starts) - 260, len(starts) // 20):
        for apart in (15, 90, 250):
            damaged = bytearray(data)
            damaged[starts[number]] = damaged[starts[number + apart]] = 77
            found = check(bytes(damaged))
            same((found['keys'], found['losses']), (str(len(rows) - 2), '2'), 'records %d and %d behind it' % (number, apart))


def test_transfers():
    """A dump that was moved as text says so first; where the checksum can prove it, it does."""
    undone = 'its checksum is valid'
    for name, data, words in (('CR LF', WHOLE.replace(b'\n', b'\r\n'), undone), ('UTF-8', WHOLE.decode('latin-1').encode(), undone),
                              ('U+FFFD', WHOLE.decode('utf-8', 'replace').encode(), 'U+FFFD'),
                              ('seven bits', bytes(byte & 0x7f for byte in WHOLE), 'no byte from 0x80 on')):
        first = check(data)['defects'][0]
        same((first['kind'], first['offset']), ('text-transfer', '0'), name)
        expect(words in first['found'], '%s: %s' % (name, first))
    text = rdb.dump(*[rdb.key(0, 'page:%d' % number, rdb.string('a\r\nb\r\n' * 20)) for number in range(50)], version=VERSION)
    same([defect['kind'] for defect in check(text[:-200])['defects']], ['stop'], 'values of text are no transfer')
    for name, data, words in (('mark', b'\xef\xbb\xbf' + WHOLE, 'byte order mark'), ('UTF-16', WHOLE.decode('latin-1').encode('utf-16'), 'UTF-16'),
                              ('Base64', __import__('base64').encodebytes(WHOLE), 'Base64'), ('hexadecimal', WHOLE.hex().encode(), 'hexadecimal'),
                              ('a page', bytes(4096) + WHOLE[4096:], 'zero bytes'), ('no tail', WHOLE[:-8], 'behind all keys'),
                              ('another', WHOLE + WHOLE, 'begin as another dump'), ('zeros', WHOLE + bytes(9999), '9999 bytes more, all zero'),
                              ('nothing', b'', 'empty'), ('gzip', gzip.compress(gzip.compress(WHOLE)), 'compressed once more')):
        found = check(data)['defects'][0]['found']
        expect(words in found, '%s: %s' % (name, found))


def test_captures():
    """The header and the mark of a captured stream stand around the dump."""
    mark = b'0123456789abcdef' * 2 + b'01234567'
    head = b'$EOF:' + mark + b'\r\n'
    for byte in (b'\x4d', b'\xff'):
        found = check(head + put(type_at(50), byte) + mark)
        same((found['keys'], found['losses'], found['lost_bytes']), (str(len(RECORDS) - 1), '1', str(len(RECORDS[50]))), 'a capture')
    same(check(head + WHOLE + mark)['losses'], '0', 'a sound capture')


def test_dragonfly():
    """Records that were compressed together are no records to the search: the loss is said, and nothing is read wrongly."""
    aux = b'REDIS0009' + rdb.aux('redis-ver', '6.2.11') + rdb.aux('df-snapshot-version', '2')
    blob = rdb.string(random.Random(5).randbytes(900))
    for opcode in (201, 202):
        found = check(aux + b'\xfe\x00' + b''.join(RECORDS[:3]) + bytes([opcode]) + blob + bytes([opcode]) + blob + b'\xff' + bytes(8))
        expect(found['verdict'] in ('damaged', 'unsupported') and found['defects'], 'a blob that does not expand: %s' % found)


def test_stopped_key():
    """What cannot be got over names its key."""
    data = HEAD + b''.join(RECORDS[:5]) + rdb.key(0, 'the last one', b'\xc4abc')
    defect = check(data)['defects'][-1]
    same((defect['kind'], defect['key']), ('stop', 'the last one'), 'a stop with its key')
    for command in ('rcf-rdb-check', 'rcf-rdb-keys', 'rcf-rdb-stat'):
        _, out, err = run(command, PATH)
        expect(', in key the last one' in out + err, command + ' names the key: ' + out + err)


def test_ways_in():
    data = put(type_at(50), b'\x4d')
    path = os.path.join(FOLDER, 'dump.rdb.gz')
    with gzip.open(path, 'wb') as file:
        file.write(data)
    _, document = run_json('rcf-rdb-check', '--json', path)
    same(document['files'][0]['losses'], '1', 'compressed')
    process = __import__('subprocess').run([os.path.join(os.environ.get('RCF_BUILD', 'build/gcc'), 'rcf-rdb-check'), '--json', '-'],
                                           input=data, capture_output=True)
    same(json.loads(process.stdout)['files'][0]['losses'], '0', 'standard input cannot be searched')


same((check(WHOLE)['verdict'], check(WHOLE)['losses']), ('ok', '0'), 'sound')
for test in [value for name, value in sorted(globals().items()) if name.startswith('test_')]:
    test()
__import__('shutil').rmtree(FOLDER)
finish()
