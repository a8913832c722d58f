"""rcf-check on every fixture: the findings that the story of each asks for, and nothing false; where each is seen; formats."""
import base64
import csv
import glob
import gzip
import io
import json
import os
import re
import shutil
import subprocess
import tempfile

from support import expect, finish, run, run_json, same, validate

STORIES = ['fixtures/story-redis-3.0.7', 'fixtures/story-redis-4.0.1', 'fixtures/story-redis-7.0.15', 'fixtures/story-valkey-8.0.1']
INCIDENTS = 'fixtures/incidents-redis-7.0.15/'
MEMBERSHIP = {'stale-self-membership', 'half-forgotten', 'shadow-replica', 'stale-claim-wins', 'duplicate-node-id', 'address-conflict',
              'address-mismatch', 'noaddr-member', 'handshake-member', 'failed-member', 'replica-of-unknown', 'slot-uncovered',
              'slot-unserved', 'slot-open', 'epoch-collision', 'nodesconf-corrupt', 'nodesconf-truncated', 'nodesconf-suspicious',
              'keys-only-here', 'keys-in-nonzero-db', 'dump-corrupt', 'dump-truncated', 'dump-checksum-mismatch', 'dump-inconsistent',
              'shard-id-mismatch', 'no-quorum'}


def findings(case, *options):
    _, document = run_json('rcf-check', '--json', *options, case)
    return document.get('findings', [])


def words(found, severities=('error', 'warning')):
    return sorted({(f['finding'], (f['node'] or f['host'] or '').rsplit(':', 1)[-1]) for f in found if f['severity'] in severities})


def check_stories():
    for story in STORIES:
        for stage in sorted(os.listdir(story)):
            found = findings(os.path.join(story, stage))
            about = {(f['finding'], f['node'].rsplit(':', 1)[1] if f['node'] else None) for f in found
                     if f['finding'] in MEMBERSHIP and f['severity'] != 'info'}
            expected = set()
            if stage[:2] in ('05', '06'):
                expected = {('stale-self-membership', '7002')}
            if stage[:2] == '09':
                expected = {('failed-member', '8000'), ('failed-member', '8001'), ('failed-member', '8002')}
                expect('keys-in-foreign-slot' not in {f['finding'] for f in found}, '%s/%s: keys of a dead primary' % (story, stage))
            same(about, expected, '%s/%s' % (story, stage))
            for f in found:
                if f['finding'] == 'stale-self-membership':
                    same((f['severity'], f['certainty']), ('error', 'proved'), '%s/%s stale-self-membership' % (story, stage))
            ids = {f['finding'] for f in found}
            if stage[:2] == '01':
                expect(any(f['finding'] == 'replica-on-primary-host' and f['node'].endswith(':9001') for f in found), '%s 01: replica-on-primary-host of 9001' % story)
                expect('host-loss-uncovers-slots' in ids, '%s 01: host-loss-uncovers-slots' % story)
                expect('host-holds-majority' not in ids, '%s 01: no host holds the majority' % story)
            if stage[:2] == '10':
                expect('host-holds-majority' in ids, '%s 10: host-holds-majority' % story)
            if stage[:2] == '02' and '7.0.15' in story:
                unsaved = [f for f in found if f['finding'] == 'member-unsaved']
                same([(f['node'].rsplit(':', 1)[1], f['severity']) for f in unsaved], [('7002', 'info')], '%s 02: member-unsaved' % story)
                expect(unsaved and '5 of 6' in unsaved[0]['summary'], '%s 02: five files do not list it' % story)


