/** Tests the folder that `cappol suggest --baseline` writes. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { policiesOf, type SuggestedPolicy } from '../../analysis/suggest/policies.ts';
import { suggest } from '../../analysis/suggest/suggest.ts';
import { UsageError } from '../../cli/command.ts';
import { baselineFolder, writeBaseline } from '../../cli/commands/suggest/baseline.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { specOf } from '../suggest/suggest-features.ts';

const STANDARD = { minor: NEWEST_KNOWN_MINOR, server: NEWEST_KNOWN_MINOR };
const WHOLE = { cluster: true, allNamespaces: true, output: 'yaml' } as const;

function printed() {
  const given = ['shop', 'net'].map((namespace) => ({
    workload: { kind: 'Pod', namespace, name: 'agent' },
    content: { annotations: {}, spec: specOf({ serviceAccount: 'agent', features: ['hostNetwork'] }) },
  }));
  const suggestions = suggest(given, { standard: STANDARD, evaluator: new Evaluator() });
  const policies: SuggestedPolicy[] = policiesOf(suggestions, { mode: 'Enforce', everywhere: false });
  return { suggestions, policies, where: 'all namespaces' };
}

describe('the folder of suggest --baseline', () => {
  let cwd: string;
  let stdout = '';
  const io = () => ({ cwd, stdout: { write: (text: string) => (stdout += text) } }) as never;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'suggest-baseline-'));
    stdout = '';
  });
  afterEach(() => rmSync(cwd, { recursive: true }));

  it('the folder has two files for each namespace, and the exceptions come before the policies that they loosen', () => {
    writeBaseline('debt', printed(), io());
    const files = readdirSync(join(cwd, 'debt')).sort();
    assert.deepEqual(files, ['exceptions-net.yaml', 'exceptions-shop.yaml', 'policy-net.yaml', 'policy-shop.yaml']);
    assert.deepEqual(
      stdout,
      'debt/exceptions-net.yaml: 1 exception\ndebt/exceptions-shop.yaml: 1 exception\n' +
        'debt/policy-net.yaml: policy net\ndebt/policy-shop.yaml: policy shop\n',
    );
    const names = files.flatMap((name) =>
      (loadAll(readFileSync(join(cwd, 'debt', name), 'utf8')) as { metadata: { name: string } }[]).map(
        ({ metadata }) => metadata.name,
      ),
    );
    assert.deepEqual(names, ['net-agent', 'shop-agent', 'net', 'shop']);
  });

  it('keeps the files that are in it', () => {
    mkdirSync(join(cwd, 'debt'));
    writeFileSync(join(cwd, 'debt', 'policy-shop.yaml'), 'mine');
    assert.throws(
      () => writeBaseline('debt', printed(), io()),
      new UsageError(
        '--baseline does not overwrite the existing file debt/policy-shop.yaml: name another folder, or remove the file',
      ),
    );
    assert.deepEqual(readdirSync(join(cwd, 'debt')), ['policy-shop.yaml']);
    assert.equal(readFileSync(join(cwd, 'debt', 'policy-shop.yaml'), 'utf8'), 'mine');
  });

  it('suggest --baseline makes no folder if there is nothing to write', () => {
    writeBaseline('debt', { ...printed(), policies: [] }, io());
    assert.match(stdout, /^# Nothing to write for all namespaces: /);
    assert.deepEqual(readdirSync(cwd), []);
  });

  it('suggest --baseline requires --cluster -A, YAML output and mode Enforce', () => {
    assert.equal(baselineFolder({ ...WHOLE, baseline: true }), 'baseline');
    assert.equal(baselineFolder({ ...WHOLE, baseline: 'debt', mode: 'Enforce' }), 'debt');
    assert.equal(baselineFolder(WHOLE), undefined);
    const wrong: readonly (readonly [Parameters<typeof baselineFolder>[0], string])[] = [
      [{ output: 'yaml', cluster: true }, '--baseline requires --cluster -A'],
      [{ ...WHOLE, output: 'json' }, '--baseline writes YAML files: leave out -o json'],
      [{ ...WHOLE, mode: 'Warn' }, '--baseline writes policies of mode Enforce: leave out --mode Warn'],
    ];
    for (const [options, message] of wrong) {
      assert.throws(() => baselineFolder({ ...options, baseline: true }), new UsageError(message));
    }
  });
});
