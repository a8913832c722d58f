"""rcf-plan on the fixtures: plans, refusals, formats; scripts that are valid and print without doing."""
import glob
import os
import re
import shutil
import subprocess
import tempfile

from support import expect, finish, run, run_json, same, validate

STALE = 'fixtures/story-redis-4.0.1/06-stale-restarted'
INCIDENTS = 'fixtures/incidents-redis-7.0.15/'


def actions(document):
    return [step['action'] for step in document.get('steps', [])]


def check_main_job():
    code, plan = run_json('rcf-plan', 'rejoin', '127.0.0.6:7002', STALE, '--json')
    validate(plan, 'rcf-plan')
    same(code, 0, 'exit code of a plan')
    order = [actions(plan).index(a) for a in ('verify-members', 'verify-identity', 'verify-content', 'keep-files', 'flushall', 'cluster-reset',
                                              'save', 'verify-empty', 'verify-forgotten', 'wait-ban', 'verify-stayed-forgotten', 'add-node',
                                              'verify-joined')]
    same(order, sorted(order), 'order of the steps')
    add = plan['steps'][actions(plan).index('add-node')]['argv']
    same(add, ['redis-trib.rb', 'add-node', '127.0.0.6:7002', '127.0.0.6:7000'], 'dialect of Redis 4.0')
    same(plan['rehearsal'], {'before': ['stale-self-membership'], 'after': [], 'new': [],
                             'unchanged': ['host-loss-uncovers-slots', 'replica-on-primary-host']}, 'rehearsal')
    same({k: plan['destroys'][k] for k in ('keys', 'keys_only_here', 'keys_differ', 'keys_covered')},
         {'keys': '0', 'keys_only_here': '0', 'keys_differ': '0', 'keys_covered': '0'}, 'destroys')
    for prefix in ('b9ff0e9b', 'b9ff0e9ba591bdebcd6e823581ec3d84068be1d5'):
        same(run_json('rcf-plan', 'rejoin', prefix, STALE, '--json')[1].get('target'), '127.0.0.6:7002', 'target by id')
    for case, tool in (('fixtures/story-redis-7.0.15/06-stale-restarted', 'redis-cli'), ('fixtures/story-valkey-8.0.1/06-stale-restarted', 'valkey-cli')):
        _, other = run_json('rcf-plan', 'rejoin', '127.0.4.6:7002', case, '--json')
        same(other['steps'][actions(other).index('add-node')]['argv'][:3], [tool, '--cluster', 'add-node'], 'dialect of ' + case)


def check_other_plans():
    _, plan = run_json('rcf-plan', 'rejoin', '127.0.14.8:9001', INCIDENTS + 'replica-removed', '--json')
    expect('flushall' not in actions(plan) and 'cluster-reset' in actions(plan), 'a replica refuses FLUSHALL, so there is none')
    expect('--cluster-master-id' in plan['steps'][actions(plan).index('add-node')]['argv'], 'a replica comes back as a replica')
    same(plan['destroys']['keys'], plan['destroys']['keys_covered'], 'every key of the replica is covered')
    _, plan = run_json('rcf-plan', 'rejoin', '127.0.14.6:7002', INCIDENTS + 'half-forgotten', '--json')
    expect(actions(plan).index('cluster-forget') > actions(plan).index('cluster-reset'), 'half-forgotten: forget after the reset')
    for case, node in ((STALE, '127.0.0.6:7002'), (INCIDENTS + 'dirty-removed', '127.0.31.6:7002'), (INCIDENTS + 'half-forgotten', '127.0.14.6:7002')):
        code, plan = run_json('rcf-plan', 'remove', node, case, '--json')
        same(code, 0, 'remove in ' + case)
        validate(plan, 'rcf-plan')
        expect(not [s for s in plan['steps'] if s['kind'] == 'destroy'], 'removing destroys nothing: ' + case)
    code, plan = run_json('rcf-plan', 'rejoin', '127.0.0.6:7002', 'fixtures/story-redis-4.0.1/08-rebuilt', '--json')
    same((code, plan['outcome'], plan['steps']), (0, 'nothing-to-do', []), 'a member needs nothing')