def check_incidents():
    """What the story of each case calls for, on its nodes; every other error or warning would be false."""
    expected = {
        'clean-cluster': [],
        'cloned-id': [('duplicate-node-id', '7001')],
        'dirty-removed': [('keys-in-foreign-slot', '7002'), ('keys-only-here', '7002'), ('stale-self-membership', '7002')],
        'epoch-collision/before': [('epoch-collision', '8000')],
        'epoch-collision/after': [],
        # The forgotten primary came back by the replica that could not forget it, and is dead.
        'forgotten-master-with-replica': [('failed-member', '7002'), ('replica-of-unknown', '8002')],
        'half-forgotten': [('half-forgotten', '7002')],
        'instances': [('keys-in-nonzero-db', '7102')],
        'ip-change': [('address-mismatch', '9001')],
        'lost-quorum': [('no-quorum', '')],
        'merged-clusters': [('clusters-merged', ''), ('host-holds-majority', '127.0.1.9'), ('keys-in-foreign-slot', '9001'),
                            ('replica-of-replica', '9001')],
        'merged-clusters/before': [('host-holds-majority', '127.0.1.9')],
        'open-slots': [('slot-open', '7000'), ('slot-open', '8000'), ('slot-open', '9000')],
        # With its replica gone, a primary stands alone on its host.
        'replica-removed': [('host-loss-uncovers-slots', '127.0.14.6'), ('primary-without-replica', '7000'), ('shadow-replica', '9001'),
                            ('stale-self-membership', '9001')],
        # The promoted replica lives on the host of another primary, and has no replica itself.
        'split-brain': [('failed-member', '8000'), ('host-holds-majority', '127.0.1.6'), ('host-loss-uncovers-slots', '127.0.1.6'),
                        ('primary-without-replica', '7001'), ('slot-conflict', '7001'), ('stale-view', '8000')],
        'uncovered': [('slot-uncovered', '9000'), ('slot-view-mismatch', '')],
    }
    told = {os.path.basename(path) for path in glob.glob(INCIDENTS + '*')} - {'epoch-collision'}
    same(sorted(told - set(expected)), [], 'incidents without an expectation')
    for name, wanted in expected.items():
        same(words(findings(INCIDENTS + name)), wanted, name)
    about = {(name, f['finding']): f['slots'] for name in ('open-slots', 'split-brain', 'uncovered') for f in findings(INCIDENTS + name)
             if f['node'] and not f['node'].endswith(':7000')}
    same({about['split-brain', 'slot-conflict'], about['uncovered', 'slot-uncovered']}, {'5461-10922', '11000-11010'}, 'slots of conflicts')
    slots_open = {f['node'].rsplit(':', 1)[1]: (f['slots'], f['keys'], f['detail']) for f in findings(INCIDENTS + 'open-slots')}
    same([slots_open[port][0] for port in ('7000', '8000', '9000')], ['4', '5', '10928'], 'open slots')
    same(slots_open['7000'][1], '41', 'open-slots: keys on both sides')
    expect('31 at 127.0.1.6:7000, 10 at the other' in slots_open['7000'][2], 'open-slots: %s' % slots_open['7000'][2])
    quorum = findings(INCIDENTS + 'lost-quorum')
    expect(quorum and '2 of 3 voting primaries (127.0.1.6:7000, 127.0.1.7:8000)' in quorum[0]['summary'], 'lost-quorum: who is silent')
    only_here = [f for f in findings(INCIDENTS + 'dirty-removed') if f['finding'] == 'keys-only-here']
    same([f['keys'] for f in only_here], ['3'], 'dirty-removed: keys')
    same(only_here and only_here[0]['slots'], '1283,13664,15495', 'dirty-removed: slots')
    uncovered = [f for f in findings(INCIDENTS + 'uncovered') if f['finding'] == 'slot-uncovered']
    same([f['slots'] for f in uncovered], ['11000-11010'], 'uncovered: slots')
    merged = words(findings(INCIDENTS + 'merged-clusters/before'), ('info',))
    expect(('separate-clusters', '') in merged, 'merged-clusters/before: separate-clusters')


def check_seed_document():
    with tempfile.TemporaryDirectory() as folder:
        for port in ('7000', '7002'):
            shutil.copy('fixtures/seed-document/06-restarted.nodes_%s.conf' % port, folder)
        stale = [f for f in findings(folder) if f['finding'] == 'stale-self-membership']
        same([(f['node'], f['certainty']) for f in stale], [('10.211.55.6:7002', 'probable')], 'seed document: stale')
        for address in ('10.211.55.6:7001', '10.211.55.7:8000', '10.211.55.7:8001', '10.211.55.8:9000', '10.211.55.8:9001'):
            expect(stale and address in stale[0]['settles'], 'seed document: %s is named as missing' % address)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy('fixtures/seed-document/05-after-del-node.cluster-nodes-7000.txt', folder)
        shutil.copy('fixtures/seed-document/06-restarted.cluster-nodes-7002.txt', folder)
        stale = [f for f in findings(folder) if f['finding'] == 'stale-self-membership']
        same([(f['node'], f['certainty']) for f in stale], [('10.211.55.6:7002', 'probable')], 'seed document: captures')
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy('fixtures/seed-document/06-restarted.nodes_7002.conf', folder)
        for f in findings(folder):
            expect(not (f['finding'] in MEMBERSHIP and f['certainty'] == 'proved'), 'one file alone proves nothing: %s' % f['finding'])


