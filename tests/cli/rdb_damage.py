"""Damage of every kind: sound values are never flagged, each defect is found and named with its key, and every truncation and
every single flipped bit of a small dump of each type is reported."""
import csv
import io
import os
import sys
import tempfile

import rdb_bytes
from support import expect, finish, run, run_json, same

FILES = 500  # per run of the command


def write(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, 'wb') as file:
        file.write(data)
    return path


def verdicts(paths):
    """What is said of each file: verdict and findings."""
    said = {}
    for first in range(0, len(paths), FILES):
        _, out, err = run('rcf-rdb-check', '--csv', *paths[first:first + FILES])
        for row in csv.DictReader(io.StringIO(out)):
            said[row['file']] = row['verdict'], row['findings'].split()
        expect(not err or 'unreadable' not in err, err[:200])
    same(sorted(said), sorted(paths), 'files judged')
    return said


def check_sound(folder):
    for number, value in rdb_bytes.SOUND_VALUES.items():
        path = write(folder, 'sound-%d.rdb' % number, rdb_bytes.around(rdb_bytes.key(number, 'sound', value), version=11, stated=(3, 0)))
        code, document = run_json('rcf-rdb-check', '--json', path)
        record = document['files'][0]
        same((code, record['verdict'], record['keys'], record['defects']), (0, 'ok', '3', []), 'type %d' % number)


def check_defects(folder):
    for name, data, finding in rdb_bytes.DAMAGED:
        path = write(folder, name + '.rdb', data)
        code, document = run_json('rcf-rdb-check', '--json', path)
        record = document['files'][0]
        findings = {defect['finding'] for defect in record['defects']}
        if not expect(record['defects'] and (finding in findings or not finding), '%s: %s' % (name, record['defects'])):
            continue
        errors = [defect for defect in record['defects'] if defect['severity'] == 'error']
        same(code, 1 if errors else 0, name + ': exit code')
        expect(all(int(defect['offset']) <= len(data) for defect in record['defects']), name + ': an offset beyond the file')
        if b'damaged' in data and errors and not name.startswith('type-'):  # behind such a byte stands who knows what
            expect('damaged' in {defect['key'] for defect in errors}, '%s: its key is not named: %s' % (name, errors))
            _, text, _ = run('rcf-rdb-check', path)
            expect('damaged' in text.split('\n', 1)[1], name + ': its key is not named in text')
        unseen = [sound for sound in (b'before', b'behind') if sound not in data]
        expect(unseen or record['keys'] == '0' or int(record['keys']) >= 1, name)


def check_mutations(folder):
    """A dump of each type, with its checksum: cut at every length, and with each bit flipped."""
    for number, value in rdb_bytes.SOUND_VALUES.items():
        data = rdb_bytes.dump(rdb_bytes.aux('redis-bits', '64'), rdb_bytes.key(number, 'key', value, 1700000000000),
                              version=11 if number > 19 else 10, stated=(1, 1))
        paths = [write(folder, 'cut-%d' % length, data[:length]) for length in range(len(data))]
        for bit in range(8 * len(data)):
            flipped = bytearray(data)
            flipped[bit // 8] ^= 1 << bit % 8
            paths.append(write(folder, 'flip-%d' % bit, bytes(flipped)))
        said = verdicts(paths)
        silent = [os.path.basename(path) for path in paths if said[path][0] == 'ok']
        expect(not silent, 'type %d: %d of %d not reported: %s' % (number, len(silent), len(paths), silent[:5]))
        for path in paths:
            os.unlink(path)


def main():
    with tempfile.TemporaryDirectory() as folder:
        check_sound(folder)
        check_defects(folder)
        check_mutations(folder)
    finish()


sys.exit(main())