def check_refusals():
    code, out, err = run('rcf-plan', 'rejoin', '127.0.31.6:7002', INCIDENTS + 'dirty-removed')
    same((code, out), (1, ''), 'dirty-removed is refused')
    for key in ('rescued:1 (slot 13664)', 'rescued:2 (slot 1283)', 'rescued:{a}:3 (slot 15495)'):
        expect(key in err, 'dirty-removed names ' + key)
    same(run('rcf-plan', 'rejoin', '127.0.31.6:7002', INCIDENTS + 'dirty-removed', '--accept-loss=2')[0], 1, 'another number is refused')
    code, plan = run_json('rcf-plan', 'rejoin', '127.0.31.6:7002', INCIDENTS + 'dirty-removed', '--accept-loss=3', '--json')
    same((code, plan['destroys']['keys_only_here']), (0, '3'), 'exactly that number is accepted, and said')
    code, _, err = run('rcf-plan', 'rejoin', '127.0.1.6:7001', INCIDENTS + 'cloned-id')
    same(code, 1, 'a cloned id is refused')
    same(run('rcf-plan', 'remove', '127.0.0.6:7000', STALE)[0], 1, 'a node with slots is not removed')
    same(run('rcf-plan', 'rejoin', '127.0.0.9:1', STALE)[0], 2, 'an unknown node')
    same(run('rcf-plan', 'rejoin', 'b9ff0e9', STALE)[0], 2, 'a prefix of 7 characters')
    same(run('rcf-plan', 'frobnicate', 'x', STALE)[0], 2, 'an unknown goal')
    with tempfile.TemporaryDirectory() as folder:
        for port in ('7000', '7002'):
            shutil.copy('fixtures/seed-document/06-restarted.nodes_%s.conf' % port, folder)
        code, _, err = run('rcf-plan', 'rejoin', '10.211.55.6:7002', folder)
        same(code, 1, 'missing files: refused')
        missing = ['10.211.55.6:7001', '10.211.55.7:8000', '10.211.55.7:8001', '10.211.55.8:9000', '10.211.55.8:9001']
        for address in missing:
            expect(address in err, 'missing files: %s is named' % address)
        same(run('rcf-plan', 'rejoin', '10.211.55.6:7002', folder, '--missing-ok', ','.join(missing[:4]))[0], 1, 'all but one named')
        code, plan = run_json('rcf-plan', 'rejoin', '10.211.55.6:7002', folder, '--json', *[w for m in missing for w in ('--missing-ok', m)])
        same((code, sorted(plan['missing'])), (0, missing), 'all named: a plan, which says what is missing')
    # A dump of the owner that is older than the suspect's proves nothing.
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(INCIDENTS + 'replica-removed', folder + '/case')
        os.unlink(glob.glob(folder + '/case/hosts/*/7000/dump_7000.rdb')[0])
        code, _, err = run('rcf-plan', 'rejoin', '127.0.14.8:9001', folder + '/case')
        same(code, 1, 'without the dump of the owner the keys exist nowhere else')
        expect('197 keys' in err and 'has no dump in the case' in err, 'and it says why')


def check_rescue():
    """Keys that exist only on a node are carried over by the script; their names are hexadecimal digits in it."""
    code, plan = run_json('rcf-plan', 'rejoin', '127.0.31.6:7002', INCIDENTS + 'dirty-removed', '--rescue', '--json')
    validate(plan, 'rcf-plan')
    same(code, 0, 'a plan with --rescue')
    expect(actions(plan).index('keep-files') < actions(plan).index('rescue-keys') < actions(plan).index('flushall'), 'rescued before anything is destroyed')
    same((plan['destroys']['keys_only_here'], plan['rehearsal']['after']), ('3', []), 'three keys exist only there, and none is left')
    script = run('rcf-plan', 'rejoin', '127.0.31.6:7002', INCIDENTS + 'dirty-removed', '--rescue', '--format=sh')[1]
    expect('rescued:' not in script and b'rescued:{a}:3'.hex() in script, 'names as hexadecimal digits')
    same(run('rcf-plan', 'rejoin', '127.0.31.6:7002', INCIDENTS + 'dirty-removed', '--rescue', '--accept-loss=3')[0], 1, 'both rescue and loss')
    code, plan = run_json('rcf-plan', 'rejoin', '127.0.0.6:7002', STALE, '--rescue', '--json')
    expect(code == 0 and 'rescue-keys' not in actions(plan), 'nothing to rescue, so no such step')


