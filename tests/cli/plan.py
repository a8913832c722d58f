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


def check_return_of_a_primary():
    """What it says of the others when it is back is what they are by then, shards too: its replicas follow another primary."""
    code, plan = run_json('rcf-plan', '--json', 'repair', 'fixtures/incidents-valkey-8.1.1/dead-primary')
    same((code, sorted(plan['rehearsal']['before']), plan['rehearsal']['after'], plan['rehearsal']['new']),
         (0, ['failed-member', 'stale-view'], [], []), 'a dead primary of servers with shard ids')
    expect(not any('shard-id' in note for note in plan['details']), 'no shard is left over: %s' % plan['details'])


def check_refusals():
    code, out, err = run('rcf-plan', 'rejoin', '127.0.31.6:7002', INCIDENTS + 'dirty-removed')
    same((code, out), (1, ''), 'dirty-removed is refused')
    for key in ('rescued:1 (slot 13664)', 'rescued:2 (slot 1283)', 'rescued:{a}:3 (slot 15495)'):
        expect(key in err, 'dirty-removed names ' + key)
    same(run('rcf-plan', 'rejoin', '127.0.31.6:7002', INCIDENTS + 'dirty-removed', '--accept-loss=2')[0], 1, 'another number is refused')
    code, plan = run_json('rcf-plan', 'rejoin', '127.0.31.6:7002', INCIDENTS + 'dirty-removed', '--accept-loss=3', '--json')
    same((code, plan['destroys']['keys_only_here']), (0, '3'), 'exactly that number is accepted, and said')
    with tempfile.TemporaryDirectory() as folder:
        two = shutil.copytree(INCIDENTS + 'dirty-removed', folder + '/two') + '/hosts/127.0.31.6/'
        os.mkdir(two + '7003')
        for name in ('nodes_%s.conf', 'redis_%s.conf', 'dump_%s.rdb'):
            with open(two + '7002/' + name % 7002, 'rb') as old, open(two + '7003/' + name % 7003, 'wb') as new:
                text = old.read()
                new.write(text if name.endswith('rdb') else text.replace(b'7002', b'7003').replace(b'5fa03c69', b'5fa03c70'))
        for accepted, outcome in ((3, 'refused'), (6, 'ready')):
            code, plan = run_json('rcf-plan', 'repair', folder + '/two', '--accept-loss=%d' % accepted, '--json')
            same((code, plan['outcome']), (int(outcome == 'refused'), outcome), 'two nodes and %d keys given up' % accepted)
            if accepted == 3:
                expect('6 keys exist only in the dump of 127.0.31.6:7002, 127.0.31.6:7003' in plan['why'], 'loss of the whole plan: %s' % plan['why'])
            else:
                same(plan['destroys']['keys_only_here'], '6', 'the loss of both')
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


def stages(plan):
    return [stage['stage'] for stage in plan.get('stages', [])]


def check_repair():
    """All remedies of a case in their order; what has none is named once, by its root."""
    _, plan = run_json('rcf-plan', 'repair', INCIDENTS + 'split-brain', '--json')
    validate(plan, 'rcf-plan')
    same(stages(plan), ['bring-back', 'hand-over'], 'the primary that yielded comes back, and takes over from the crowded host')
    same([s['answers'] for s in plan['stages']], ['failed-member', 'host-holds-majority'], 'what each stage answers')
    same((plan['target'], plan['rehearsal']['after'], plan['rehearsal']['new']), (None, [], []), 'nothing is left, and nothing is new')
    code, _, err = run('rcf-plan', 'repair', INCIDENTS + 'dirty-removed')
    same((code, err.count('not repaired:'), '--rescue' in err), (1, 1, True), 'only the root, and the way out')
    code, plan = run_json('rcf-plan', 'repair', '--rescue', INCIDENTS + 'dirty-removed', '--json')
    validate(plan, 'rcf-plan')
    same((code, stages(plan), plan['details'], plan['rehearsal']['after']), (0, ['rejoin'], [], []), 'dirty-removed with --rescue')
    # These steps are played on live servers by the scenario `rescue` of tests/live/membership.py.
    same(plan['steps'], run_json('rcf-plan', 'rejoin', '127.0.31.6:7002', INCIDENTS + 'dirty-removed', '--rescue', '--json')[1]['steps'],
         'the steps of rejoin --rescue')
    _, plan = run_json('rcf-plan', 'repair', INCIDENTS + 'cloned-id', '--json')
    same(({s['where'] for s in plan['steps']}, [d for d in plan['details'] if 'not repaired' in d]),
         ({'every member', '127.0.1.8:9002', 'host 127.0.1.8'}, []), 'the copy is stopped where it runs')
    _, plan = run_json('rcf-plan', 'repair', INCIDENTS + 'merged-clusters/after', '--json')
    same(([d[:52] for d in plan['details']], stages(plan)), (['not repaired: replica-of-replica 127.0.1.8:9001: 94 '], ['hand-over'] * 2),
         'keys that exist only in a dump are said, whatever else is repaired')
    code, out, err = run('rcf-plan', 'repair', INCIDENTS + 'merged-clusters')
    same((code, out, 'settle clusters-merged first' in err), (1, '', True), 'who is where is not changed before it is known who belongs there')
    for case, words in (('story-redis-7.0.15/08-rebuilt', 'at most 1 of 4 voting primaries may live on one host, and there are 3 hosts: 4 are needed'),
                        ('incidents-redis-7.0.15/merged-clusters/before', 'and there is 1 host: 3 are needed')):
        code, out, err = run('rcf-plan', 'repair', 'fixtures/' + case)
        expect(words in out + err, '%s: what is missing: %r' % (case, (out + err)[:300]))


