import assert from 'node:assert/strict';
import { ask } from '../../operator/apply/probe.ts';
import { type ApiClient, ApiError } from '../../operator/cluster/client.ts';
import { PROBE_ANSWER } from '../../operator/compile/program.ts';

const FORBIDDEN = 'clusterroles.rbac.authorization.k8s.io "capabilitypolicy-probe-dr5tv" is forbidden:';
const WITHOUT_SUFFIX = 'clusterroles.rbac.authorization.k8s.io "capabilitypolicy-probe" is forbidden:';

/** The answer to a probe that the API server refuses with this status and message. */
function answerTo(status: number, message: string) {
  const create = async () => {
    throw new ApiError({ status, reason: '', message, causes: [] });
  };
  return ask({ create } as unknown as ApiClient, { name: 'capabilitypolicy.enforce', kind: 'Enforce' });
}

describe('the answer to a probe', () => {
  it('the hash is the answer of the program', async () => {
    const message = `${FORBIDDEN} ValidatingAdmissionPolicy 'x' with binding 'y' denied request: ${PROBE_ANSWER} 00ff`;
    assert.deepEqual(await answerTo(422, message), { hash: '00ff', message: '' });
  });

  const refusals: readonly [number, string, string][] = [
    [422, `ValidatingAdmissionPolicy 'frozen' with binding 'b' denied request: no`, 'ValidatingAdmissionPolicy frozen'],
    [422, `MutatingAdmissionPolicy 'frozen' with binding 'b' denied request: no`, 'MutatingAdmissionPolicy frozen'],
    [400, 'admission webhook "frozen.example" denied the request: no', 'webhook frozen.example'],
    [500, 'failed calling webhook "frozen.example": connection refused', 'webhook frozen.example'],
    [403, 'User "operator" cannot create resource "clusterroles"', 'the API server'],
  ];
  for (const [status, message, by] of refusals) {
    it(`"${message}": ${by} refuses the probe`, async () => {
      assert.deepEqual(await answerTo(status, `${FORBIDDEN}\n${message}`), {
        hash: undefined,
        message: `${by} refuses the probe: ${WITHOUT_SUFFIX} ${message}`,
        isRefused: true,
      });
    });
  }

  for (const status of [409, 429, 500, 503]) {
    it(`an error ${status} of the API server is no refusal`, async () => {
      assert.deepEqual(await answerTo(status, 'try again'), { hash: undefined, message: 'try again' });
    });
  }
});
