import { app, ephemeral, init, LINUX, pod, secured, WINDOWS } from '../support/pods.ts';
import { describeRule, type Table } from './table.ts';

const FALSE = secured({ allowPrivilegeEscalation: false });
const TRUE = secured({ allowPrivilegeEscalation: true });
const MESSAGE = 'must set securityContext.allowPrivilegeEscalation=false';

const admits = { 'false on every container': init(FALSE, FALSE) };
const refuses: Table['refuses'] = {
  true: [app(TRUE), `container "app" ${MESSAGE}`],
  'an unset field': [pod(), `container "app" ${MESSAGE}`],
  'an unset field on a pod for Linux': [pod(LINUX), `container "app" ${MESSAGE}`],
  'an init container that leaves it unset': [init({}, FALSE), `container "init" ${MESSAGE}`],
  'an ephemeral container that leaves it unset': [ephemeral({}, FALSE), `container "debug" ${MESSAGE}`],
};

describeRule('allowPrivilegeEscalation', [
  { level: 'baseline', admits: { true: app(TRUE), 'an unset field': pod() } },
  { level: 'restricted', minor: 7, admits: { true: app(TRUE), 'an unset field': pod() } },
  {
    level: 'restricted',
    minor: 8,
    admits,
    refuses: { ...refuses, 'a pod for Windows': [pod(WINDOWS), `container "app" ${MESSAGE}`] },
  },
  { level: 'restricted', minor: 25, admits: { ...admits, 'a pod for Windows': pod(WINDOWS) }, refuses },
  { level: 'baseline', overrides: { allowPrivilegeEscalation: false }, admits, refuses },
  { level: 'restricted', overrides: { allowPrivilegeEscalation: true }, admits: { true: app(TRUE) } },
]);
