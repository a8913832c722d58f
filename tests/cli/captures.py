#!/usr/bin/python3
"""Captured replies and outputs of the cluster tools, as the commands use them: recognised, read, compared, judged."""
import glob
import os
import shutil
import tempfile

from support import expect, finish, run, run_json, same, validate

CAPTURES = 'fixtures/captures/'
SERVERS = ['redis-6.0.16', 'redis-7.0.15', 'redis-8.0.2', 'valkey-8.1.1']
KINDS = {'cluster-slots': 'cluster-slots', 'cluster-shards': 'cluster-shards', 'cluster-info': 'cluster-info', 'cluster-nodes': 'cluster-nodes',
         'info': 'info', 'check': 'tool-check', 'create': 'tool-create', 'add-node': 'tool-add-node', 'tool-info': 'tool-info'}


def check_recognised():
    _, document = run_json('rcf-identify', '--json', CAPTURES)
    for row in document['files']:
        stem = os.path.basename(row['path']).split('.')[0].replace('pfail-', '').replace('fail-', '').replace('-open', '')
        expect(row['kind'] == KINDS.get(stem, row['kind']), '%s is %s' % (row['path'], row['kind']))
        expect(row['complete'] is not False, '%s is damaged: %s' % (row['path'], row['note']))


def nodes(path):
    code, document = run_json('rcf-nodes', '--json', path)
    validate(document, 'rcf-nodes')
    return code, {n['id']: n for n in document['files'][0]['nodes']}


def check_tables():
    for server in SERVERS:
        folder = CAPTURES + server + '/'
        _, full = nodes(folder + 'cluster-nodes.txt')
        for path in sorted(glob.glob(folder + 'cluster-s*') + [folder + 'check.txt', folder + 'create.txt']):
            code, found = nodes(path)
            same(code, 0, path)
            same(set(found), set(full), path + ' ids')
            for node, row in found.items():
                for field in ('ip', 'port', 'role', 'primary', 'slots'):
                    same(row[field], full[node][field], '%s %s %s' % (path, node, field))
                same(row['config_epoch'], None, path + ' has no epochs')
        code, _, _ = run('rcf-diff', folder + 'cluster-nodes.txt', *glob.glob(folder + 'cluster-s*'), folder + 'check.txt')
        same(code, 0, 'rcf-diff of one state, ' + server)


def case_of(files):
    folder = tempfile.mkdtemp()
    for name, path in files.items():
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        shutil.copy(path, os.path.join(folder, name))
    return folder


def findings(folder):
    _, document = run_json('rcf-check', '--json', folder)
    validate(document, 'rcf-check')
    return document['findings']


def words(folder, severities=('error', 'warning')):
    return sorted({f['finding'] for f in findings(folder) if f['severity'] in severities})


def check_alone():
    """A case of one capture, without any nodes.conf."""
    for server in SERVERS:
        for name in ('cluster-slots', 'cluster-slots.json', 'cluster-slots.terminal', 'cluster-shards', 'check', 'create'):
            path = CAPTURES + server + '/' + name + '.txt'
            if not os.path.exists(path):
                continue
            folder = case_of({name + '.txt': path})
            same(words(folder), [], '%s alone' % path)
            code, document = run_json('rcf-topology', '--json', folder)
            same((code, document['clusters'][0]['members']), (0, 6), path)
            shutil.rmtree(folder)
    folder = case_of({'a': CAPTURES + 'redis-7.0.15/fail-cluster-shards.txt'})
    expect({'failed-member', 'slot-unserved'} <= set(words(folder)), 'health "fail" is FAIL: %s' % words(folder))
    shutil.rmtree(folder)
    folder = case_of({'a': CAPTURES + 'redis-7.0.15/fail-check.txt'})
    for finding in findings(folder):
        if finding['severity'] == 'error':
            same(finding['certainty'], 'probable', 'a check leaves nodes out: ' + finding['finding'])
    shutil.rmtree(folder)
    folder = case_of({'a': CAPTURES + 'redis-7.0.15/check-open.txt'})
    same(words(folder), ['slot-open'], 'a check shows open slots')
    expect('was not finished' in findings(folder)[0]['summary'], 'both sides of a mark: %s' % findings(folder)[0]['summary'])
    shutil.rmtree(folder)