def check_tools_places():
    """Where the servers' own tool would have put slots and replicas."""
    _, plan = run_json('rcf-plan', 'repair', INCIDENTS + 'uncovered', '--json')
    same(plan['stages'][0]['tool'], 'by the dumps redis-cli --cluster fix would put slot 11002 on 127.0.1.8:9000, which has the most keys there; '
         'slots 11000-11001,11003-11010, of which there are no keys, each on a primary at random', 'fix')
    _, plan = run_json('rcf-plan', 'repair', INCIDENTS + 'forgotten-master-with-replica', '--json')
    same(plan['stages'][0]['tool'], "redis-cli --cluster add-node --cluster-slave without a primary's id would choose at random among 127.0.1.6:7000, "
         '127.0.1.7:8000, 127.0.1.8:9000 (1 replica each)', 'add-node')
    _, plan = run_json('rcf-plan', 'create', '--replicas', '1', *FOUNDERS, '--json')
    expect(any(d.startswith('the tools would begin with 127.0.1.1:7000 <- ') for d in plan['details']), 'create')


def check_captures():
    """Replies that leave nodes out by rule, or state no epochs, are no ground for a change, whatever the goal."""
    server = 'fixtures/captures/redis-7.0.15/'
    slots, full = server + 'cluster-slots.txt', server + 'cluster-nodes.txt'
    primary, replica = '127.0.70.8:7000', '127.0.70.8:7001'
    with tempfile.TemporaryDirectory() as folder:
        # The same for a node whose own reply it is.
        os.makedirs(folder + '/slots/127.0.70.6/7000')
        shutil.copy(slots, folder + '/slots/127.0.70.6/7000/cluster-slots.txt')
        for words in (['remove', replica], ['add', '127.0.70.9:7000'], ['replicate', '127.0.70.6:7000', primary], ['rejoin', '127.0.70.6:7000'],
                      ['reshard', '--from', 'all', '--to', '127.0.70.6:7000', '--slots', '10']):
            code, out, err = run('rcf-plan', *words, folder + '/slots')
            same((code, out), (1, ''), '%s on CLUSTER SLOTS' % words[0])
            for part in ('no file of the case is sure to list every member', 'CLUSTER SLOTS: it never says epochs', 'add nodes.conf, or the reply to CLUSTER NODES',
                         '127.0.70.7:7001'):
                expect(part in err, '%s on CLUSTER SLOTS: %r is not in %r' % (words[0], part, err))
    for name in ('check-open', 'fail-check', 'fail-cluster-slots', 'fail-cluster-shards'):
        code, plan = run_json('rcf-plan', 'repair', '--json', server + name + '.txt')
        same((code, plan['steps']), (1, []), 'repair on %s changes nothing' % name)
    for name in ('cluster-slots', 'cluster-shards', 'check'):
        code, out, _ = run('rcf-plan', 'repair', server + name + '.txt')
        expect(code == 0 and 'in what the case says' in out, '%s: what it never says is no sign of health: %r' % (name, out))
    same(run('rcf-plan', 'repair', full)[1], 'Nothing to do: nothing is wrong that has to be repaired\n', 'CLUSTER NODES says it all')


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
    called = {name for name in library() if re.search(r'(?:^|[;&|({!]|\b(?:if|until|while|then|do|else))\s*%s\b(?![(=])' % name, code, re.M)}
    same(called - defined, set(), '%s: functions that are not defined' % about)


