import { app, ephemeral, LINUX, OWN_USERS, pod, WINDOWS } from '../support/pods.ts';
import { describeRule } from './table.ts';

const withAdded = (spec: object) => pod({ ...spec, ephemeralContainers: [{ name: 'debug' }] });
const REFUSED = 'pod must set hostUsers=false';

describeRule('userNamespaces', [
  { level: 'restricted', admits: { 'an unset field': pod(), true: pod({ hostUsers: true }), false: pod(OWN_USERS) } },
  { level: 'restricted', overrides: { userNamespaces: 'Optional' }, admits: { 'an unset field': pod() } },
  {
    level: 'privileged',
    overrides: { userNamespaces: 'Required' },
    admits: {
      false: pod(OWN_USERS),
      'false for Linux': pod({ ...OWN_USERS, ...LINUX }),
      'a pod for Windows, which cannot set it': pod(WINDOWS),
      'an ephemeral container in a user namespace': withAdded(OWN_USERS),
    },
    refuses: {
      'an unset field': [pod(), REFUSED],
      'an unset field for Linux': [pod(LINUX), REFUSED],
      true: [pod({ hostUsers: true }), REFUSED],
      'a pod that gets an ephemeral container': [ephemeral({}), REFUSED],
      "the node's network, with which it cannot be false": [pod({ hostNetwork: true }), REFUSED],
      "the node's processes": [pod({ hostPID: true }), REFUSED],
      "the node's IPC": [pod({ hostIPC: true }), REFUSED],
      'a raw block volume': [app({ volumeDevices: [{ name: 'raw', devicePath: '/dev/raw' }] }), REFUSED],
    },
  },
]);
