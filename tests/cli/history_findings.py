#!/usr/bin/python3
"""Findings that need the history: each is made by a few lines in a log of a healthy case, and by nothing else."""
import glob
import os
import re
import shutil
import tempfile

from support import expect, finish, run_json, same

CASE = 'fixtures/story-redis-7.0.15/10-recovered'
STRANGER = '0123456789abcdef0123456789abcdef01234567'


def found(case):
    return run_json('rcf-check', '--json', case)[1].get('findings', [])


def words(findings):
    return sorted((f['finding'], f['severity']) for f in findings)


USUAL = words(found(CASE))


def changed(change):
    """The findings of the case after a change, those of the case as it is left out."""
    with tempfile.TemporaryDirectory() as folder:
        case = shutil.copytree(CASE, folder + '/case')
        change(case)
        findings = found(case)
    usual = list(USUAL)
    new = []
    for finding in findings:
        word = (finding['finding'], finding['severity'])
        if word in usual:
            usual.remove(word)
        else:
            new.append(finding)
    same(usual, [], 'findings that went away')
    return new


def log_of(case, port):
    return glob.glob('%s/hosts/*/%s/redis_%s.log' % (case, port, port))[0]


def append(port, *lines):
    """Lines behind those of a log: role, milliseconds after 15:06:00, message."""
    def change(case):
        with open(log_of(case, port), 'a') as file:
            for role, ms, message in lines:
                file.write('99:%s 22 Nov 2026 15:06:%02d.%03d # %s\n' % (role, ms // 1000, ms % 1000, message))
    return change


def check_stranger():
    line = 'Ignoring FAIL message from unknown node %s about 84cba20f5bec4c06f184320e63b13a87ab2b2449'
    new = changed(append('7000', ('M', 1000, line % STRANGER), ('M', 2000, line % STRANGER)))
    same(words(new), [('stale-self-membership', 'error')], 'a stranger who speaks')
    if new:
        same((new[0]['certainty'], new[0]['node_id']), ('probable', STRANGER), 'the stranger')
        same(len(new[0]['evidence']), 2, 'its lines')
    same(changed(append('7000', ('M', 1000, line % '4144e71eba3821426f5ec80337de2e34c577a513'))), [], 'a member that was not known for a moment')


def check_shadow():
    new = changed(append('7000', ('M', 1000, 'Replica 127.0.9.9:7777 asks for synchronization')))
    same(words(new), [('shadow-replica', 'error')], 'a stranger who copies')
    same(changed(append('7000', ('M', 1000, 'Replica 127.0.9.9:7777 asks for synchronization'), ('M', 9000, 'Connection with replica 127.0.9.9:7777 lost.'))), [],
         'a stranger who has gone')
    same(changed(append('7000', ('M', 1000, 'Replica 127.0.9.9:8001 asks for synchronization'))), [], 'a replica behind address translation')


def check_elections():
    tries = [line for n in range(3) for line in (('S', 1000 + 9000 * n, 'Start of election delayed for 500 milliseconds (rank #0, offset 1).'),
                                                 ('S', 2000 + 9000 * n, 'Starting a failover election for epoch %d.' % (12 + n)),
                                                 ('S', 2001 + 9000 * n, 'Currently unable to failover: Waiting for votes, but majority still not reached.'))]
    new = changed(append('9001', *tries))
    same(words(new), [('election-never-wins', 'error')], 'three elections lost')
    if new:
        expect('majority still not reached' in new[0]['summary'] and new[0]['node'].endswith(':9001'), 'election-never-wins: %s' % new[0]['summary'])
    same(changed(append('9001', *tries[:6])), [], 'two elections lost')
    same(changed(append('9001', *tries, ('S', 40000, "Failover election won: I'm the new master."), ('S', 40000, 'configEpoch set to 14 after successful failover'))), [],
         'three elections lost, and then one won')


def check_jump():
    def change(case, epoch=500):
        for path in glob.glob(case + '/hosts/*/*/nodes_*.conf'):
            with open(path) as file:
                text = re.sub('currentEpoch [0-9]+', 'currentEpoch %d' % epoch, file.read())
            with open(path, 'w') as file:
                file.write(text)
    new = changed(change)
    same(words(new), [('epoch-jump', 'warning')], 'an epoch that nothing explains')
    same(changed(lambda case: change(case, 14)), [], 'a few epochs, as collisions take them')

    def without_a_log(case):
        change(case)
        os.unlink(log_of(case, '9001'))
    same([f for f in changed_loosely(without_a_log) if f == 'epoch-jump'], [], 'an epoch that a log may explain which is not here')


def changed_loosely(change):
    with tempfile.TemporaryDirectory() as folder:
        case = shutil.copytree(CASE, folder + '/case')
        change(case)
        return [f['finding'] for f in found(case)]


def check_merger():
    merged = found('fixtures/incidents-redis-7.0.15/merged-clusters/after')
    merger = [f for f in merged if f['finding'] == 'clusters-merged']
    if expect(merger, 'merged clusters by their logs alone'):
        same((merger[0]['severity'], merger[0]['certainty']), ('error', 'probable'), 'clusters-merged')
        expect('3 primaries became replicas' in merger[0]['summary'], merger[0]['summary'])


def check_clock():
    def shift(case):
        for path in glob.glob(case + '/hosts/127.0.4.7/*/*.log'):
            with open(path) as file:
                text = re.sub(r'15:(\d\d):(\d\d)', lambda m: '15:%02d:%02d' % (int(m[1]) + 1, int(m[2])), file.read())
            with open(path, 'w') as file:
                file.write(text)
    new = changed(shift)
    same(words(new), [('clock-skew', 'info')], 'a clock a minute ahead')
    if new:
        expect('127.0.4.7' in new[0]['summary'] and '+60.0' in new[0]['summary'], new[0]['summary'])
    new = changed(append('7000', ('M', 9000, 'DB saved on disk'), ('M', 1000, 'DB saved on disk')))
    same(words(new), [('clock-skew', 'info')], 'a log that goes back')


for check in (check_stranger, check_shadow, check_elections, check_jump, check_merger, check_clock):
    check()
finish()
