import assert from 'node:assert/strict';
import { procMount } from '../../operator/rules/proc-mount.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { app, ephemeral, init, OWN_USERS, pod, secured } from '../support/pods.ts';
import { describeRule, type Table } from './table.ts';

const DEFAULT = secured({ procMount: 'Default' });
const UNMASKED = secured({ procMount: 'Unmasked' });
const MESSAGE = 'must not have securityContext.procMount Unmasked';

const admits = {
  'an unset field': pod(),
  Default: app(DEFAULT),
  'Default in a user namespace': app(DEFAULT, OWN_USERS),
};
const refused = (allowed: string): Table['refuses'] => ({
  Unmasked: [app(UNMASKED), `container "app" ${MESSAGE} (allowed: ${allowed})`],
  'Unmasked with hostUsers: true': [
    app(UNMASKED, { hostUsers: true }),
    `container "app" ${MESSAGE} (allowed: ${allowed})`,
  ],
  'Unmasked on an init container': [init(UNMASKED), `container "init" ${MESSAGE} (allowed: ${allowed})`],
  'Unmasked on an ephemeral container': [ephemeral(UNMASKED), `container "debug" ${MESSAGE} (allowed: ${allowed})`],
});
const everywhere: Table['refuses'] = {
  ...refused('Default'),
  'Unmasked in a user namespace': [app(UNMASKED, OWN_USERS), `container "app" ${MESSAGE} (allowed: Default)`],
};
const inUserNamespace = { ...admits, 'Unmasked in a user namespace': app(UNMASKED, OWN_USERS) };

describeRule('procMount', [
  { level: 'privileged', admits: { Unmasked: app(UNMASKED) } },
  { level: 'baseline', minor: 0, admits, refuses: everywhere },
  { level: 'restricted', minor: 0, admits, refuses: everywhere },
  {
    level: 'baseline',
    minor: 35,
    admits: inUserNamespace,
    refuses: refused('Default, Unmasked with hostUsers: false'),
  },
  { level: 'restricted', minor: 35, admits, refuses: everywhere },
  {
    level: 'restricted',
    overrides: { procMount: { types: ['Default', 'Unmasked'] } },
    admits: inUserNamespace,
    refuses: refused('Default, Unmasked with hostUsers: false'),
  },
  {
    level: 'restricted',
    minor: 34,
    overrides: { procMount: { types: ['Default', 'Unmasked'] } },
    admits: { Unmasked: app(UNMASKED) },
  },
  { level: 'privileged', overrides: { procMount: { types: ['Default'] } }, admits, refuses: everywhere },
  {
    level: 'privileged',
    minor: 24,
    overrides: { procMount: { types: ['Unmasked'] } },
    admits: { Unmasked: app(UNMASKED) },
    refuses: {
      Default: [app(DEFAULT), 'container "app" must not have securityContext.procMount Default (allowed: Unmasked)'],
      'an unset field': [pod(), 'container "app" must not have securityContext.procMount Default (allowed: Unmasked)'],
    },
  },
]);

describe('rule procMount amounts to Pod Security level', () => {
  for (const [types, minor, label, level] of [
    [['Default'], 36, 36, 'restricted'],
    [['Default', 'Unmasked'], 36, 36, 'baseline'],
    [['Default', 'Unmasked'], 36, 34, 'privileged'],
    // At v1.34, an override with Unmasked would also admit pods without a user namespace. The API server refuses a pod
    // with Unmasked and without a user namespace.
    [['Default', 'Unmasked'], 34, 36, 'baseline'],
  ] as const) {
    it(`${level} of v1.${label} with ${types.join(' and ')} at v1.${minor}`, () => {
      const standard = { level: 'restricted', minor, server: NEWEST_KNOWN_MINOR } as const;
      const value = procMount.value({ procMount: { types: [...types] } }, standard);
      assert.equal(procMount.podSecurity(value, standard, label), level);
    });
  }
});
