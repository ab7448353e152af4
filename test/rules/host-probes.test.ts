import { app, ephemeral, init, pod } from '../support/pods.ts';
import { describeRule, type Table } from './table.ts';

const MESSAGE = 'must not set host in probes or lifecycle handlers';
const ELSEWHERE = { port: 80, host: '192.0.2.1' };

const everywhere = {
  livenessProbe: { httpGet: ELSEWHERE },
  readinessProbe: { tcpSocket: ELSEWHERE },
  startupProbe: { httpGet: ELSEWHERE },
  lifecycle: { postStart: { httpGet: ELSEWHERE }, preStop: { tcpSocket: ELSEWHERE } },
};
const admits = {
  'no probes': pod(),
  'probes without host': app({ livenessProbe: { httpGet: { port: 80 } }, readinessProbe: { tcpSocket: { port: 80 } } }),
  'an empty host': app({ livenessProbe: { httpGet: { port: 80, host: '' } } }),
  'probes and handlers of other kinds': app({
    livenessProbe: { exec: { command: ['true'] } },
    readinessProbe: { grpc: { port: 80 } },
    lifecycle: { preStop: { sleep: { seconds: 1 } } },
  }),
};
const container = [`container "app" ${MESSAGE}`] as const;
const refuses: Table['refuses'] = {
  'httpGet.host of livenessProbe': [app({ livenessProbe: { httpGet: ELSEWHERE } }), ...container],
  'tcpSocket.host of livenessProbe': [app({ livenessProbe: { tcpSocket: ELSEWHERE } }), ...container],
  'httpGet.host of readinessProbe': [app({ readinessProbe: { httpGet: ELSEWHERE } }), ...container],
  'tcpSocket.host of readinessProbe': [app({ readinessProbe: { tcpSocket: ELSEWHERE } }), ...container],
  'httpGet.host of startupProbe': [app({ startupProbe: { httpGet: ELSEWHERE } }), ...container],
  'tcpSocket.host of startupProbe': [app({ startupProbe: { tcpSocket: ELSEWHERE } }), ...container],
  'httpGet.host of postStart': [app({ lifecycle: { postStart: { httpGet: ELSEWHERE } } }), ...container],
  'tcpSocket.host of postStart': [app({ lifecycle: { postStart: { tcpSocket: ELSEWHERE } } }), ...container],
  'httpGet.host of preStop': [app({ lifecycle: { preStop: { httpGet: ELSEWHERE } } }), ...container],
  'tcpSocket.host of preStop': [app({ lifecycle: { preStop: { tcpSocket: ELSEWHERE } } }), ...container],
  'all of them, once': [app(everywhere), ...container],
  'a probe of a sidecar': [init({ restartPolicy: 'Always', ...everywhere }), `container "init" ${MESSAGE}`],
  'a probe of an ephemeral container': [ephemeral(everywhere), `container "debug" ${MESSAGE}`],
};

describeRule('hostProbes', [
  { level: 'privileged', admits: { 'any host': app(everywhere) } },
  { level: 'baseline', minor: 33, admits: { ...admits, 'any host': app(everywhere) } },
  { level: 'baseline', minor: 34, admits, refuses },
  { level: 'restricted', minor: 33, admits: { ...admits, 'any host': app(everywhere) } },
  { level: 'restricted', minor: 34, admits, refuses },
  { level: 'baseline', minor: 33, overrides: { hostProbes: false }, admits, refuses },
  { level: 'restricted', overrides: { hostProbes: true }, admits: { 'any host': app(everywhere) } },
]);
