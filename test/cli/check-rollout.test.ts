/**
 * Tests `cappol check` with `spec.rollout`. A violation has the mode that the policy has in the namespace. The mode of
 * a violation depends on whether the namespace is pending.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { dump } from 'js-yaml';
import { OUTPUTS, type Output } from '../../cli/commands/check/reporters/create-reporter.ts';
import { cappol } from '../support/cappol.ts';
import { podManifest } from '../support/pod-manifests.ts';
import { writtenPolicy } from '../support/policies.ts';

const SCHEMA = join(import.meta.dirname, '..', '..', 'docs', 'reference', 'check.schema.json');
const isDocumented = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));

// biome-ignore lint/suspicious/noExplicitAny: tests read any field of the output of -o json
type Json = any;

const LABEL = 'rollout.capabilitypolicy.dev/staged';

function namespace(name: string, labels: Readonly<Record<string, string>> = {}): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

function privileged(name: string): object {
  const containers = [{ name: 'main', image: 'app', securityContext: { privileged: true } }];
  return podManifest({ name: 'bad', namespace: name }, { containers });
}

const staged = (rollout: object, spec: object = {}) => writtenPolicy('staged', { level: 'baseline', rollout, ...spec });

function check(objects: readonly object[], ...args: readonly string[]) {
  const text = objects.map((one) => dump(one, { noRefs: true })).join('---\n');
  return cappol(['check', '-f', '-', ...args], text);
}

async function inJson(objects: readonly object[], ...args: readonly string[]) {
  const { code, stdout } = await check(objects, '-o', 'json', ...args);
  const json: Json = JSON.parse(stdout);
  const isValid: boolean = isDocumented(json);
  assert.ok(isValid, JSON.stringify(isDocumented.errors));
  return { code, json };
}

const PENDING = namespace('old', { [LABEL]: 'pending' });
const PROMOTED = namespace('promoted', { [LABEL]: 'enforced' });

describe('check with a rollout', () => {
  it('check --warn exits 1 where the policy is enforced: in a new, a promoted or a finished namespace', async () => {
    for (const rollout of [{}, { soak: '0s' }, { meanwhile: 'Audit' }, { paused: true }]) {
      assert.equal((await check([staged(rollout), privileged('new')], '--warn')).code, 1, JSON.stringify(rollout));
      assert.equal((await check([staged(rollout), PROMOTED, privileged('promoted')], '--warn')).code, 1);
      assert.equal(
        (await check([staged(rollout), namespace('done'), privileged('done')], '--fail-on', 'Enforce')).code,
        1,
      );
    }
  });

  it('check --warn exits 0 where the policy is pending', async () => {
    assert.equal((await check([staged({}), PENDING, privileged('old')], '--warn')).code, 0);
    assert.equal((await check([staged({}), PENDING, privileged('old')])).code, 1);
    assert.equal((await check([staged({}), PENDING, privileged('old')], '--fail-on', 'Audit')).code, 0);
    const audited = [staged({ meanwhile: 'Audit' }), PENDING, privileged('old')];
    assert.equal((await check(audited, '--fail-on', 'Warn')).code, 0);
    assert.equal((await check(audited, '--fail-on', 'Audit')).code, 1);
  });

  it('check gives each violation the mode of its namespace, and lists the policy once', async () => {
    const { json } = await inJson([staged({}), PENDING, privileged('old'), privileged('new')]);
    const modes = json.items.map(
      ({ namespace: name, violations }: { namespace: string; violations: { mode: string }[] }) => [
        name,
        [...new Set(violations.map(({ mode }) => mode))],
      ],
    );
    assert.deepEqual(modes, [
      ['old', ['Warn']],
      ['new', ['Enforce']],
    ]);
    assert.deepEqual(
      json.policies.map(({ name, mode, meanwhile }: Record<string, string>) => [name, mode, meanwhile]),
      [['staged', 'Enforce', 'Warn']],
    );
  });

  it('check gives each violation the mode of its policy if two policies decide in the namespace', async () => {
    const audit = writtenPolicy('all', { mode: 'Audit', level: 'restricted' });
    const { json, code } = await inJson([staged({}), audit, PENDING, privileged('old'), privileged('new')], '--warn');
    const pairs = json.items.map(({ violations }: { violations: { policy: string; mode: string }[] }) =>
      [...new Set(violations.map(({ policy, mode }) => `${policy} ${mode}`))].sort(),
    );
    assert.deepEqual(pairs, [
      ['all Audit', 'staged Warn'],
      ['all Audit', 'staged Enforce'],
    ]);
    assert.equal(code, 1);
  });

  /** The words for a refused pod and for a pod with a warning, by output format. */
  const WORDS: Readonly<Record<Exclude<Output, 'junit'>, readonly [refused: RegExp, warned: RegExp]>> = {
    table: [/ refused +staged /, / warned +staged /],
    wide: [/ refused +staged /, / warned +staged /],
    json: [/"mode": "Enforce",\n\s+"rule"/, /"mode": "Warn",\n\s+"rule"/],
    yaml: [/^\s+mode: Enforce\n\s+rule:/m, /^\s+mode: Warn\n\s+rule:/m],
    sarif: [/"level": "error"/, /"level": "warning"/],
    github: [/^::error /m, /^::warning /m],
    markdown: [/\*\*refused\*\*/, /\*\*warned\*\*/],
  };

  for (const output of OUTPUTS) {
    if (output === 'junit') continue;
    it(`says with -o ${output} that a pod is refused in a new namespace, and warned about in a pending one`, async () => {
      const [refused, warned] = WORDS[output];
      const fresh = await check([staged({}), privileged('new')], '-o', output);
      assert.match(fresh.stdout, refused);
      assert.doesNotMatch(fresh.stdout, warned);
      const pending = await check([staged({}), PENDING, privileged('old')], '-o', output);
      assert.match(pending.stdout, warned);
      assert.doesNotMatch(pending.stdout, refused);
    });
  }

  it('counts the policy once in the summary', async () => {
    const { stdout } = await check([staged({}), privileged('new')]);
    assert.match(stdout, /^1 workload evaluated against 1 policy: /m);
  });
});
