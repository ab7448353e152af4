/** Tests analysis/observe/cgroup-path.ts. */
import assert from 'node:assert/strict';
import { containerIn, containerOfProcess } from '../../analysis/observe/cgroup-path.ts';
import { ID, PATH, UID } from './trace-text.ts';

const SYSTEMD_UID = UID.replaceAll('-', '_');
const SLICES = '/kubepods.slice/kubepods-burstable.slice';
const OTHER_ID = 'cd'.repeat(32);
const OWN = { pod: UID, id: ID };

describe('a container by its control group', () => {
  const found: Readonly<Record<string, string>> = {
    'cgroupfs, best effort': PATH,
    'cgroupfs, guaranteed': `/kubepods/pod${UID}/${ID}`,
    'cgroupfs below a root of its own': `/capabilitypolicy-node-x/kubepods/burstable/pod${UID}/${ID}`,
    'systemd, containerd': `${SLICES}/kubepods-burstable-pod${SYSTEMD_UID}.slice/cri-containerd-${ID}.scope`,
    'systemd, CRI-O': `${SLICES}/kubepods-burstable-pod${SYSTEMD_UID}.slice/crio-${ID}.scope`,
    'systemd, guaranteed': `/kubepods.slice/kubepods-pod${SYSTEMD_UID}.slice/cri-containerd-${ID}.scope`,
    'kubelet in a container': `/system.slice/docker-${OTHER_ID}.scope/kubelet/kubepods/besteffort/pod${UID}/${ID}`,
    'a group below its own': `${PATH}/init.scope`,
    'a container that it runs itself': `${PATH}/docker/${OTHER_ID}`,
  };
  for (const [title, path] of Object.entries(found)) {
    it(title, () => assert.deepEqual(containerIn(path), OWN));
  }

  it('finds the container of a static pod, although the UID of the pod is a hash', () => {
    const pod = '0123456789abcdef0123456789abcdef';
    assert.deepEqual(containerIn(`/kubepods/burstable/pod${pod}/${ID}`), { pod, id: ID });
  });

  it('finds no container in the cgroup path of a pod, of a host process, or of a Docker container', () => {
    for (const path of [`/kubepods/besteffort/pod${UID}`, '/', '/system.slice/sshd.service', `/docker/${ID}`]) {
      assert.equal(containerIn(path), undefined);
    }
  });

  it('without kubelet: NAMESPACE/POD/CONTAINER below the observed group', () => {
    const id = 'net/pinger-0/ping';
    assert.deepEqual(containerIn(`/tests/${id}`, '/tests'), { id });
    assert.deepEqual(containerIn(`/tests/${id}/child`, '/tests'), { id });
    assert.equal(containerIn('/tests/net/pinger-0', '/tests'), undefined);
    assert.equal(containerIn(`/other/${id}`, '/tests'), undefined);
  });

  it('finds the container of a process in any hierarchy of cgroup v1, and in cgroup v2', () => {
    assert.deepEqual(containerOfProcess(`9:name=systemd:/\n4:memory:${PATH}\n0::/\n`), OWN);
    assert.deepEqual(containerOfProcess(`0::${PATH}\n`), OWN);
    assert.equal(containerOfProcess('0::/user.slice\n'), undefined);
  });
});
