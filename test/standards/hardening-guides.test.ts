/** Tests which recommendations of hardening guides each rule covers. */
import assert from 'node:assert/strict';
import { RULES } from '../../operator/rules/index.ts';
import {
  CIS_CONTROLS,
  NSA_RECOMMENDATIONS,
  referenceProperties,
  referencesOf,
} from '../../operator/standards/hardening-guides.ts';

/**
 * Recommendations of the CIS Kubernetes Benchmark v2.0.1, mostly of section 5.2. Each recommendation is about a field.
 * The list names the rules that check the field.
 */
const CONTROLS: readonly [control: string, rules: readonly string[]][] = [
  ['5.1.6', ['serviceAccountToken']],
  ['5.2.2', ['privileged']],
  ['5.2.3', ['hostPID']],
  ['5.2.4', ['hostIPC']],
  ['5.2.5', ['hostNetwork']],
  ['5.2.6', ['allowPrivilegeEscalation', 'defaultAllowPrivilegeEscalation']],
  ['5.2.7', ['runAsNonRoot', 'runAsUser']],
  ['5.2.8', ['capabilities', 'capabilities.allowedBounding']],
  ['5.2.9', ['capabilities', 'capabilities.allowedBounding']],
  ['5.2.10', ['hostProcess']],
  ['5.2.11', ['volumes', 'hostPaths']],
  ['5.2.12', ['hostPorts']],
  ['5.6.2', ['seccomp']],
];

describe('the hardening guides', () => {
  for (const [control, rules] of CONTROLS) {
    it(`CIS ${control} is covered by ${rules.join(' and ')}`, () => {
      const covering = RULES.filter(({ guides }) => (guides.cis as readonly string[]).includes(control));
      assert.deepEqual(
        covering.map(({ id }) => id),
        rules,
      );
    });
  }

  it('the list has every control of the CIS, and the rules cover every recommendation of the NSA', () => {
    assert.deepEqual(Object.keys(CIS_CONTROLS).sort(), CONTROLS.map(([control]) => control).sort());
    const covered = new Set<string>(RULES.flatMap(({ guides }) => guides.nsa));
    assert.deepEqual([...covered].sort(), Object.keys(NSA_RECOMMENDATIONS).sort());
  });

  it('are named with their versions', () => {
    const guides = { cis: ['5.2.3'], nsa: ['Privileged'] } as const;
    assert.deepEqual(referencesOf(guides), [
      {
        guide: 'CIS Kubernetes Benchmark v2.0.1',
        control: '5.2.3',
        about: "few containers with the node's process IDs",
      },
      { guide: 'NSA/CISA Kubernetes Hardening Guide v1.2', control: null, about: 'prevent privileged containers' },
    ]);
    assert.deepEqual(referenceProperties(guides), {
      cis: 'CIS Kubernetes Benchmark v2.0.1: 5.2.3',
      nsa: 'NSA/CISA Kubernetes Hardening Guide v1.2: prevent privileged containers',
    });
    assert.deepEqual(referenceProperties({ cis: [], nsa: [] }), {});
  });
});
