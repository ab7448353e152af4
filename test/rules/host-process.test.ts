import { app, ephemeral, init, pod, secured, WINDOWS } from '../support/pods.ts';
import { describeRule, type Table } from './table.ts';

const HOST_PROCESS = { windowsOptions: { hostProcess: true } };
const MESSAGE = 'must not set securityContext.windowsOptions.hostProcess=true';

const admits = {
  'an unset field': pod(WINDOWS),
  'other Windows options': app(secured({ windowsOptions: { runAsUserName: 'ContainerUser' } }), WINDOWS),
  false: pod({ ...WINDOWS, securityContext: { windowsOptions: { hostProcess: false } } }),
};
const refuses: Table['refuses'] = {
  'true on the pod': [pod({ ...WINDOWS, securityContext: HOST_PROCESS }), `pod ${MESSAGE}`],
  'true on a container': [app(secured(HOST_PROCESS), WINDOWS), `container "app" ${MESSAGE}`],
  'true on an init container': [init(secured(HOST_PROCESS)), `container "init" ${MESSAGE}`],
  'true on an ephemeral container': [ephemeral(secured(HOST_PROCESS)), `container "debug" ${MESSAGE}`],
  'true on pod and container': [
    app(secured(HOST_PROCESS), { ...WINDOWS, securityContext: HOST_PROCESS }),
    `pod ${MESSAGE}`,
    `container "app" ${MESSAGE}`,
  ],
};

describeRule('hostProcess', [
  { level: 'privileged', admits: { true: pod({ ...WINDOWS, securityContext: HOST_PROCESS }) } },
  { level: 'baseline', minor: 0, admits, refuses },
  { level: 'restricted', minor: 0, admits, refuses },
  { level: 'privileged', overrides: { hostProcess: false }, admits, refuses },
  { level: 'baseline', overrides: { hostProcess: true }, admits: { true: app(secured(HOST_PROCESS), WINDOWS) } },
]);
