import { takesFromPod } from './cel.ts';
import { forbiddenField } from './forbidden-field.ts';

const VIOLATES = '?securityContext.?windowsOptions.?hostProcess.orValue(false)';
const PATH = 'securityContext.windowsOptions.hostProcess';
const MESSAGE = `"must not set ${PATH}=true"`;

export const hostProcess = forbiddenField({
  id: 'hostProcess',
  title: 'Whether Windows containers may be HostProcess containers, which run on the node itself.',
  words: 'Pod and containers must not set securityContext.windowsOptions.hostProcess to true.',
  sources: ['k8s.io/pod-security-admission/policy/check_windowsHostProcess.go'],
  guides: { cis: ['5.2.10'], nsa: [] },
  severity: 'Node',
  may: 'be a Windows HostProcess',
  reads: { spec: ['securityContext'], container: ['securityContext'] },
  example: { spec: { securityContext: { windowsOptions: { hostProcess: true } } } },
  unfixable:
    'a HostProcess container runs on the node itself, and no field of the pod can replace this; write an exception for the pod (cappol suggest)',
  checks: [
    {
      over: 'pod',
      violates: `variables.spec.${VIOLATES}`,
      // A container can override each field of the pod's windowsOptions separately.
      reaches: takesFromPod('windowsOptions.?hostProcess'),
      message: MESSAGE,
      path: PATH,
    },
    { over: 'containers', violates: `c.${VIOLATES}`, message: MESSAGE, path: PATH },
  ],
});
