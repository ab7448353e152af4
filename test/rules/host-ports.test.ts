import { app, ephemeral, init, pod } from '../support/pods.ts';
import { describeRule, type Table } from './table.ts';

const on = (...ports: object[]) => ({ ports });
const port = (hostPort: number) => ({ containerPort: 80, hostPort });

const admits = {
  'no ports': pod(),
  'a containerPort alone': app(on({ containerPort: 80 })),
  'hostPort 0': app(on(port(0))),
};
const refuses: Table['refuses'] = {
  'a hostPort': [app(on(port(80))), 'container "app" must not use hostPort 80 (allowed: none)'],
  'the second of two ports': [
    app(on({ containerPort: 80 }, port(8080))),
    'container "app" must not use hostPort 8080 (allowed: none)',
  ],
  'two hostPorts': [app(on(port(80), port(8080))), 'container "app" must not use hostPort 80, 8080 (allowed: none)'],
  'a hostPort of an init container': [init(on(port(80))), 'container "init" must not use hostPort 80 (allowed: none)'],
  'a hostPort of an ephemeral container': [
    ephemeral(on(port(80))),
    'container "debug" must not use hostPort 80 (allowed: none)',
  ],
  'a containerPort with hostNetwork, which becomes the hostPort': [
    app(on({ containerPort: 80 }), { hostNetwork: true }),
    'container "app" must not use hostPort 80 (allowed: none)',
  ],
};

describeRule('hostPorts', [
  { level: 'privileged', admits: { 'a hostPort': app(on(port(80))) } },
  { level: 'baseline', minor: 0, admits, refuses },
  { level: 'restricted', minor: 0, admits, refuses },
  {
    level: 'restricted',
    overrides: {
      hostPorts: [
        { min: 8000, max: 8080 },
        { min: 53, max: 53 },
      ],
    },
    admits: {
      ...admits,
      'the first of a range': app(on(port(8000))),
      'the last of a range': app(on(port(8080))),
      'a range of one': app(on(port(53))),
      'a containerPort in a range with hostNetwork': app(on({ containerPort: 8001 }), { hostNetwork: true }),
    },
    refuses: {
      'below a range': [app(on(port(7999))), 'container "app" must not use hostPort 7999 (allowed: 8000-8080, 53)'],
      'above a range': [app(on(port(8081))), 'container "app" must not use hostPort 8081 (allowed: 8000-8080, 53)'],
      'one of two': [
        app(on(port(8000), port(80))),
        'container "app" must not use hostPort 80 (allowed: 8000-8080, 53)',
      ],
    },
  },
  { level: 'baseline', overrides: { hostPorts: [{ min: 1, max: 65535 }] }, admits: { any: app(on(port(65535))) } },
]);
