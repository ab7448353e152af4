import assert from 'node:assert/strict';
import { askProtection } from '../../operator/apply/protection-probe.ts';
import { type ApiClient, ApiError } from '../../operator/cluster/client.ts';

const USER = 'system:serviceaccount:capabilitypolicy-system:capabilitypolicy-operator';

/**
 * Makes a fake API server that answers every dry run with the given message. Without a message, the dry run succeeds.
 */
let addresses = 0;

function server(message: string | undefined): ApiClient {
  const create = async (path: string, _object: unknown, options: { readonly dryRun?: boolean }) => {
    assert.equal(path, '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings');
    assert.deepEqual(options, { dryRun: true });
    if (message !== undefined) throw new ApiError({ status: 422, reason: 'Invalid', message, causes: [] });
    return {};
  };
  return { create, server: `https://10.0.0.${++addresses}` } as unknown as ApiClient;
}

const ANSWER = `denied request: CapabilityPolicy protection in force: ${USER}`;
const protecting = server(`${ANSWER} may write what it protects`);
const alsoProtecting = server(`${ANSWER} may write what it protects`);
const forAnother = server(`${ANSWER} may not write the protected objects`);
const open = server(undefined);
const forbidden = server('validatingadmissionpolicybindings is forbidden: User cannot create');

describe('the question whether API servers protect', () => {
  for (const [title, servers, state, counts] of [
    ['every API server does', [protecting, alsoProtecting], 'Protected', [2, 2]],
    ['one of two does not', [protecting, open], 'Unprotected', [1, 2]],
    ['one does not, and one does not answer', [forbidden, open], 'Unprotected', [0, 2]],
    ['one of two protects another operator', [protecting, forAnother], 'OtherOperator', [2, 2]],
    ['RBAC refuses the question', [protecting, forbidden], 'Unknown', [1, 2]],
    ['none does, asked over several connections to one address', [open, open], 'Unprotected', [0, 1]],
    ['no API server answers', [], 'Unknown', [0, 0]],
  ] as const) {
    it(`is answered by ${state} if ${title}`, async () => {
      const outcome = await askProtection(servers);
      assert.equal(outcome.state, state);
      assert.deepEqual([outcome.servers.protecting, outcome.servers.answering], counts);
      assert.equal(outcome.message !== '', state === 'Unknown');
    });
  }
});
