/** Tests analysis/observe/names.ts. */
import assert from 'node:assert/strict';
import { type NamedPod, named, nameInConfig, nameInPath, PodNames } from '../../analysis/observe/names.ts';
import { ID, UID } from './trace-text.ts';

const PING = { namespace: 'net', pod: 'pinger-0', container: 'ping' };
const OTHER_ID = 'cd'.repeat(32);
const GROUP = { pod: UID, id: ID };
const TIMES = { from: '2026-11-26T10:00:00.000Z', to: '2026-11-26T11:00:00.000Z', started: true };

describe('the name of an observed container', () => {
  it('in its configuration by containerd', () => {
    const annotations = {
      'io.kubernetes.cri.container-type': 'container',
      'io.kubernetes.cri.container-name': 'ping',
      'io.kubernetes.cri.sandbox-name': 'pinger-0',
      'io.kubernetes.cri.sandbox-namespace': 'net',
    };
    assert.deepEqual(nameInConfig({ annotations }), PING);
    assert.equal(nameInConfig({ annotations: { 'io.kubernetes.cri.container-type': 'sandbox' } }), 'sandbox');
  });

  it('in its configuration by CRI-O', () => {
    const annotations = {
      'io.kubernetes.cri-o.ContainerType': 'container',
      'io.kubernetes.container.name': 'ping',
      'io.kubernetes.pod.name': 'pinger-0',
      'io.kubernetes.pod.namespace': 'net',
    };
    assert.deepEqual(nameInConfig({ annotations }), PING);
    assert.equal(nameInConfig({ annotations: { 'io.kubernetes.cri-o.ContainerType': 'sandbox' } }), 'sandbox');
  });

  it('none for a container of another tool', () => {
    assert.equal(nameInConfig({}), undefined);
  });

  it('in its path', () => {
    assert.deepEqual(nameInPath({ id: 'net/pinger-0/ping' }), PING);
    assert.equal(nameInPath(GROUP), undefined);
  });

  it('the status of a pod gives the name, owner and labels of the current container and of the container before a restart', () => {
    const names = new PodNames();
    names.add(pod({ containerID: `containerd://${ID}`, lastState: terminated(OTHER_ID) }));
    const found = { ...PING, workload: { kind: 'StatefulSet', name: 'pinger' }, podLabels: { app: 'ping' } };
    assert.deepEqual(names.nameOf(GROUP), found);
    assert.deepEqual(names.nameOf({ pod: UID, id: OTHER_ID }), found);
  });

  it('a container of a known pod is a sandbox if the status of the pod does not name the container', () => {
    const names = new PodNames();
    names.add(pod({ containerID: `containerd://${ID}` }));
    assert.equal(names.nameOf({ pod: UID, id: OTHER_ID }), 'sandbox');
    assert.equal(names.nameOf({ pod: 'another', id: OTHER_ID }), undefined);
  });

  it('a container of a static pod has a name, although the node knows the pod by a hash', () => {
    const names = new PodNames();
    const hash = '0123456789abcdef0123456789abcdef';
    const { metadata, status } = pod({ containerID: `containerd://${ID}` });
    names.add({
      metadata: { ...metadata, annotations: { 'kubernetes.io/config.hash': hash } },
      ...(status && { status }),
    });
    assert.equal(names.nameOf({ pod: hash, id: OTHER_ID }), 'sandbox');
  });
});

describe('evidence by name', () => {
  it('evidence by name leaves out sandboxes, and says which containers have no name', () => {
    const sandbox = { pod: UID, id: OTHER_ID };
    const lost = { pod: 'gone', id: 'ef'.repeat(32) };
    const watches = [GROUP, sandbox, lost].map((group) => ({ group, ...TIMES }));
    const use = { capability: 'NET_RAW', outcome: 'granted', count: 1 } as const;
    const uses = [GROUP, sandbox, lost].map((group) => ({ group, ...use }));
    const found = named({ uses, watches }, ({ id }) => (id === ID ? PING : id === OTHER_ID ? 'sandbox' : undefined));
    assert.deepEqual(found, {
      evidence: { uses: [{ ...PING, ...use }], watches: [{ ...PING, ...TIMES }] },
      unnamed: [lost],
    });
  });
});

function terminated(id: string) {
  return { terminated: { containerID: `containerd://${id}` } };
}

function pod(status: { containerID: string; lastState?: object }): NamedPod {
  return {
    metadata: {
      namespace: 'net',
      name: 'pinger-0',
      uid: UID,
      labels: { app: 'ping' },
      ownerReferences: [{ kind: 'StatefulSet', name: 'pinger', controller: true }],
    },
    status: { containerStatuses: [{ name: 'ping', ...status }] },
  };
}
