/** Tests that `cappol compare` gives the same remarks at the same lines with -o github and with -o sarif. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { cappol } from '../support/cappol.ts';
import { writtenPolicy } from '../support/policies.ts';
import { remarksInCommands, remarksInLog } from '../support/remarks.ts';
import { sarifRun } from '../support/sarif.ts';

/** The specs of policies by name. The test writes a folder with one file for each policy. */
type Specs = Readonly<Record<string, object>>;

interface Row {
  readonly old: Specs | string;
  readonly now: Specs | string;
  readonly args?: readonly string[];
  readonly code: 0 | 1 | 2;
  /**
   * The remarks as `level file (text of the line): title`. A remark without a line number names the folder of the new
   * set as its file.
   */
  readonly remarks: readonly string[];
  /** The text of the first remark. */
  readonly says?: string;
}

const HOSTILE = '/a\r\n::error::%\u009b31m\u202e';

/** A spec that restricts only hostNetwork, so that each comparison is short. */
const STRICT = { level: 'privileged', overrides: { hostNetwork: false } };
const OPEN = { level: 'privileged' };
const ONLY_NET = { namespaceSelector: { matchLabels: { team: 'net' } } };
const MUST = 'hostNetwork: pod must not set hostNetwork=true; cappol compare old now -o text shows such a pod';
/** Five policies that each allow other sysctls. The comparison decides sets of at most four such policies. */
const SYSCTL_NAMES = ['net.a', 'net.b', 'net.c', 'net.d', 'net.e'];
const SYSCTLS = Object.fromEntries(
  SYSCTL_NAMES.map((left, i) => {
    const allowed = [...SYSCTL_NAMES.filter((name) => name !== left), 'net.closed'];
    return [`without-${i}`, { level: 'privileged', overrides: { hostNetwork: false, sysctls: { allowed } } }];
  }),
);

const ROWS: Readonly<Record<string, Row>> = {
  'a policy that opens, at its line': {
    old: { all: STRICT },
    now: { all: OPEN },
    code: 1,
    remarks: ['error now/all.yaml (level: privileged): opens hostNetwork'],
    says: `In every namespace, policy all now admits pods that it refused, with the message: ${MUST}`,
  },
  'a policy that opens as a warning if --fail-on does not name it': {
    old: { all: STRICT },
    now: { all: OPEN },
    args: ['--fail-on', 'closes'],
    code: 0,
    remarks: ['warning now/all.yaml (level: privileged): opens hostNetwork'],
  },
  'a policy that closes': {
    old: { all: OPEN },
    now: { all: STRICT },
    code: 0,
    remarks: ['notice now/all.yaml (hostNetwork: false): closes hostNetwork'],
    says: `In every namespace, policy all now refuses pods that it admitted, with the message: ${MUST}`,
  },
  'a policy that closes as an error if --fail-on names it': {
    old: { all: OPEN },
    now: { all: STRICT },
    args: ['--fail-on', 'differs'],
    code: 1,
    remarks: ['error now/all.yaml (hostNetwork: false): closes hostNetwork'],
  },
  'the namespaces, the users, and all policies that refused': {
    old: { all: STRICT, net: { ...STRICT, ...ONLY_NET, usableBy: 'Bindings' } },
    now: { all: STRICT, net: { ...OPEN, ...ONLY_NET, usableBy: 'Bindings' } },
    code: 1,
    remarks: ['error now/net.yaml (level: privileged): opens hostNetwork'],
    says: `In namespaces with team=net, for users who may use policy net, policy net now admits pods that policy all, policy net refused, with the message: ${MUST}`,
  },
  'a policy whose selector has changed, so that no policy decides any more': {
    old: { all: STRICT },
    now: { all: { ...STRICT, ...ONLY_NET } },
    code: 1,
    remarks: ['error now/all.yaml (namespaceSelector:): opens hostNetwork'],
    says: `In namespaces without the labels that selectors name, no policy decides any more, which admits pods that policy all refused, with the message: ${MUST}`,
  },
  'a policy that is gone, at the new set': {
    old: { all: STRICT },
    now: {},
    code: 1,
    remarks: ['error now: opens hostNetwork'],
  },
  'policies where none decided': {
    old: {},
    now: { all: STRICT, other: STRICT },
    code: 0,
    remarks: ['notice now/all.yaml (hostNetwork: false): closes hostNetwork'],
    says: `In every namespace, policy all, policy other now refuse pods about which no policy decided, with the message: ${MUST}`,
  },
  'a policy for named containers': {
    old: { all: STRICT },
    now: { all: { ...STRICT, containers: [{ names: ['x'], overrides: { hostPorts: [] } }] } },
    code: 0,
    remarks: ['notice now/all.yaml (hostPorts: []): closes hostPorts'],
  },
  'a policy that fewer users may use': {
    old: { all: OPEN },
    now: { all: { ...OPEN, usableBy: 'Bindings' } },
    code: 0,
    remarks: ['notice now/all.yaml (usableBy: Bindings): closes use'],
  },
  'a level, which has no line': {
    old: { all: { level: 'baseline', overrides: { hostNetwork: true } } },
    now: 'baseline',
    code: 0,
    remarks: ['notice baseline: closes hostNetwork'],
  },
  'a question that decides the exit code': {
    old: { all: {}, net: { ...ONLY_NET, level: 'baseline' } },
    now: { all: { overrides: { hostNetwork: true } }, net: ONLY_NET },
    args: ['--limit', '5'],
    code: 2,
    remarks: ['error now: not decided', 'error now: not decided', 'warning now: not decided'],
    says: 'opens, in namespaces without the labels that selectors name: there is too much to compare: more than 5 pods',
  },
  'a question beside a difference that decides the exit code': {
    old: SYSCTLS,
    now: { all: { level: 'privileged', overrides: { sysctls: { allowed: SYSCTL_NAMES } } } },
    code: 1,
    remarks: [
      'error now/all.yaml (level: privileged): opens hostNetwork',
      'notice now/all.yaml (sysctls:): closes sysctls',
      'warning now: not decided',
    ],
  },
  'a policy that cannot be read, and no comparison': {
    old: { all: STRICT },
    now: { all: STRICT, wrong: { level: 'strict' } },
    code: 2,
    remarks: ['error now/wrong.yaml (level: strict): cappol'],
  },
  'a policy that has expired': {
    old: { all: STRICT },
    now: { all: STRICT, gone: { ...OPEN, expires: '2020-01-01T00:00:00Z' } },
    code: 0,
    remarks: ['warning now/gone.yaml (apiVersion: capabilitypolicy.dev/v1alpha1): cappol'],
    says: 'CapabilityPolicy gone expired at 2020-01-01T00:00:00Z and counts as deleted',
  },
  'a text that tries to be a command, on one line': {
    old: { all: { level: 'privileged', overrides: { volumes: ['hostPath'], hostPaths: [] } } },
    now: { all: { level: 'privileged', overrides: { volumes: ['hostPath'], hostPaths: [{ pathPrefix: HOSTILE }] } } },
    code: 1,
    remarks: ['error now/all.yaml (hostPaths:): opens hostPaths'],
  },
};

