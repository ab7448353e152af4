/**
 * Tests a value of the wrong type in a file. The error of `cappol check` names the file, the line, the field and the
 * correct form.
 */
import assert from 'node:assert/strict';
import { cappol } from '../support/cappol.ts';

/**
 * Test cases. The key is a line below `spec` of a policy or of a pod. The value is the expected message, or the end of
 * the message.
 */
type Rows = Readonly<Record<string, string>>;

const POLICIES: Rows = {
  'podSecurityLabels: off':
    "spec.podSecurityLabels: Invalid value: boolean: must be of type string: write 'Off', in quotes: YAML reads off without quotes as false",
  'podSecurityLabels: No': "write 'Off', in quotes: YAML reads No without quotes as false",
  'podSecurityLabels: on': "must be of type string: write Managed or 'Off'",
  'levelVersion: 1.30':
    'spec.levelVersion: Invalid value: number: must be of type string: "1.30" is not a version of a level: write v1.30',
  'levelVersion: 1.3': '"1.3" is not a version of a level: write v1.3',
  'levelVersion: 30': '"30" is not a version of a level: write latest, or v1.N such as v1.36',
  'level: [restricted]': 'spec.level: Invalid value: array: must be of type string: write restricted, without brackets',
  'mode: off': 'spec.mode: Invalid value: boolean: must be of type string: write Audit or Warn or Enforce',
  'defaulting: yes': 'must be of type string: write Disabled or Enabled or PodSecurityPolicy',
  'namespaceSelector: {matchLabels: {pci: yes}}':
    "spec.namespaceSelector.matchLabels.pci: Invalid value: boolean: must be of type string: write 'yes', in quotes: YAML reads yes without quotes as a boolean",
  'namespaceSelector: {matchLabels: {stage: 010}}': "write '010', in quotes: YAML reads 010 without quotes as a number",
  'namespaceSelector: {matchExpressions: [{key: a, operator: In, values: b}]}':
    'must be of type array: write a list: [b]',
  'priority: "10"': 'spec.priority: Invalid value: string: must be of type integer: write 10, without quotes',
  'subjects: {kind: User, name: jane}': 'must be of type array: write a list: [{kind: User, name: jane}]',
  'subjects: [{kind: User, name: 1234}]':
    "spec.subjects[0].name: Invalid value: number: must be of type string: write '1234', in quotes: YAML reads 1234 without quotes as a number",
  'overrides: {capabilities: {allowedAdd: NET_RAW}}':
    'spec.overrides.capabilities.allowedAdd: Invalid value: string: must be of type array: write a list: [NET_RAW]',
  'overrides: {capabilities: [NET_RAW]}':
    'must be of type object: write its fields: allowedAdd, allowedAddInUserNamespace, requiredDrop, dropByName, defaultAdd, allowedBounding',
  'overrides: {hostPorts: {min: 80, max: 90}}': 'must be of type array: write a list: [{min: 80, max: 90}]',
  'overrides: {privileged: "true"}': 'must be of type boolean: write true, without quotes',
  'overrides: {runAsUser: MustRunAsNonRoot}': 'must be of type object: write {rule: MustRunAsNonRoot}',
  'overrides: {procMount: Default}': 'must be of type object: write {types: [Default]}',
  'overrides: {runAsUser: {rule: MustRunAs, ranges: [{min: "1", max: 2}]}}':
    'must be of type integer: write 1, without quotes',
};

const PODS: Rows = {
  'hostNetwork: "true"':
    'Pod app: spec.hostNetwork: Invalid value: string: must be of type boolean: write true, without quotes',
  'securityContext: {runAsUser: "1000"}': 'must be of type integer: write 1000, without quotes',
  'initContainers: [{name: init, securityContext: {capabilities: {drop: ALL}}}]':
    'spec.initContainers[0].securityContext.capabilities.drop: Invalid value: string: must be of type array: write a list: [ALL]',
  'serviceAccountName: 007': "write '007', in quotes: YAML reads 007 without quotes as a number",
};

describe('a value of the wrong type', () => {
  for (const [line, said] of Object.entries(POLICIES)) {
    it(`of a policy: ${line}`, async () => {
      const spec = ['level: restricted', 'namespaceSelector: {}'].filter(
        (one) => !line.startsWith(`${one.split(':')[0]}:`),
      );
      const head = `apiVersion: capabilitypolicy.dev/v1alpha1\nkind: CapabilityPolicy\nmetadata: {name: p}\nspec:\n`;
      const text = `${head}${spec.map((one) => `  ${one}\n`).join('')}  ${line}\n`;
      await assertSaid(text, said);
    });
  }

  for (const [line, said] of Object.entries(PODS)) {
    it(`of a pod: ${line}`, () =>
      assertSaid(
        `apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  containers: [{name: app}]\n  ${line}\n`,
        said,
        '--level',
        'restricted',
      ));
  }

  it('of a name', () =>
    assertSaid(
      'apiVersion: capabilitypolicy.dev/v1alpha1\nkind: CapabilityPolicy\nspec: {level: restricted, namespaceSelector: {}}\nmetadata: {name: 0123}\n',
      "metadata.name: Invalid value: number: must be of type string: write '0123', in quotes: YAML reads 0123 without quotes as a number",
    ));

  it("of a policy's label", () =>
    assertSaid(
      'apiVersion: capabilitypolicy.dev/v1alpha1\nkind: CapabilityPolicy\nspec: {level: restricted, namespaceSelector: {}}\nmetadata: {name: p, labels: {stage: 1}}\n',
      "metadata.labels.stage: Invalid value: number: must be of type string: write '1', in quotes: YAML reads 1 without quotes as a number",
    ));

  it('render also reports a value of the wrong type, even in an item of a List', async () => {
    const text =
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: capabilitypolicy.dev/v1alpha1\n  kind: CapabilityPolicy\n  metadata: {name: p}\n  spec:\n    namespaceSelector: {}\n    level: baseline\n    levelVersion: 1.30\n';
    const { stderr } = await cappol(['render', '--policy', '-'], text);
    assert.match(stderr, /standard input:10: .*write v1\.30$/m);
  });

  /** Checks that the message names the last line of the text. */
  async function assertSaid(text: string, said: string, ...args: readonly string[]): Promise<void> {
    const { code, stderr } = await cappol(['check', '-f', '-', ...args], text);
    assert.equal(code, 2);
    const line = text.trimEnd().split('\n').length;
    const found = stderr
      .split('\n')
      .some((one) => one.startsWith(`cappol: standard input:${line}: `) && one.endsWith(said));
    assert.ok(found, stderr);
  }
});
