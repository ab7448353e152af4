import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mayHold } from '../../analysis/capabilities/may-hold.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Container } from '../../operator/model/objects.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { CAPABILITIES, RUNTIME_DEFAULT } from '../../operator/standards/capabilities.ts';
import { resolved } from '../support/policies.ts';
import { arbitraryPolicy } from '../support/random-policies.ts';

const evaluator = new Evaluator();
const RULES = ['capabilities', 'capabilities.allowedBounding'];

/** Whether the policy's rules about capabilities admit the container. */
function isAdmitted(container: Container, policy: ResolvedPolicy, inUserNamespace: boolean): boolean {
  const spec = { containers: [container], ...(inUserNamespace && { hostUsers: false }) };
  return evaluator.violations({ annotations: {}, spec }, policy).every(({ rule }) => !RULES.includes(rule));
}

/**
 * Containers that hold the capability. Each container holds this capability, and as few other capabilities as possible.
 */
function holding(name: string, container: Container): Container[] {
  const others = RUNTIME_DEFAULT.filter((one) => one !== name);
  const lists = [
    { add: [name], drop: ['ALL'] },
    { add: [name], drop: CAPABILITIES.filter((one) => one !== name) },
    { add: [name], drop: ['ALL', ...CAPABILITIES.filter((one) => one !== name)] },
    ...(RUNTIME_DEFAULT.includes(name) ? [{ drop: others }, { drop: CAPABILITIES.filter((one) => one !== name) }] : []),
  ];
  return lists.map((capabilities) => ({ ...container, securityContext: { capabilities } }));
}

describe('what a container may hold', () => {
  it('a container may hold each capability that some admitted container holds', () => {
    fc.assert(
      fc.property(arbitraryPolicy, fc.boolean(), (policy, inUserNamespace) => {
        for (const container of [
          { name: 'app', image: 'one' },
          { name: 'proxy', image: 'registry/proxy:1' },
        ]) {
          const may = mayHold(policy, container, inUserNamespace);
          const admitted = CAPABILITIES.filter((name) =>
            holding(name, container).some((one) => isAdmitted(one, policy, inUserNamespace)),
          );
          assert.deepEqual(may.names, admitted);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('a container may hold all capabilities at the level privileged, or the capabilities that an exception allows', () => {
    assert.deepEqual(mayHold(resolved('p', { level: 'privileged' }), { name: 'app' }, false), {
      names: CAPABILITIES,
      privileged: true,
    });
    const policy = resolved('p', {
      containers: [
        { names: ['agent'], images: ['registry/*'], overrides: { capabilities: { allowedAdd: ['SYS_TIME'] } } },
      ],
    });
    assert.deepEqual(mayHold(policy, { name: 'agent', image: 'registry/a:1' }, false).names, ['SYS_TIME']);
    assert.deepEqual(mayHold(policy, { name: 'agent', image: 'other/a:1' }, false).names, ['NET_BIND_SERVICE']);
    assert.deepEqual(mayHold(policy, { name: 'app', image: 'registry/a:1' }, false).names, ['NET_BIND_SERVICE']);
  });
});
