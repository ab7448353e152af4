/** Tests input that the API server would have refused, and input that is not an object. */
import assert from 'node:assert/strict';
import { InvalidInput, migrate } from '../../analysis/migrate/migrate.ts';
import { binding, group, psp, role, scc } from './objects.ts';
import { ANNOTATIONS, MALFORMED, REFUSED, SUBDOMAIN } from './refused-rows.ts';

describe('migrate refuses the same input as an API server with PodSecurityPolicy:', () => {
  for (const [title, [spec, ...reasons]] of Object.entries({ ...REFUSED, ...MALFORMED })) {
    it(title, () =>
      assertProblems(
        [psp(spec)],
        reasons.map((reason) => `PodSecurityPolicy/psp: ${reason}`),
      ),
    );
  }
  for (const [title, [annotations, ...reasons]] of Object.entries(ANNOTATIONS)) {
    it(title, () =>
      assertProblems(
        [psp({}, annotations)],
        reasons.map((reason) => `PodSecurityPolicy/psp: ${reason}`),
      ),
    );
  }

  it('unknown volumes', () => {
    const [problem = ''] = problemsOf([psp({ volumes: ['secret', 'image'] })]);
    assert.match(
      problem,
      /spec\.volumes\[1\]: Unsupported value: "image": supported values: "\*", "awsElasticBlockStore",/,
    );
  });

  it('invalid names', () => {
    assertProblems(
      [psp({}, {}, 'My_PSP'), psp({}, {}, '')],
      [
        `PodSecurityPolicy/My_PSP: metadata.name: Invalid value: "My_PSP": ${SUBDOMAIN}`,
        'PodSecurityPolicy: metadata.name: Required value: name or generateName is required',
      ],
    );
  });
});

describe('migrate refuses', () => {
  it('versions without such a kind', () => {
    assertProblems(
      [
        { ...psp(), apiVersion: 'policy/v1' },
        { ...scc(), apiVersion: 'security.openshift.io/v2' },
      ],
      [
        'PodSecurityPolicy/psp: apiVersion: policy/v1 has none: PodSecurityPolicy is of policy/v1beta1',
        'SecurityContextConstraints/scc: apiVersion: security.openshift.io/v2 has none: its apiVersion is security.openshift.io/v1',
      ],
    );
  });

  it('a field beside the spec', () => {
    assertProblems(
      [{ ...psp(), sepc: {} }],
      ['PodSecurityPolicy/psp: sepc: no such field: did you mean spec? the known fields are apiVersion, kind,'],
    );
  });

  it('two objects with one name', () => {
    assertProblems(
      [psp({}, {}, 'a'), scc({}, 'b'), psp({}, {}, 'b')],
      ['PodSecurityPolicy/b: metadata.name: SecurityContextConstraints/b has the same name'],
    );
  });

  it('migrate refuses all objects with errors, and reports every error in the order of the objects', () => {
    assertProblems(
      [psp({ privileged: 1 }, {}, 'a'), psp({}, {}, 'b'), scc({ priority: -1 }, 'c')],
      [
        'PodSecurityPolicy/a: spec.privileged: Invalid value: number: must be of type boolean',
        'SecurityContextConstraints/c: priority: Invalid value: -1: priority cannot be negative',
      ],
    );
  });

  it('SecurityContextConstraints with unknown fields', () => {
    assertProblems(
      [scc({ runAsUser: { type: 'MayRunAs' }, fsGroup: {}, volumes: ['nothing'], allowHostUsers: true })],
      ['SecurityContextConstraints/scc: allowHostUsers: no such field'],
    );
    const [user = '', volume = ''] = problemsOf([
      scc({ runAsUser: { type: 'MayRunAs' }, fsGroup: {}, volumes: ['nothing'] }),
    ]);
    assert.match(user, /runAsUser\.type: Unsupported value: "MayRunAs": supported values: "MustRunAs",/);
    assert.match(volume, /volumes\[0\]: Unsupported value: "nothing"/);
  });

  it('invalid roles and bindings', () => {
    const all = role('all');
    assertProblems(
      [{ ...all, rules: { verbs: [] } }, binding(all, [{ kind: 'Team', name: 'a' }]), binding(all, [group('')])],
      [
        'ClusterRole/all: rules: Invalid value: object: must be of type array: write a list: [{verbs: []}]',
        'ClusterRoleBinding/to-all: subjects[0].kind: must be ServiceAccount, User or Group',
        'ClusterRoleBinding/to-all: subjects[0].name: Required value',
      ],
    );
  });
});

/** @param expected the whole text of each problem, or the beginning of the text */
function assertProblems(objects: readonly unknown[], expected: readonly string[]): void {
  const problems = problemsOf(objects);
  assert.deepEqual(
    problems.map((problem, i) => problem.slice(0, expected[i]?.length ?? problem.length)),
    expected,
  );
}

function problemsOf(objects: readonly unknown[]): string[] {
  try {
    migrate(objects, { mode: 'Audit' });
    return [];
  } catch (error) {
    assert.ok(error instanceof InvalidInput);
    return error.message.split('\n');
  }
}
