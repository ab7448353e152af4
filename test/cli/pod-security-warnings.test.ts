import assert from 'node:assert/strict';
import { podSecurityWarnings } from '../../cli/pod-security-warnings.ts';

const condition = (type: string, message: string) => ({
  type,
  status: 'True' as const,
  reason: 'Reason',
  message,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

describe('podSecurityWarnings', () => {
  it('finds the default, the wrong flag, and labels that refuse pods', () => {
    const conditions = [
      condition(
        'Accepted',
        'compiled: baseline; warning: the default of Pod Security, baseline:v1.30, refuses pods; warning: --psa-defaults says enforce=restricted:v1.30; warning: other',
      ),
      condition('LabelConflict', 'label a, so Pod Security Admission refuses pods that the policy admits'),
    ];
    assert.deepEqual(podSecurityWarnings({ status: { conditions } }), [
      'the default of Pod Security, baseline:v1.30, refuses pods',
      '--psa-defaults says enforce=restricted:v1.30',
      'label a, so Pod Security Admission refuses pods that the policy admits',
    ]);
  });

  it('finds nothing in other conditions', () => {
    const conditions = [condition('Accepted', 'compiled: baseline'), condition('LabelConflict', 'label a')];
    assert.deepEqual(podSecurityWarnings({ status: { conditions } }), []);
    assert.deepEqual(podSecurityWarnings({}), []);
  });
});