def check_many():
    """Every instance by one kind of capture, in folders that name it."""
    instances = sorted(os.listdir(CAPTURES + 'gossip-learnt'))
    for kinds in (['cluster-slots', 'info', 'cluster-info'], ['cluster-shards'], ['info', 'cluster-info']):
        folder = case_of({'%s/%s.txt' % (i, k): CAPTURES + 'gossip-learnt/%s/%s.txt' % (i, k) for i in instances for k in kinds})
        same(words(folder), [], 'only %s' % kinds)
        _, document = run_json('rcf-identify', '--json', folder)
        for row in document['files']:
            same(row['instance'], row['path'].split('/')[0].replace('_', ':'), row['path'])
        shutil.rmtree(folder)
    folder = case_of({'7000/info.txt': CAPTURES + 'gossip-learnt/127.0.70.6_7000/info.txt'})
    code, out, _ = run('rcf-prejoin', folder)
    same(code, 1, 'INFO shows keys')
    expect('INFO of the running server shows 18 keys in database 0' in out, out)
    shutil.rmtree(folder)


def check_memory_and_file():
    """A member learnt by gossip is in memory and not yet in the file: said, and no error."""
    case = CAPTURES + 'gossip-learnt'
    same([(f['finding'], f['severity'], f['node']) for f in findings(case)], [('member-unsaved', 'info', '127.0.70.6:7002')], case)
    same(run('rcf-check', case)[0], 0, 'exit code')
    one = case + '/127.0.70.7_7000/'
    code, out, _ = run('rcf-diff', one + 'nodes_7000.conf', one + 'cluster-nodes.txt')
    same(code, 1, 'they differ')
    expect('no error by itself' in out, out)


def check_stranger():
    """A connected replica that no member lists, and keys in another database, both by INFO alone."""
    case = tempfile.mkdtemp() + '/case'
    shutil.copytree(CAPTURES + 'gossip-learnt', case)
    path = case + '/127.0.70.6_7000/info.txt'
    with open(path, 'rb') as file:
        text = file.read()
    text = text.replace(b'connected_slaves:1', b'connected_slaves:2\r\nslave1:ip=127.0.70.9,port=7009,state=online,offset=1,lag=0')
    text = text.rstrip() + b'\r\ndb3:keys=4,expires=0,avg_ttl=0\r\n'
    with open(path, 'wb') as file:
        file.write(text)
    found = {f['finding']: f for f in findings(case) if f['severity'] == 'error'}
    same(sorted(found), ['keys-in-nonzero-db', 'shadow-replica'], 'by INFO')
    same(found['shadow-replica']['node'], '127.0.70.9:7009', 'the stranger')
    same(found['keys-in-nonzero-db']['keys'], '4', 'keys')
    shutil.rmtree(os.path.dirname(case))


def check_damage():
    """Every command survives every capture cut in half; what is damaged is said with its line."""
    for server in SERVERS:
        for path in sorted(glob.glob(CAPTURES + server + '/*.txt')):
            folder = tempfile.mkdtemp()
            with open(path, 'rb') as file:
                text = file.read()
            with open(folder + '/cut.txt', 'wb') as file:
                file.write(text[:len(text) * 3 // 5])
            for command in ('rcf-identify', 'rcf-check', 'rcf-topology', 'rcf-diff'):
                code, _, err = run(command, folder)
                expect(code in (0, 1, 2), '%s of a cut %s: exit %d, %s' % (command, path, code, err))
            shutil.rmtree(folder)
    folder = tempfile.mkdtemp()
    with open(CAPTURES + 'redis-7.0.15/cluster-slots.txt', 'rb') as file:
        lines = file.read().splitlines(keepends=True)
    lines[8] = b'ae719b0b\n'
    with open(folder + '/slots.txt', 'wb') as file:
        file.writelines(lines)
    code, out, _ = run('rcf-identify', folder)
    same(code, 1, 'damaged')
    expect('line 9' in out, out)
    code, out, _ = run('rcf-nodes', folder + '/slots.txt')
    same(code, 1, 'damaged')
    expect(':9: ' in out, out)
    shutil.rmtree(folder)


check_recognised()
check_tables()
check_alone()
check_many()
check_memory_and_file()
check_stranger()
check_damage()
finish()