def check_membership():
    """Nodes that do not run, nodes that the case holds no files of."""
    half = INCIDENTS + 'half-forgotten'
    _, plan = run_json('rcf-plan', 'remove', '127.0.14.6:7002', half, '--target=down', '--json')
    expect('shutdown' not in actions(plan) and actions(plan)[:4] == ['verify-members', 'verify-down', 'verify-files', 'keep-files'],
           'a node that is down is not told to stop')
    same(run('rcf-plan', 'remove', '127.0.14.6:7002', half, '--target=asleep')[0], 2, 'running or down')
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(half, folder + '/case')
        shutil.rmtree(folder + '/case/hosts/127.0.14.6/7002')
        code, _, err = run('rcf-plan', 'remove', '127.0.14.6:7002', folder + '/case')
        expect(code == 1 and '--target=down' in err, 'without files nothing shows that it is down')
        code, plan = run_json('rcf-plan', 'remove', '127.0.14.6:7002', folder + '/case', '--target=down', '--json')
        same((code, [a for a in actions(plan) if 'files' in a or 'aside' in a]), (0, []), 'no files, so no steps on files')
    _, plan = run_json('rcf-plan', 'add', '127.0.4.9:7000', 'fixtures/story-redis-7.0.15/08-rebuilt', '--json')
    validate(plan, 'rcf-plan')
    expect(any('nothing is known of its disk' in line for line in plan['details']), 'what is not known of an unseen node is said')
    for words in (['add', 'x'], ['replicate', 'x', STALE], ['add', 'x', STALE], ['replicate', '127.0.0.9:1', 'y', STALE]):
        same(run('rcf-plan', *words)[0], 2, 'operands: %r' % words)


def library():
    """The names of all functions that scripts may have."""
    names = set()
    for path in glob.glob('tools/render/plan_shell*.c'):
        with open(path, encoding='utf-8') as file:
            names |= set(re.findall(r'"(\w+)\(\) \{', file.read()))
    return names


def check_functions(script, about):
    """A function that is not defined would be a false condition to the shell, and the step behind it left out."""
    code = ''.join(line.split(' # ')[0] + '\n' for line in script.split('\n') if not line.lstrip().startswith('#'))
    defined = set(re.findall(r'^\s*(\w+)\(\) \{', code, re.M))
    called = {name for name in library() if re.search(r'(?:^|[;&|({!]|\b(?:if|until|while|then|do|else))\s*%s\b(?!\()' % name, code, re.M)}
    same(called - defined, set(), '%s: functions that are not defined' % about)


def check_scripts():
    half, dirty = INCIDENTS + 'half-forgotten', INCIDENTS + 'dirty-removed'
    rebuilt = 'fixtures/story-redis-7.0.15/08-rebuilt'
    for goal, node, case, *more in (('rejoin', '127.0.0.6:7002', STALE), ('rejoin', '127.0.14.8:9001', INCIDENTS + 'replica-removed'),
                             ('rejoin', '127.0.14.6:7002', INCIDENTS + 'half-forgotten'), ('remove', '127.0.0.6:7002', STALE),
                             ('rejoin', '127.0.4.6:7002', 'fixtures/story-valkey-8.0.1/06-stale-restarted'),
                             ('add', '127.0.4.9:7000', rebuilt), ('replicate', '127.0.4.8:9001', '127.0.4.7:8000', rebuilt),
                             ('rejoin', '127.0.14.6:7002', half, '--target=down'), ('remove', '127.0.14.6:7002', half, '--target=down'),
                             ('rejoin', '127.0.31.6:7002', dirty, '--rescue')):
        code, script, err = run('rcf-plan', goal, node, case, *more, '--format=sh')
        same(code, 0, 'script of ' + case + err)
        check_functions(script, '%s %s' % (goal, case))
        with tempfile.TemporaryDirectory() as folder:
            path = folder + '/plan.sh'
            with open(path, 'w') as file:
                file.write(script)
            same(subprocess.run(['shellcheck', path], stdout=subprocess.PIPE).stdout, b'', 'shellcheck of %s %s' % (goal, case))
            dry = subprocess.run(['sh', path], env=dict(os.environ, DRY_RUN='1', RCF_CLI='/bin/false'), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            expect(dry.returncode == 0 and b'dry run' in dry.stdout, 'DRY_RUN=1 prints only')
            calls = folder + '/calls'
            with open(folder + '/client', 'w') as file:
                file.write('#!/bin/sh\necho "$@" >> %s\n' % calls)
            os.chmod(folder + '/client', 0o755)
            stopped = subprocess.run(['sh', path], env=dict(os.environ, RCF_CLI=folder + '/client'), stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            expect(stopped.returncode == 1 and b'stopped:' in stopped.stderr, 'a server that answers nothing stops the script')
            for word in ('FLUSHALL', 'RESET', 'SHUTDOWN', 'FORGET', 'add-node', 'REPLICATE', 'MIGRATE'):
                expect(word not in open(calls).read(), 'nothing changes before the first verification holds: ' + word)


check_main_job()
check_other_plans()
check_refusals()
check_rescue()
check_membership()
check_scripts()
finish()
