import { app, ephemeral, init, pod, secured, WINDOWS } from '../support/pods.ts';
import { describeRule, type Table } from './table.ts';

const group = (runAsGroup: number) => secured({ runAsGroup });
const onPod = (runAsGroup: number) => ({ securityContext: { runAsGroup } });
const ranges = [
  { min: 100, max: 199 },
  { min: 1000, max: 1000 },
];
const ALLOWED = '(allowed: 100-199, 1000)';
const bad = (id: number) => `must not run as group ${id} ${ALLOWED}`;
const UNSET = `must set securityContext.runAsGroup on it or on the pod ${ALLOWED}`;

const admits = {
  'the first of a range': app(group(100)),
  'the last of a range': app(group(199)),
  'the only one of a range': pod(onPod(1000)),
  'a bad one on the pod that each container overrides': app(group(150), onPod(0)),
  'a pod for Windows, which cannot set it': pod(WINDOWS),
};
const refuses: Table['refuses'] = {
  'one below': [app(group(99)), `container "app" ${bad(99)}`],
  'one above': [app(group(200)), `container "app" ${bad(200)}`],
  'the root group on the pod': [pod(onPod(0)), `container "app" ${bad(0)}`],
  'a good one on the pod that a container overrides': [app(group(0), onPod(100)), `container "app" ${bad(0)}`],
  'an init container': [init(group(0), group(100)), `container "init" ${bad(0)}`],
  'an ephemeral container': [ephemeral(group(0), group(100)), `container "debug" ${bad(0)}`],
};

describeRule('runAsGroup', [
  { level: 'restricted', admits: { 'the root group': app(group(0)), 'an unset field': pod() } },
  {
    level: 'restricted',
    overrides: { runAsGroup: { rule: 'RunAsAny' } },
    admits: { any: app(group(0)), unset: pod() },
  },
  {
    level: 'baseline',
    overrides: { runAsGroup: { rule: 'MustRunAs', ranges } },
    admits,
    refuses: {
      ...refuses,
      'an unset field': [pod(), `container "app" ${UNSET}`],
      'an init container that leaves it unset': [init({}, group(100)), `container "init" ${UNSET}`],
    },
  },
  {
    level: 'baseline',
    overrides: { runAsGroup: { rule: 'MayRunAs', ranges } },
    admits: { ...admits, 'an unset field': pod() },
    refuses,
  },
]);