def decoded(path):
    data = open(path, 'rb').read()
    return gzip.decompress(data) if path.endswith('.gz') else data


def check_provenance(case):
    for f in findings(case):
        expect(f['evidence'], '%s: %s has no evidence' % (case, f['finding']))
        for e in f['evidence']:
            data = decoded(os.path.join(case, e['file']))
            piece = data[int(e['offset']):int(e['offset']) + int(e['length'])]
            excerpt = base64.b64decode(e['excerpt_base64']) if 'excerpt_base64' in e else e['excerpt'].encode()
            if not expect(piece == excerpt and excerpt, '%s: %s: %s at %s: excerpt differs' % (case, f['finding'], e['file'], e['offset'])):
                return
            if e['line']:
                same(data[:int(e['offset'])].count(b'\n') + 1, e['line'], '%s: line of %s' % (case, e['file']))


def check_layouts():
    """The same answers from the write-up's layout, flat, and from compressed files."""
    source = 'fixtures/story-redis-4.0.1/06-stale-restarted'
    expected = sorted((f['finding'], f['node'], f['severity'], f['certainty'], f['slots']) for f in findings(source))

    def answers(folder):
        return sorted((f['finding'], f['node'], f['severity'], f['certainty'], f['slots']) for f in findings(folder))

    with tempfile.TemporaryDirectory() as folder:
        places = {'redis_%s.conf': 'etc', 'nodes_%s.conf': 'rdb', 'dump_%s.rdb': 'rdb', 'redis_%s.log': 'log'}
        for host in os.listdir(source + '/hosts'):
            for port in os.listdir('%s/hosts/%s' % (source, host)):
                for name, place in places.items():
                    os.makedirs('%s/%s/%s' % (folder, host, place), exist_ok=True)
                    shutil.copy('%s/hosts/%s/%s/%s' % (source, host, port, name % port), '%s/%s/%s' % (folder, host, place))
        same(answers(folder), expected, "the write-up's layout")
    with tempfile.TemporaryDirectory() as folder:
        for path in glob.glob(source + '/hosts/*/*/*'):
            with open(path, 'rb') as plain, gzip.open(os.path.join(folder, os.path.basename(path) + '.gz'), 'wb') as packed:
                packed.write(plain.read())
        flat = answers(folder)
        same([f for f in flat if f[0] == 'stale-self-membership'], [f for f in expected if f[0] == 'stale-self-membership'], 'flat and gzipped')
        check_provenance(folder)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(source, folder + '/case')
        for tool, suffix in (('lz4', '.lz4'), ('zstd', '.zst')):
            path = glob.glob(folder + '/case/hosts/*/%s/nodes*' % ('7000' if tool == 'lz4' else '7001'))[0]
            with open(path, 'rb') as plain, open(path + suffix, 'wb') as packed:
                subprocess.run([tool, '-c'], stdin=plain, stdout=packed, stderr=subprocess.DEVNULL, check=True)
            os.unlink(path)
        same(answers(folder + '/case'), expected, 'lz4 and zstd')


def check_formats():
    case = 'fixtures/story-redis-4.0.1/06-stale-restarted'
    code, document = run_json('rcf-check', '--json', case)
    same(code, 1, 'exit code with errors')
    validate(document, 'rcf-check')
    _, lines, _ = run('rcf-check', '--format=jsonl', case)
    same([json.loads(line) for line in lines.splitlines()], document['findings'], 'jsonl is the findings of json')
    _, table, _ = run('rcf-check', '--csv', case)
    rows = list(csv.DictReader(io.StringIO(table, newline='')))
    same([(r['finding'], r['node'], r['slots']) for r in rows],
         [(f['finding'], f['node'] or '', f['slots'] or '') for f in document['findings']], 'csv is the findings of json')
    same(run('rcf-check', INCIDENTS + 'clean-cluster')[0], 0, 'exit code of a clean cluster')
    same(run('rcf-check', '--fail-on=warning', 'fixtures/story-redis-4.0.1/04-emptied')[0], 1, '--fail-on=warning')
    same(run('rcf-check', '/nonexistent')[0], 2, 'exit code of a missing case')
    one, two = run('rcf-check', case), run('rcf-check', case, env=dict(os.environ, TZ='Asia/Kathmandu', LANG='tr_TR.UTF-8', LC_ALL='tr_TR.UTF-8'))
    same(one, two, 'nothing depends on locale and time zone')


