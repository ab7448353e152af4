import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ContainerHoldings, holdings } from '../../analysis/capabilities/held.ts';
import { isExecutable } from '../../analysis/capabilities/held-by-process.ts';
import { granted } from '../../analysis/capabilities/held-by-runtime.ts';
import { CONTAINER_RUNTIMES, CONTAINERD, CRIO, DOCKER } from '../../analysis/capabilities/runtimes.ts';
import type { Container } from '../../operator/model/objects.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { maskOf } from '../support/capability-masks.ts';
import { MEASURED } from '../support/measured-sets.ts';

/** The file of measurements. The file is outside the checkout, and only some machines have the file. */
const FACTS = join(import.meta.dirname, '..', '..', '..', 'shared', 'data', 'runtime-capability-sets.json');

describe('the capabilities of a container, as measured', () => {
  for (const { add, drop, sets } of MEASURED) {
    for (const runtime of CONTAINER_RUNTIMES) {
      it(`add [${add}], drop [${drop}] on ${runtime.name}`, () => {
        const grant = granted(runtime, { add, drop, privileged: false });
        assert.equal('error' in grant ? grant.error : maskOf(grant.capabilities), sets[runtime.name]);
      });
    }
  }

  if (existsSync(FACTS)) {
    it('has every measured row', () => {
      const { cases } = JSON.parse(readFileSync(FACTS, 'utf8')) as { cases: FactRow[] };
      const value = ({ mask, error }: FactCell) => error ?? BigInt(mask ?? 0);
      assert.deepEqual(
        MEASURED,
        cases.map(({ add, drop, containerd, crio, docker }) => ({
          add,
          drop,
          sets: { containerd: value(containerd), 'CRI-O': value(crio), Docker: value(docker) },
        })),
      );
      for (const { add, drop, containerd } of cases) {
        const grant = granted(CONTAINERD, { add, drop, privileged: false });
        assert.deepEqual('ignored' in grant && grant.ignored, containerd.ignored ?? [], String(add));
      }
    });
  }
});

describe('the capabilities that a runtime grants', () => {
  const none = { add: [], drop: [], privileged: false };

  it('a runtime grants all capabilities to a privileged container', () => {
    for (const runtime of CONTAINER_RUNTIMES) {
      const grant = granted(runtime, { ...none, drop: ['ALL'], privileged: true });
      assert.deepEqual('capabilities' in grant && grant.capabilities, CAPABILITIES);
    }
  });

  it('Docker refuses an unknown capability, even for a privileged container', () => {
    const request = { ...none, add: ['LOREM'], privileged: true };
    assert.deepEqual(granted(DOCKER, request), { error: 'unknown capability: CAP_LOREM' });
    assert.ok('capabilities' in granted(CRIO, request));
  });

  it('come with the steps of the calculation', () => {
    const grant = granted(CONTAINERD, { ...none, add: ['NET_RAW', 'CAP_SYS_TIME', 'chown'], drop: ['ALL', 'chown'] });
    assert.deepEqual('because' in grant && grant.because, [
      'starts without capabilities, since ALL is dropped',
      'adds NET_RAW',
      'CHOWN is added and dropped, and this runtime drops it',
      'reads the added CAP_SYS_TIME as CAP_CAP_SYS_TIME, which is not a capability',
    ]);
  });

  it("keeps CRI-O's spelling in its errors", () => {
    assert.deepEqual(granted(CRIO, { ...none, add: ['cap_lorem'] }), {
      error: 'unknown capability "cap_lorem" to add',
    });
    assert.deepEqual(granted(CRIO, { ...none, drop: ['cap_lorem'] }), {
      error: 'failed to drop cap cap_lorem invalid capability: CAP_LOREM',
    });
  });
});

describe('the capabilities of its processes', () => {
  const RAW = ['NET_RAW'];
  const adding = only({ securityContext: { capabilities: { add: RAW, drop: ['ALL'] } } });
  const [rootFree, rootBound, userFree, userBound] = adding.runtimes[0]?.holdings ?? [];

  it('are the whole bounding set as root', () => {
    for (const holding of [rootFree, rootBound]) {
      assert.deepEqual([holding?.bounding, holding?.permitted, holding?.effective], [RAW, RAW, RAW]);
    }
  });

  it('processes of a user other than root hold capabilities only in the bounding set', () => {
    for (const holding of [userFree, userBound]) {
      assert.deepEqual([holding?.bounding, holding?.permitted, holding?.effective], [RAW, [], []]);
    }
  });

  it('the entrypoint gets file capabilities, and the processes below the entrypoint also get them if no-new-privileges is not set', () => {
    assert.deepEqual(userFree?.fileCapabilities, { entrypoint: RAW, below: RAW });
    assert.deepEqual(userBound?.fileCapabilities, { entrypoint: RAW, below: [] });
  });

  it('a program whose file has the effective bit needs all file capabilities in the bounding set', () => {
    const both = ['NET_RAW', 'SYS_ADMIN'];
    assert.equal(isExecutable(RAW, { permitted: both, effective: true }), false);
    assert.equal(isExecutable(RAW, { permitted: both, effective: false }), true);
    assert.equal(isExecutable(both, { permitted: both, effective: true }), true);
  });
});

describe('the user of a container', () => {
  const user = (own: object, ofPod: object = {}) => {
    const { uid, nonRoot, noNewPrivileges } = only({ securityContext: own }, { securityContext: ofPod });
    return { uid, nonRoot, noNewPrivileges };
  };
  const unsaid = { uid: undefined, nonRoot: false, noNewPrivileges: false };

  it('the user of a container comes from the image if no field sets a user', () => assert.deepEqual(user({}), unsaid));
  it("is the container's own user", () => {
    assert.deepEqual(user({ runAsUser: 7 }, { runAsUser: 0 }), { ...unsaid, uid: 7, nonRoot: true });
  });
  it("is otherwise the pod's", () => assert.deepEqual(user({}, { runAsUser: 0 }), { ...unsaid, uid: 0 }));
  it('is never root with runAsNonRoot', () => {
    assert.deepEqual(user({}, { runAsNonRoot: true }), { ...unsaid, nonRoot: true });
    assert.deepEqual(user({ runAsNonRoot: false }, { runAsNonRoot: true }), unsaid);
  });
  it('gains no privileges with allowPrivilegeEscalation: false', () => {
    assert.deepEqual(user({ allowPrivilegeEscalation: false }), { ...unsaid, noNewPrivileges: true });
  });
  it('is irrelevant on Windows', () => {
    assert.deepEqual(holdings({ containers: [{ name: 'app' }], os: { name: 'windows' } }), []);
  });
});

function only(container: Omit<Container, 'name'>, spec: object = {}): ContainerHoldings {
  const [held] = holdings({ ...spec, containers: [{ name: 'app', ...container }] });
  return held ?? assert.fail();
}

interface FactCell {
  readonly mask?: string;
  readonly error?: string;
  readonly ignored?: readonly string[];
}

interface FactRow extends Readonly<Record<'containerd' | 'crio' | 'docker', FactCell>> {
  readonly add: readonly string[];
  readonly drop: readonly string[];
}