FOUNDERS = ['127.0.1.%d:%d' % (host, port) for host in (1, 2, 3) for port in (7000, 7001)]
REBUILT = 'fixtures/story-redis-7.0.15/08-rebuilt'

# Every goal, and every kind of stage that repair makes.
SCRIPTS = [
    ('rejoin', '127.0.0.6:7002', STALE), ('rejoin', '127.0.14.8:9001', INCIDENTS + 'replica-removed'),
    ('rejoin', '127.0.14.6:7002', INCIDENTS + 'half-forgotten'), ('remove', '127.0.0.6:7002', STALE),
    ('rejoin', '127.0.4.6:7002', 'fixtures/story-valkey-8.0.1/06-stale-restarted'),
    ('add', '127.0.4.9:7000', REBUILT), ('replicate', '127.0.4.8:9001', '127.0.4.7:8000', REBUILT),
    ('rejoin', '127.0.14.6:7002', INCIDENTS + 'half-forgotten', '--target=down'),
    ('remove', '127.0.14.6:7002', INCIDENTS + 'half-forgotten', '--target=down'),
    ('rejoin', '127.0.31.6:7002', INCIDENTS + 'dirty-removed', '--rescue'),
    ('reshard', '--from', 'all', '--to', '127.0.4.6:7002', '--slots', '100', 'fixtures/story-redis-7.0.15/10-recovered'),
    ('reshard', '--from', '127.0.0.8:9000', '--to', '127.0.0.6:7000', '--slots', '11000-11010', 'fixtures/story-redis-4.0.1/10-recovered'),
    ('create', '--replicas', '1', *FOUNDERS),
    ('repair', INCIDENTS + 'dirty-removed', '--rescue'), ('repair', 'fixtures/story-valkey-8.0.1/10-recovered'),
    *(('repair', INCIDENTS + name) for name in ('cloned-id', 'epoch-collision/before', 'forgotten-master-with-replica', 'half-forgotten',
                                                'merged-clusters/after', 'open-slots', 'replica-removed', 'split-brain', 'uncovered')),
]
CHANGING = ('FLUSHALL', 'RESET', 'SHUTDOWN', 'FORGET', 'add-node', 'REPLICATE', 'MIGRATE', 'SETSLOT', 'ADDSLOTS', 'BUMPEPOCH', 'FAILOVER',
            'MEET', 'SET-CONFIG-EPOCH', 'SAVE', 'BGREWRITEAOF')


def write_program(path, text):
    with open(path, 'w') as file:
        file.write('#!/bin/sh\n' + text)
    os.chmod(path, 0o755)


def check_script(words):
    about = ' '.join(words)
    code, script, err = run('rcf-plan', *words, '--format=sh')
    same(code, 0, 'script of %s: %s' % (about, err))
    check_functions(script, about)
    with tempfile.TemporaryDirectory() as folder:
        path, calls = folder + '/plan.sh', folder + '/calls'
        with open(path, 'w') as file:
            file.write(script)
        same(subprocess.run(['shellcheck', path], stdout=subprocess.PIPE).stdout, b'', 'shellcheck of ' + about)
        dry = subprocess.run(['sh', path], env=dict(os.environ, DRY_RUN='1', RCF_CLI='/bin/false'), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        expect(dry.returncode == 0 and b'dry run' in dry.stdout, '%s: DRY_RUN=1 prints only' % about)
        write_program(folder + '/client', 'echo "$@" >> %s; cat >> %s\n' % (calls, calls))
        write_program(folder + '/sleep', '')
        stopped = subprocess.run(['sh', path], env=dict(os.environ, RCF_CLI=folder + '/client', PATH=folder + ':' + os.environ['PATH']),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        expect(stopped.returncode == 1 and b'stopped:' in stopped.stderr, '%s: a server that answers nothing stops the script' % about)
        for word in CHANGING:
            expect(word not in open(calls).read(), '%s: nothing changes before the first verification holds: %s' % (about, word))


def check_scripts():
    for words in SCRIPTS:
        check_script(words)


check_main_job()
check_other_plans()
check_return_of_a_primary()
check_refusals()
check_rescue()
check_membership()
check_repair()
check_tools_places()
check_captures()
check_scripts()
finish()
