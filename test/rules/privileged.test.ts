import { app, ephemeral, init, pod, secured } from '../support/pods.ts';
import { describeRule } from './table.ts';

const PRIVILEGED = secured({ privileged: true });
const MESSAGE = 'must not set securityContext.privileged=true';

describeRule('privileged', [
  { level: 'privileged', admits: { 'a privileged container': app(PRIVILEGED) } },
  ...(['baseline', 'restricted'] as const).map((level) => ({
    level,
    minor: 0,
    admits: { 'an unset field': pod(), false: app(secured({ privileged: false })) },
    refuses: {
      'a privileged container': [app(PRIVILEGED), `container "app" ${MESSAGE}`] as const,
      'a privileged init container': [init(PRIVILEGED), `container "init" ${MESSAGE}`] as const,
      'a privileged ephemeral container': [ephemeral(PRIVILEGED), `container "debug" ${MESSAGE}`] as const,
    },
  })),
  {
    level: 'privileged',
    overrides: { privileged: false },
    admits: { 'an unset field': pod() },
    refuses: { 'a privileged container': [app(PRIVILEGED), `container "app" ${MESSAGE}`] },
  },
  { level: 'restricted', overrides: { privileged: true }, admits: { 'a privileged container': app(PRIVILEGED) } },
]);
