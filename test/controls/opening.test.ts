/** Tests which controls of hardening guides the spec of a policy opens. */
import assert from 'node:assert/strict';
import { CONTROLS } from '../../analysis/controls/controls.ts';
import { opens } from '../../analysis/controls/opening.ts';
import { policy, resolved } from '../support/policies.ts';

type Spec = Parameters<typeof policy>[1];

const BASELINE = [
  '5.2.6',
  '5.2.7',
  '5.2.8',
  '5.2.9',
  '5.2.11',
  '5.6.2',
  'NonRoot',
  'Breakout',
  'Root',
  'SecurityServices',
];

const ROWS: readonly [what: string, spec: Spec, opened: readonly string[]][] = [
  ['level restricted', {}, []],
  ['an older version of level restricted', { levelVersion: 'v1.18' }, []],
  ['level baseline', { level: 'baseline' }, BASELINE],
  ['level privileged', { level: 'privileged' }, CONTROLS.map(({ id }) => id)],
  [
    'overrides.capabilities.allowedAdd',
    { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } },
    ['5.2.8', '5.2.9'],
  ],
  ['overrides.hostPID', { overrides: { hostPID: true } }, ['5.2.3', 'Breakout']],
  [
    'an override that repeats the default',
    { overrides: { serviceAccountToken: 'Allowed' } },
    ['5.1.6', 'ServiceAccountTokens'],
  ],
  [
    'overrides of a container',
    { containers: [{ names: ['istio-init'], overrides: { runAsUser: { rule: 'RunAsAny' } } }] },
    ['5.2.7', 'NonRoot', 'Root'],
  ],
  ['an override that no guide is about', { overrides: { procMount: { types: ['Unmasked'] } } }, []],
];

describe('the text of a policy', () => {
  for (const [what, spec, opened] of ROWS) {
    it(`opens ${opened.length === 0 ? 'no control' : opened.join(', ')}: ${what}`, () => {
      const { standard } = resolved('one', spec);
      const found = CONTROLS.filter((control) => opens(control, policy('one', spec).spec, standard));
      assert.deepEqual(
        found.map(({ id }) => id),
        opened,
      );
    });
  }
});
