import assert from 'node:assert/strict';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import { compile } from '../../operator/compile/compile.ts';
import type { RenderedObject } from '../../operator/model/objects.ts';
import { formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { lastAccepted } from '../../operator/state/accepted-specs.ts';
import { compiledObjects } from '../support/compiled-objects.ts';
import { policy } from '../support/policies.ts';

const options = {
  oldestServer: NEWEST_KNOWN_MINOR,
  operatorNamespace: 'capabilitypolicy-system',
  excludedNamespaces: [],
};

/** Renders the policies. @returns the objects in the cluster after rendering */
function renderedFor(policies: readonly CompletePolicy[]): RenderedObject[] {
  return compiledObjects(compile(policies, options));
}

describe('a policy that cannot be compiled', () => {
  const good = policy('exception', { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } });
  const broken = policy('exception', { level: 'privileged', levelVersion: 'v1.99' });
  const sibling = policy('default');

  it('keeps its last accepted row', () => {
    const before = compile([sibling, good], options);
    const after = compile([sibling, broken], { ...options, lastAccepted: lastAccepted(renderedFor([sibling, good])) });
    assert.equal(after.refusals.get('exception')?.reason, 'VersionTooNew');
    assert.deepEqual(after.programs, before.programs);
    assert.deepEqual(after.grants, before.grants);
  });

  it('when an older API server joins, the policy keeps its text with the newest version that the older server knows', () => {
    const newest = policy('exception', { ...good.spec, levelVersion: formatVersion(NEWEST_KNOWN_MINOR) });
    const older = { ...options, oldestServer: NEWEST_KNOWN_MINOR - 1 };
    const lastOnes = lastAccepted(renderedFor([sibling, newest]));
    const after = compile([sibling, newest], { ...older, lastAccepted: lastOnes });
    assert.equal(after.refusals.get('exception')?.reason, 'VersionTooNew');
    const levelVersion = formatVersion(NEWEST_KNOWN_MINOR - 1);
    const expected = compile([sibling, policy('exception', { ...good.spec, levelVersion })], older);
    // The spec keeps the version that its author wrote.
    const withoutSpec = ({ policies }: typeof after) => policies.map(({ spec: _, ...one }) => one);
    assert.deepEqual(withoutSpec(after), withoutSpec(expected));
    assert.deepEqual(after.programs, expected.programs);
  });

  it('the policy still requires a field of pods when an API server joins that drops the field', () => {
    const strict = policy('exception', { overrides: { supplementalGroups: { policy: 'Strict' } } });
    const older = { ...options, oldestServer: 32 };
    const after = compile([sibling, strict], { ...older, lastAccepted: lastAccepted(renderedFor([sibling, strict])) });
    assert.equal(after.refusals.get('exception')?.reason, 'ServerTooOld');
    const kept = after.policies.find(({ name }) => name === 'exception');
    assert.ok(kept?.checks.some(({ rule }) => rule === 'supplementalGroups.policy'));
    const [enforcing] = after.programs.filter(({ kind }) => kind === 'Enforce');
    assert.deepEqual([...(enforcing?.rows.keys() ?? [])].sort(), ['default', 'exception']);
  });

  it('renders nothing if it was never accepted', () => {
    const { programs, grants, refusals } = compile([sibling, broken], { ...options, lastAccepted: new Map() });
    assert.deepEqual([...grants.keys()], ['default']);
    assert.deepEqual([...refusals.keys()], ['exception']);
    assert.deepEqual(programs, compile([sibling], options).programs);
  });

  for (const text of ['', 'no JSON', 'null', '[]', '{"level":"restricted"}']) {
    it(`is not read from the annotation ${JSON.stringify(text)}`, () => {
      const [object] = renderedFor([good]) as [RenderedObject];
      const annotations = { ...object.metadata.annotations, 'capabilitypolicy.dev/spec': text };
      assert.equal(lastAccepted([{ ...object, metadata: { ...object.metadata, annotations } }]).size, 0);
    });
  }
});
