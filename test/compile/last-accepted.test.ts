import assert from 'node:assert/strict';
import type { CapabilityPolicySpec, CompletePolicy } from '../../operator/api/capability-policy.ts';
import { compile, compiler } from '../../operator/compile/compile.ts';
import type { RenderedObject } from '../../operator/model/objects.ts';
import { runToEnd } from '../../operator/policy/run-to-end.ts';
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

describe('a policy whose row the API server refuses', () => {
  const good = policy('exception', { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } });
  const bad = policy('exception', { overrides: { capabilities: { allowedAdd: ['SYS_TIME'] } } });
  const sibling = policy('default');
  const rejecting = (before: CompletePolicy['spec'] | undefined) =>
    compile([sibling, bad], { ...options, rejected: new Map([['exception', { message: 'frozen', before }]]) });

  it('keeps the row that was last in force, although a later spec was accepted', () => {
    const [before, after] = [compile([sibling, good], options), rejecting(good.spec)];
    const { reason, message } = after.refusals.get('exception') ?? {};
    assert.equal(reason, 'WriteRefused');
    assert.match(message ?? '', /: frozen$/);
    assert.deepEqual([after.programs, after.grants], [before.programs, before.grants]);
  });

  it('has no row if none was in force', () => {
    assert.deepEqual(rejecting(undefined).programs, compile([sibling], options).programs);
  });
});

describe('a policy whose former users cannot be removed', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const used = (
    level: CapabilityPolicySpec['level'],
    names: readonly string[],
    rest: Partial<CapabilityPolicySpec> = {},
  ) =>
    policy('exception', {
      level,
      mode: 'Enforce',
      usableBy: 'Subjects',
      subjects: names.map((name) => ({ kind: 'User', name })),
      ...rest,
    });
  const earlier = used('baseline', ['one', 'two']);
  const next = used('privileged', ['two', 'three']);
  const sibling = policy('default');
  const holding = (current: CompletePolicy, before: CompletePolicy | undefined = earlier) =>
    compile([sibling, current], { ...options, now, held: new Map([['exception', before?.spec]]) });
  const usersOf = ({ grants }: ReturnType<typeof compile>) =>
    (grants.get('exception')?.roleBinding?.subjects as { name: string }[] | undefined)?.map(({ name }) => name);

  it('keeps its earlier rows and the recorded spec, and its binding has the users of both versions', () => {
    const [before, after] = [compile([sibling, earlier], options), holding(next)];
    assert.deepEqual(after.programs, before.programs);
    assert.deepEqual(after.grants.get('exception')?.role, before.grants.get('exception')?.role);
    assert.deepEqual(usersOf(after), ['two']);
    assert.equal(after.held.get('exception')?.spec.level, 'privileged');
    assert.equal(after.refusals.size, 0);
  });

  it('has the same objects in each compilation', () => {
    const again = compiler();
    const compiled = () =>
      runToEnd(again([sibling, next], { ...options, held: new Map([['exception', earlier.spec]]) }));
    assert.equal(compiled().grants.get('exception'), compiled().grants.get('exception'));
  });

  it('has no binding if only bindings of others count from now on', () => {
    const after = holding(used('privileged', [], { usableBy: 'Bindings' }));
    assert.equal(after.grants.get('exception')?.roleBinding, undefined);
  });

  it('has a binding without users if everybody could use it before', () => {
    const after = holding(next, policy('exception', { mode: 'Enforce' }));
    assert.equal(after.grants.get('exception')?.roleBinding?.subjects, undefined);
    assert.ok(after.grants.get('exception')?.roleBinding);
  });

  it('has no row if no earlier version is in force, or if the earlier version has expired', () => {
    const expired = used('baseline', ['one'], { expires: '2025-01-01T00:00:00Z' });
    const without = compile([sibling], options).programs;
    const left = compile([sibling, next], { ...options, now, held: new Map([['exception', undefined]]) });
    assert.deepEqual(left.programs, without);
    assert.deepEqual(usersOf(left), ['two', 'three']);
    // A restarted operator must not read the new spec from the role.
    assert.deepEqual([...lastAccepted(compiledObjects(left)).keys()], [sibling.metadata.uid]);
    assert.deepEqual(holding(next, expired).programs, without);
  });

  it('ends when its newest version has expired', () => {
    const after = holding(used('privileged', ['two'], { expires: '2025-01-01T00:00:00Z' }));
    assert.deepEqual(after.programs, compile([sibling], options).programs);
    assert.deepEqual([after.held.size, after.expired.length], [0, 1]);
  });

  it('keeps its earlier rows if its newest version cannot be compiled', () => {
    const after = holding(used('privileged', ['two'], { levelVersion: 'v1.99' }));
    assert.deepEqual(after.programs, compile([sibling, earlier], options).programs);
    assert.deepEqual([after.held.size, [...after.refusals.keys()].join()], [0, 'exception']);
    assert.deepEqual(after.specs.get('exception'), earlier.spec);
  });
});
