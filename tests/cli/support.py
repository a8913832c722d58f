"""Module: what the scripts of this folder share: running commands, comparing, schemas."""
import json
import os
import subprocess
import sys

BUILD = os.environ.get('RCF_BUILD', 'build/gcc')
problems = []


def run(name, *words, stdin=None, env=None):
    """Runs a command of the build; gives exit code, standard output, standard error (bytes decoded as UTF-8)."""
    process = subprocess.run([os.path.join(BUILD, name), *map(str, words)], input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, env=env)
    return process.returncode, process.stdout.decode('utf-8'), process.stderr.decode('utf-8')


def run_json(name, *words):
    code, out, err = run(name, *words)
    try:
        return code, json.loads(out)
    except ValueError:
        problems.append('%s %s: no JSON (exit %d): %s' % (name, ' '.join(map(str, words)), code, err or out[:200]))
        return code, {}


def expect(condition, what):
    if not condition:
        problems.append(what)
    return condition


def same(found, expected, what):
    return expect(found == expected, '%s: expected %r, found %r' % (what, expected, found))


def validate(document, schema_name):
    """Against docs/schema/NAME.json."""
    import jsonschema
    with open('docs/schema/%s.json' % schema_name) as file:
        schema = json.load(file)
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    for error in list(validator(schema).iter_errors(document))[:3]:
        problems.append('%s: %s: %s' % (schema_name, '/'.join(map(str, error.absolute_path)), error.message[:200]))


def finish():
    for problem in problems[:100]:
        print(problem)
    if len(problems) > 100:
        print('and %d more' % (len(problems) - 100))
    sys.exit(1 if problems else 0)