describe('cappol compare -o github and -o sarif', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'remarks-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  for (const [title, row] of Object.entries(ROWS)) {
    it(`show ${title}`, async () => {
      const names = [written('old', row.old), written('now', row.now)] as const;
      const printed = async (output: string) => {
        const args = ['compare', ...names, ...(row.args ?? []), '-o', output];
        const { code, stdout } = await cappol(args, '', folder);
        assert.equal(code, row.code);
        return stdout;
      };
      const [commands, log] = [await printed('github'), await printed('sarif')];
      const remarks = remarksInCommands(commands, placeText, names[1]);
      assert.deepEqual(
        remarks.map(([line]) => line),
        row.remarks,
      );
      if (row.says !== undefined) assert.equal(remarks[0]?.[1], row.says);
      assert.deepEqual(remarksInLog(log, placeText), remarks);
      for (const text of [commands, log]) assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Bidi_Control}]/u);
    });
  }

  it('sarif has the pod and the verdicts of -o json', async () => {
    const names = [written('old', { all: STRICT }), written('now', { all: OPEN })];
    const printed = async (output: string) => (await cappol(['compare', ...names, '-o', output], '', folder)).stdout;
    const [result] = sarifRun(await printed('sarif')).results;
    const { opens } = JSON.parse(await printed('json'));
    assert.deepEqual(result?.properties, { direction: 'opens', ...opens[0] });
    assert.equal(opens[0].pod.spec.hostNetwork, true);
  });

  for (const output of ['github', 'sarif']) {
    it(`${output} says what is proved`, async () => {
      const { code, stdout } = await cappol(['compare', 'restricted', 'restricted', '-o', output], '', folder);
      const same = 'same: restricted and restricted admit the same pods, in namespaces with the same labels (proved)';
      assert.equal(code, 0);
      if (output === 'github') assert.equal(stdout, `::notice title=cappol::${same}\n`);
      else {
        const [{ toolExecutionNotifications: notes } = assert.fail()] = sarifRun(stdout).invocations;
        assert.deepEqual(
          notes.map(({ message }) => message.text),
          [same],
        );
      }
    });
  }

  function placeText(file: string, line: number | undefined): string {
    if (line === undefined) return file;
    return `${file} (${readFileSync(join(folder, file), 'utf8').split('\n')[line - 1]?.trim()})`;
  }

  function written(name: string, policies: Specs | string): string {
    if (typeof policies === 'string') return policies;
    mkdirSync(join(folder, name));
    for (const [policy, spec] of Object.entries(policies)) {
      writeFileSync(join(folder, name, `${policy}.yaml`), `# A comment.\n${dump(writtenPolicy(policy, spec))}`);
    }
    return name;
  }
});
