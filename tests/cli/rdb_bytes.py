"""Module: dumps made byte by byte: the pieces of the format, sound values of each type, and one damaged dump per defect.

Facts: docs/formats/rdb.md. Every function returns bytes.
"""
import struct


def crc64_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x95AC9329AC4BC9B5 if byte & 1 else 0)
        table.append(byte)
    return table


CRC64 = crc64_table()


def crc64(data):
    crc = 0
    for byte in data:
        crc = CRC64[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc


def raw(text):
    return text if isinstance(text, bytes) else str(text).encode()


# ---------------------------------------------------------------- lengths and strings

def length(number):
    if number < 1 << 6:
        return bytes([number])
    if number < 1 << 14:
        return struct.pack('>H', 0x4000 | number)
    return b'\x80' + struct.pack('>I', number) if number < 1 << 32 else b'\x81' + struct.pack('>Q', number)


def string(text):
    text = raw(text)
    return length(len(text)) + text


def lzf(packed, size):
    """A compressed string of given bytes and stated size."""
    return b'\xc3' + length(len(packed)) + length(size) + packed


def literals(text):
    """LZF of literal runs only."""
    return b''.join(bytes([len(text[i:i + 32]) - 1]) + text[i:i + 32] for i in range(0, len(text), 32))


# ---------------------------------------------------------------- packed encodings

def back(size):
    """The length of a listpack entry, as it is read from behind."""
    groups = [size & 0x7F]
    while size > 0x7F:
        size >>= 7
        groups.append(size & 0x7F)
    groups.reverse()
    return bytes([groups[0]] + [group | 0x80 for group in groups[1:]])


def listpack_entry(word):
    if isinstance(word, int) and 0 <= word < 128:
        body = bytes([word])
    elif isinstance(word, int) and -4096 <= word < 4096:
        body = struct.pack('>H', 0xC000 | word & 0x1FFF)
    elif isinstance(word, int):
        body = next(struct.pack('<Bq', code, word)[:1 + size] for code, size in ((0xF1, 2), (0xF2, 3), (0xF3, 4), (0xF4, 8))
                    if -1 << 8 * size - 1 <= word < 1 << 8 * size - 1)
    else:
        word = raw(word)
        body = (bytes([0x80 | len(word)]) if len(word) < 64 else struct.pack('>H', 0xE000 | len(word))) + word
    return body + back(len(body))


def listpack(*words, size=None, count=None, end=b'\xff'):
    body = b''.join(listpack_entry(word) for word in words)
    return (struct.pack('<IH', 6 + len(body) + len(end) if size is None else size, len(words) if count is None else count) + body + end)


def ziplist(*words, size=None, tail=None, count=None, before=None, end=b'\xff'):
    """`before`: the length of the previous entry that the last entry states."""
    entries = []
    for number, word in enumerate(words):
        previous = len(entries[-1]) if entries else 0
        if before is not None and number == len(words) - 1:
            previous = before
        if isinstance(word, int) and 0 <= word <= 12:
            body = bytes([0xF1 + word])
        elif isinstance(word, int):
            body = next(struct.pack('<Bq', code, word)[:1 + size_] for code, size_ in ((0xFE, 1), (0xC0, 2), (0xF0, 3), (0xD0, 4), (0xE0, 8))
                        if -1 << 8 * size_ - 1 <= word < 1 << 8 * size_ - 1)
        else:
            body = bytes([len(raw(word))]) + raw(word)
        entries.append(bytes([previous]) + body)
    whole = b''.join(entries)
    at = 10 + len(whole) - (len(entries[-1]) if entries else 0)
    return struct.pack('<IIH', 10 + len(whole) + len(end) if size is None else size, at if tail is None else tail,
                       len(words) if count is None else count) + whole + end


def intset(*numbers, width=2, count=None):
    return struct.pack('<II', width, len(numbers) if count is None else count) + b''.join(
        struct.pack('<q', number)[:width] for number in numbers)


def zipmap(*pairs, count=None, end=b'\xff'):
    body = b''.join(bytes([len(raw(key))]) + raw(key) + bytes([len(raw(value)), 0]) + raw(value) for key, value in pairs)
    return bytes([len(pairs) if count is None else count]) + body + end


# ---------------------------------------------------------------- streams

def stream_id(ms, seq):
    return struct.pack('>QQ', ms, seq)


def stream_node(entries, fields=('f',), count=None, deleted=0, elements=None):
    """A node whose entries are (ms, seq, values) with the fields of the node; gives its id and its listpack."""
    ms, seq, _ = entries[0]
    words = [len(entries) if count is None else count, deleted, len(fields), *fields, 0]
    for entry_ms, entry_seq, values in entries:
        words += [2, entry_ms - ms, entry_seq - seq, *values, 3 + len(values) if elements is None else elements]
    return string(stream_id(ms, seq)) + string(listpack(*words))


def stream_group(name, last, pending=(), consumers=(), version=2):
    """`pending`: ids; `consumers`: (name, ids)."""
    out = string(name) + length(last[0]) + length(last[1]) + (length(1) if version >= 2 else b'')
    out += length(len(pending)) + b''.join(stream_id(*one) + struct.pack('<q', 1700000000000) + length(1) for one in pending)
    out += length(len(consumers))
    for consumer, ids in consumers:
        out += string(consumer) + struct.pack('<q', 1700000000000) * (2 if version >= 3 else 1)
        out += length(len(ids)) + b''.join(stream_id(*one) for one in ids)
    return out


def stream(nodes, count, last, groups=(), version=2, first=None, added=None, max_deleted=(0, 0)):
    out = length(len(nodes)) + b''.join(nodes) + length(count) + length(last[0]) + length(last[1])
    if version >= 2:
        first = first or (1, 1)
        out += b''.join(map(length, (*first, *max_deleted, count if added is None else added)))
    return out + length(len(groups)) + b''.join(groups)


# ---------------------------------------------------------------- dumps

def aux(name, value):
    return b'\xfa' + string(name) + string(value)


def key(type_byte, name, value, expire_ms=None):
    return (b'' if expire_ms is None else b'\xfc' + struct.pack('<q', expire_ms)) + bytes([type_byte]) + string(name) + value


def dump(*records, version=10, magic=None, stated=None, checksum=True, tail=b'', head=b''):
    """`stated`: keys and expiries of RESIZEDB; `tail`: behind the checksum."""
    body = (magic or 'REDIS%04d' % version).encode() + head + b'\xfe\x00'
    if stated:
        body += b'\xfb' + length(stated[0]) + length(stated[1])
    body += b''.join(records) + b'\xff'
    return body + struct.pack('<Q', crc64(body) if checksum else 0) + tail


def count(*numbers):
    return b''.join(map(length, numbers))


SOUND = key(0, 'before', string('sound')), key(0, 'behind', string('sound'))


def around(*records, **how):
    """A dump with the records between two sound keys, so that what is said of them shows that reading went on."""
    return dump(SOUND[0], *records, SOUND[1], **how)


NODE = stream_node([(1, 1, ['a']), (2, 1, ['b'])])
HYLL = b'HYLL\x01\0\0\0' + b'\0' * 8

# One sound value of each type byte that the servers of today write, by type.
SOUND_VALUES = {
    0: string('text'), 1: count(2) + string('a') + string('b'), 2: count(2) + string('a') + string('b'),
    3: count(1) + string('m') + b'\x03' + b'1.5', 4: count(1) + string('f') + string('v'), 5: count(1) + string('m') + struct.pack('<d', 1.5),
    9: string(zipmap(('f', 'v'))), 10: string(ziplist('a', 5, 1000)), 11: string(intset(1, 2, 300)), 12: string(ziplist('m', 1, 'n', '2.5')),
    13: string(ziplist('f', 'v', 'g', 7)), 14: count(1) + string(ziplist('a', 'b')),
    15: stream([NODE], 2, (2, 1), version=1), 16: string(listpack('f', 'v', 'g', 7)), 17: string(listpack('m', 1, 'n', '2.5')),
    18: count(2, 2) + string(listpack('a', 'b')) + count(1) + string('plain'),
    19: stream([NODE], 2, (2, 1), [stream_group('g', (1, 1), [(1, 1)], [('c', [(1, 1)])])]),
    20: string(listpack('a', 5)), 21: stream([NODE], 2, (2, 1), [stream_group('g', (1, 1), [(1, 1)], [('c', [(1, 1)])], 3)]),
}


def bad(type_byte, value, **how):
    return around(key(type_byte, 'damaged', value), version=how.pop('version', 11 if type_byte in (20, 21) else 10), **how)


# Name, dump, the defect's finding: one for each way that values and records have been broken in the wild. All of them have a
# valid checksum unless it is their subject.
DAMAGED = [
    ('checksum', around()[:-8] + b'12345678', 'dump-checksum-mismatch'),
    ('cut', around()[:-12], 'dump-truncated'),
    ('bytes-behind', around(tail=b'more'), 'dump-inconsistent'),
    ('stated-keys', around(stated=(7, 0)), 'dump-inconsistent'),
    ('aux-ctime', dump(aux('ctime', 'yesterday'), *SOUND), 'dump-inconsistent'),
    ('aux-repl-id', dump(aux('repl-id', 'zz'), *SOUND), 'dump-inconsistent'),
    ('expiry-of-nothing', around(b'\xfc' + struct.pack('<q', 1) + b'\xfe\x00'), 'dump-inconsistent'),
    ('expiry-before-1970', around(key(0, 'old', string('v'), -5)), 'dump-inconsistent'),
    ('length-form', bad(0, b'\x40\x04text'), 'dump-inconsistent'),
    ('length-byte', bad(0, b'\x82\0\0\0\x04text'), 'dump-corrupt'),
    ('string-encoding', bad(0, b'\xc4\x04text'), 'dump-corrupt'),
    ('empty-set', bad(2, count(0)), 'dump-inconsistent'),
    ('lzf-size', bad(0, lzf(literals(b'some text'), 30)), 'dump-corrupt'),
    ('lzf-beyond', bad(0, lzf(literals(b'some text'), 1 << 30)), 'dump-corrupt'),
    ('lzf-reference', bad(0, lzf(b'\0a\xe0\x20\x7f', 42)), 'dump-corrupt'),
    ('lzf-ends-early', bad(0, lzf(b'\x1fshort', 32)), 'dump-corrupt'),
    ('same-key-twice', around(SOUND[0]), 'dump-corrupt'),
    ('set-member-twice', bad(2, count(3) + string('a') + string('b') + string('a')), 'dump-corrupt'),
    ('hash-field-twice', bad(4, count(2) + string('f') + string('1') + string('f') + string('2')), 'dump-corrupt'),
    ('zset-member-twice', bad(5, count(2) + (string('m') + struct.pack('<d', 2)) + (string('m') + struct.pack('<d', 1))), 'dump-corrupt'),
    ('zset-nan', bad(5, count(1) + string('m') + struct.pack('<d', float('nan'))), 'dump-corrupt'),
    ('zset-text-score', bad(3, count(1) + string('m') + b'\x031x5'), 'dump-corrupt'),
    ('zset-listpack-score', bad(17, string(listpack('m', 'x'))), 'dump-corrupt'),
    ('zset-listpack-odd', bad(17, string(listpack('m', 1, 'n'))), 'dump-corrupt'),
    ('zset-listpack-order', bad(17, string(listpack('m', 2, 'n', 1))), 'dump-corrupt'),
    ('hash-listpack-odd', bad(16, string(listpack('f', 'v', 'g'))), 'dump-corrupt'),
    ('hash-listpack-twice', bad(16, string(listpack('f', 1, 'f', 2))), 'dump-corrupt'),
    ('set-listpack-twice', bad(20, string(listpack('a', 'b', 'a'))), 'dump-corrupt'),
    ('listpack-size', bad(16, string(listpack('f', 'v', size=500))), 'dump-corrupt'),
    ('listpack-count', bad(16, string(listpack('f', 'v', count=4))), 'dump-corrupt'),
    ('listpack-no-end', bad(16, string(listpack('f', 'v', end=b''))), 'dump-corrupt'),
    ('listpack-more', bad(16, string(listpack('f', 'v', end=b'\xff\xff'))), 'dump-corrupt'),
    ('listpack-back', bad(16, string(struct.pack('<IH', 12, 2) + b'\x81f\x05\x01\x01\xff')), 'dump-corrupt'),
    ('listpack-huge-string', bad(16, string(struct.pack('<IH', 14, 2) + b'\xf0\xff\xff\xff\xff\x05\x01\xff')), 'dump-corrupt'),
    ('listpack-short', bad(16, string(b'\x07\0\0')), 'dump-corrupt'),
    ('ziplist-size', bad(13, string(ziplist('f', 'v', size=9))), 'dump-corrupt'),
    ('ziplist-tail', bad(13, string(ziplist('f', 'v', tail=3))), 'dump-corrupt'),
    ('ziplist-count', bad(13, string(ziplist('f', 'v', count=6))), 'dump-corrupt'),
    ('ziplist-before', bad(13, string(ziplist('f', 'v', before=9))), 'dump-corrupt'),
    ('ziplist-no-end', bad(13, string(ziplist('f', 'v', end=b''))), 'dump-corrupt'),
    ('ziplist-entry', bad(10, string(struct.pack('<IIH', 14, 10, 1) + b'\0\x3fa\xff')), 'dump-corrupt'),
    ('ziplist-twice', bad(13, string(ziplist('f', 1, 'f', 2))), 'dump-corrupt'),
    ('intset-width', bad(11, string(intset(1, 2, width=3))), 'dump-corrupt'),
    ('intset-count', bad(11, string(intset(1, 2, count=3))), 'dump-corrupt'),
    ('intset-overflow', bad(11, string(intset(1, 2, width=8, count=1 << 29))), 'dump-corrupt'),
    ('intset-order', bad(11, string(intset(5, 2))), 'dump-corrupt'),
    ('intset-twice', bad(11, string(intset(2, 2))), 'dump-corrupt'),
    ('zipmap-long-length', bad(9, string(b'\x01\xfe\x01\0\0\0f\x01\0v\xff')), 'dump-corrupt'),
    ('zipmap-no-value', bad(9, string(b'\x01\x01f\xff')), 'dump-corrupt'),
    ('zipmap-beyond', bad(9, string(b'\x01\x7ff\x01\0v\xff')), 'dump-corrupt'),
    ('zipmap-count', bad(9, string(zipmap(('f', 'v'), count=2))), 'dump-corrupt'),
    ('quicklist-container', bad(18, count(1, 3) + string(listpack('a'))), 'dump-corrupt'),
    ('quicklist-node', bad(18, count(2, 2) + string(listpack('a', size=3)) + count(2) + string(listpack('b'))), 'dump-corrupt'),
    ('huge-count', bad(2, length(1 << 39) + string('a')), None),
    ('type-hole', bad(8, string('x')), None),
    ('type-unknown', bad(99, string('x')), 'dump-unsupported'),
    ('module-opcode', bad(7, b'\x81' + struct.pack('>Q', 0x1234567890ABCC00) + count(9) + count(0)), 'dump-corrupt'),
    ('hyperloglog', bad(0, string(HYLL + b'\x7f\xff' * 3)), 'dump-corrupt'),
    ('stream-node-id', bad(19, length(1) + string(b'x' * 15) + NODE[17:] + count(2, 2, 1, 1, 1, 0, 0, 2, 0)), 'dump-corrupt'),
    ('stream-length', bad(19, stream([NODE], 5, (2, 1))), 'dump-corrupt'),
    ('stream-order', bad(19, stream([stream_node([(5, 1, ['a'])]), NODE], 3, (5, 1), first=(1, 1))), 'dump-corrupt'),
    ('stream-last-id', bad(19, stream([NODE], 2, (1, 1))), 'dump-corrupt'),
    ('stream-node-count', bad(19, stream([stream_node([(1, 1, ['a'])], count=2)], 1, (1, 1))), 'dump-corrupt'),
    ('stream-deleted', bad(19, stream([stream_node([(1, 1, ['a'])], deleted=3)], 1, (1, 1))), 'dump-corrupt'),
    ('stream-elements', bad(19, stream([stream_node([(1, 1, ['a'])], elements=9)], 1, (1, 1))), 'dump-corrupt'),
    ('stream-group-twice', bad(19, stream([NODE], 2, (2, 1), [stream_group('g', (1, 1)), stream_group('g', (1, 1))])), 'dump-corrupt'),
    ('stream-consumer-twice', bad(19, stream([NODE], 2, (2, 1), [stream_group('g', (1, 1), [], [('c', []), ('c', [])])])), 'dump-corrupt'),
    ('pending-twice', bad(19, stream([NODE], 2, (2, 1), [stream_group('g', (1, 1), [(1, 1), (1, 1)], [('c', [(1, 1)])])])), 'dump-corrupt'),
    ('pending-shared', bad(19, stream([NODE], 2, (2, 1), [stream_group('g', (1, 1), [(1, 1)], [('c', [(1, 1)]), ('d', [(1, 1)])])])),
     'dump-corrupt'),
    ('pending-twice-of-one', bad(19, stream([NODE], 2, (2, 1), [stream_group('g', (1, 1), [(1, 1)], [('c', [(1, 1), (1, 1)])])])),
     'dump-corrupt'),
    ('pending-of-nobody', bad(19, stream([NODE], 2, (2, 1), [stream_group('g', (1, 1), [(1, 1)], [])])), 'dump-corrupt'),
    ('pending-unknown', bad(19, stream([NODE], 2, (2, 1), [stream_group('g', (1, 1), [], [('c', [(1, 1)])])])), 'dump-corrupt'),
    ('field-expiry-range', bad(24, struct.pack('<q', 1 << 50) + count(1, 1) + string('f') + string('v'), version=12), 'dump-corrupt'),
    ('field-expiry-least', bad(25, struct.pack('<q', 1700000000005) + string(listpack('f', 'v', 1700000000000)), version=12), 'dump-corrupt'),
    ('field-expiry-order', bad(25, struct.pack('<q', 1700000000000) + string(
        listpack('f', 'v', 1700000000001, 'g', 'v', 1700000000000)), version=12), 'dump-corrupt'),
    ('field-expiry-odd', bad(25, struct.pack('<q', 1700000000000) + string(listpack('f', 'v', 1700000000000, 'g')), version=12), 'dump-corrupt'),
]
