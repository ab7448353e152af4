import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CapabilityPolicyOverrides, NamedContainers } from '../../operator/api/capability-policy.ts';
import schema from '../../operator/api/generated/schema.json' with { type: 'json' };
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Container } from '../../operator/model/objects.ts';
import { RULES } from '../../operator/rules/index.ts';
import { pod } from '../support/pods.ts';
import { resolved, resolvedBaseline } from '../support/policies.ts';
import { arbitraryContainers, arbitraryOverrides } from '../support/random-policies.ts';

const evaluator = new Evaluator();
const NET_ADMIN = { capabilities: { allowedAdd: ['NET_ADMIN'] } };

/** The names of the containers that must not add NET_ADMIN. */
function refused(entry: NamedContainers, ...containers: readonly Container[]): string[] {
  const policy = resolvedBaseline('mesh', { containers: [entry] });
  const adding = containers.map((one) => ({ ...one, securityContext: { capabilities: { add: ['NET_ADMIN'] } } }));
  return evaluator.violations(pod({ containers: adding }), policy).flatMap(({ container }) => container ?? []);
}

describe('spec.containers', () => {
  describe('selects containers', () => {
    const cases: readonly [
      title: string,
      entry: Omit<NamedContainers, 'overrides'>,
      container: Container,
      yes: boolean,
    ][] = [
      ['by name', { names: ['a', 'b'] }, { name: 'b' }, true],
      ['not by the beginning of a name', { names: ['a'] }, { name: 'ab' }, false],
      ['by name and image', { names: ['a'], images: ['x:1'] }, { name: 'a', image: 'x:1' }, true],
      ['not by name alone', { names: ['a'], images: ['x:1'] }, { name: 'a', image: 'x:2' }, false],
      ['not by image alone', { names: ['a'], images: ['x:1'] }, { name: 'b', image: 'x:1' }, false],
      ['not without an image', { names: ['a'], images: ['x:1'] }, { name: 'a' }, false],
      ['by any tag', { names: ['a'], images: ['h/x:*'] }, { name: 'a', image: 'h/x:1' }, true],
      [
        'not by an image that only begins alike',
        { names: ['a'], images: ['h/x:*'] },
        { name: 'a', image: 'h/xy:1' },
        false,
      ],
      [
        'not by another spelling of an image',
        { names: ['a'], images: ['h/x'] },
        { name: 'a', image: 'h/x:latest' },
        false,
      ],
    ];
    for (const [title, entry, container, yes] of cases) {
      it(title, () =>
        assert.deepEqual(refused({ ...entry, overrides: NET_ADMIN }, container), yes ? [] : [container.name]),
      );
    }

    it('of every kind', () => {
      const policy = resolved('mesh', {
        level: 'baseline',
        containers: [{ names: ['app', 'init', 'debug'], overrides: NET_ADMIN }],
      });
      const adding = (name: string) => ({ name, securityContext: { capabilities: { add: ['NET_ADMIN'] } } });
      const all = pod({
        containers: [adding('app')],
        initContainers: [adding('init'), adding('other')],
        ephemeralContainers: [adding('debug')],
      });
      assert.deepEqual(
        evaluator.violations(all, policy).map(({ container }) => container),
        ['other'],
      );
    });
  });

  it('says in a message which entry refuses', () => {
    const policy = resolvedBaseline('mesh', {
      containers: [
        { names: ['other'], overrides: { hostProbes: true } },
        { names: ['app'], overrides: NET_ADMIN },
      ],
    });
    const asking = pod({ containers: [{ name: 'app', securityContext: { capabilities: { add: ['SYS_TIME'] } } }] });
    assert.deepEqual(
      evaluator.violations(asking, policy).map(({ message }) => message),
      ['container "app" must not add capability SYS_TIME (allowed: NET_ADMIN), by spec.containers[1]'],
    );
  });

  describe('replaces single values', () => {
    it('of spec.overrides, and leaves the others', () => {
      const policy = resolved('mesh', {
        overrides: { capabilities: { allowedAdd: ['KILL'], requiredDrop: ['MKNOD'] } },
        containers: [{ names: ['app'], overrides: NET_ADMIN }],
      });
      assert.deepEqual(policy.containers[0]?.values, {
        capabilities: { allowedAdd: ['NET_ADMIN'], requiredDrop: ['MKNOD'], defaultAdd: [] },
        'capabilities.allowedBounding': {
          allowed: ['*'],
          inUserNamespace: [],
          filling: { allowedAdd: ['NET_ADMIN'], requiredDrop: ['MKNOD'], defaultAdd: [] },
        },
      });
    });

    it('a container has the same values as under a policy with the combined overrides and no containers', () => {
      fc.assert(
        fc.property(arbitraryOverrides, arbitraryContainers(['a'], ['b']), (overrides, containers) => {
          const policy = resolved('mesh', { overrides, containers });
          containers.forEach((entry, index) => {
            const alone = resolved('alone', { overrides: together(overrides, entry.overrides ?? {}) });
            const values = { ...policy.values, ...policy.containers[index]?.values };
            for (const { id } of RULES.filter(({ ofContainer }) => ofContainer)) {
              // The objects are cloned, because the generator makes objects with different prototypes.
              assert.deepEqual(structuredClone([values[id]]), structuredClone([alone.values[id]]), id);
            }
          });
        }),
        { numRuns: 300 },
      );
    });
  });

  it('spec.containers accepts overrides of rules that apply to one container, and refuses all other overrides', () => {
    const { containers, overrides } = schema.properties.spec.properties;
    const own = containers.items.properties.overrides;
    assert.deepEqual(Object.keys(own.properties).sort(), Object.keys(overrides.properties).sort());
    const allowed = RULES.filter(({ ofContainer }) => ofContainer).map(({ id }) => id.split('.')[0] ?? '');
    const { rule = '' } = own['x-kubernetes-validations'][0] ?? {};
    const refusedFields = [...rule.matchAll(/!has\(self\.(\w+)\)/g)].map(([, field = '']) => field);
    assert.deepEqual([...new Set([...allowed, ...refusedFields])].sort(), Object.keys(own.properties).sort());
    assert.deepEqual(
      refusedFields.filter((field) => allowed.includes(field)),
      [],
    );
  });
});

/**
 * Computes the overrides of a container without the code under test. Each value in the container's own overrides
 * replaces the same value in the policy's overrides.
 */
function together(overrides: CapabilityPolicyOverrides, own: CapabilityPolicyOverrides): CapabilityPolicyOverrides {
  const { capabilities, seccomp, appArmor } = overrides;
  return {
    ...overrides,
    ...own,
    ...((capabilities || own.capabilities) && { capabilities: { ...capabilities, ...own.capabilities } }),
    ...((seccomp || own.seccomp) && { seccomp: { ...seccomp, ...own.seccomp } }),
    ...((appArmor || own.appArmor) && { appArmor: { ...appArmor, ...own.appArmor } }),
  };
}
