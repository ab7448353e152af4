import { app, ephemeral, init, pod, secured, WINDOWS } from '../support/pods.ts';
import { describeRule } from './table.ts';

const PRIVILEGED = { privileged: true };
const BAD = 'must set securityContext.allowPrivilegeEscalation=true: unset means false here, which it cannot be';

describeRule('defaultAllowPrivilegeEscalation', [
  {
    level: 'privileged',
    overrides: { defaultAllowPrivilegeEscalation: false },
    admits: {
      'an unset field': pod(),
      false: app(secured({ allowPrivilegeEscalation: false })),
      true: app(secured({ allowPrivilegeEscalation: true })),
      'a privileged container that says true': app(secured({ ...PRIVILEGED, allowPrivilegeEscalation: true })),
      'a container that adds SYS_ADMIN': app(secured({ capabilities: { add: ['SYS_ADMIN'] } })),
      'a pod for Windows': pod(WINDOWS),
    },
    refuses: {
      'a privileged container that leaves it unset': [app(secured(PRIVILEGED)), `container "app" ${BAD}`],
      'a container that adds CAP_SYS_ADMIN and leaves it unset': [
        app(secured({ capabilities: { add: ['CAP_SYS_ADMIN'] } })),
        `container "app" ${BAD}`,
      ],
      'an init container': [init(secured(PRIVILEGED)), `container "init" ${BAD}`],
      'an ephemeral container': [ephemeral(secured(PRIVILEGED)), `container "debug" ${BAD}`],
    },
  },
  {
    level: 'privileged',
    minor: 24,
    overrides: { defaultAllowPrivilegeEscalation: false },
    admits: { 'an unset field': pod() },
    refuses: { 'a pod for Windows': [pod(WINDOWS), `container "app" ${BAD}`] },
  },
  {
    level: 'privileged',
    overrides: { defaultAllowPrivilegeEscalation: true },
    admits: { 'a privileged container that leaves it unset': app(secured(PRIVILEGED)) },
  },
  {
    level: 'restricted',
    overrides: { defaultAllowPrivilegeEscalation: false },
    admits: { 'containers that the rule allowPrivilegeEscalation refuses': app(secured(PRIVILEGED)) },
  },
]);