def check_baseline():
    older, newer = 'fixtures/story-redis-4.0.1/05-deleted', 'fixtures/story-redis-4.0.1/07-reset'
    state = {(f['finding'], f['baseline']) for f in findings(newer, '--baseline', older)}
    expect(('stale-self-membership', 'gone') in state, 'baseline: stale-self-membership is gone')
    expect(('host-loss-uncovers-slots', 'unchanged') in state, 'baseline: unchanged')
    state = {(f['finding'], f['baseline']) for f in findings('fixtures/story-redis-4.0.1/06-stale-restarted', '--baseline', newer)}
    expect(('stale-self-membership', 'new') in state, 'baseline: stale-self-membership is new')
    with tempfile.TemporaryDirectory() as folder:
        for form in ('json', 'jsonl'):
            with open(folder + '/' + form, 'w') as file:
                file.write(run('rcf-check', '--format=' + form, older)[1])
            state = {(f['finding'], f['baseline']) for f in findings(newer, '--baseline', folder + '/' + form)}
            expect(('stale-self-membership', 'gone') in state, 'baseline from %s' % form)
        with open(folder + '/junk', 'w') as file:
            file.write('junk')
        same(run('rcf-check', '--baseline', folder + '/junk', newer)[0], 2, 'a baseline that is none')


def check_marks_of_replicas():
    """Valkey 8.0 and newer send SETSLOT to replicas: these carry the marks of their primaries, which say it once."""
    case = 'fixtures/incidents-valkey-8.1.1/open-slots'

    def told(of):
        return [(f['node'], f['slots'], f['severity']) for f in findings(of) if f['finding'] == 'slot-open']

    other = [('127.0.88.1:7000', '4', 'error'), ('127.0.88.2:7000', '18', 'error')]
    same(told(case), other + [('127.0.88.3:7000', '10932', 'error')], 'marks of primaries and replicas')
    same(words(findings(case)), [('slot-open', '7000')], 'and nothing else')
    with tempfile.TemporaryDirectory() as folder:
        left = shutil.copytree(case, folder + '/left')
        primary = left + '/hosts/127.0.88.3/7000'
        with open(primary + '/nodes_7000.conf') as file:
            text = file.read()
        with open(primary + '/nodes_7000.conf', 'w') as file:
            file.write(re.sub(r' \[10932->-[0-9a-f]{40}\]', '', text))
        expected = ('127.0.88.1:7010', '10932', 'warning')
        same(sorted(told(left)), sorted(other + [expected]), 'a mark that only the replica has')
        expect(any('and its primary 127.0.88.3:7000 is not' in f['summary'] for f in findings(left)), 'whose mark it was')
        code, document = run_json('rcf-plan', '--json', 'repair', left)
        same((code, len(document['rehearsal']['before']), document['rehearsal']['after']), (0, 3, []), 'and it is closed at its primary')
        shutil.rmtree(primary)
        same([f for f in told(left) if f[1] == '10932'], [('127.0.88.3:7000', '10932', 'error')], "the replica's line in place of its primary's")


def check_removed_primary_of_valkey():
    """The same as in the stories, on a server whose removed nodes do not stay away."""
    found = findings('fixtures/incidents-valkey-8.1.1/removed-primary')
    same(words(found), [('stale-self-membership', '7002')], 'Valkey 8.1: a removed primary')
    same([f['certainty'] for f in found if f['finding'] == 'stale-self-membership'], ['proved'], 'Valkey 8.1: how certain')
    expect('introduces itself' in (found[0]['detail'] or ''), 'Valkey 8.1: it comes back by itself')
    expect(not any('introduces itself' in (f['detail'] or '') for f in findings('fixtures/story-valkey-8.0.1/06-stale-restarted')), 'Valkey 8.0 does not')


def check_catalogue():
    _, listing, _ = run('rcf-check', '--list-findings')
    for line in listing.splitlines():
        code, text, _ = run('rcf-check', '--explain', line.split()[0])
        expect(code == 0 and text.startswith(line.split()[0]), '--explain %s' % line.split()[0])
    same(run('rcf-check', '--explain', 'nonsense')[0], 2, '--explain of an unknown id')


check_stories()
check_incidents()
check_seed_document()
for fixture in sorted(glob.glob('fixtures/*/*/')):
    if 'seed' not in fixture:
        check_provenance(fixture.rstrip('/'))
check_layouts()
check_formats()
check_baseline()
check_marks_of_replicas()
check_removed_primary_of_valkey()
check_catalogue()
finish()
