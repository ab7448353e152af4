/**
 * Tests that a rendered program and the operator give equal results for a request. The engine cel-js runs the whole
 * program.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CapabilityPolicySpec, CompletePolicy } from '../../operator/api/capability-policy.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { deciding } from '../../operator/policy/deciding.ts';
import { type ResolvedPolicy, resolvePolicy } from '../../operator/policy/resolve.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { CASE_LABEL, OVERRIDDEN, plain, VERSIONS } from '../differential/cases.ts';
import type { StatedPod } from '../differential/reference/pod.ts';
import { admitsAddition } from '../differential/steps/reference-model.ts';
import { policy, resolved } from '../support/policies.ts';
import { contentOf, type Pod, randomEphemeralContainers, randomPods } from '../support/random-pods.ts';
import { SELECTOR, UNIVERSE } from '../support/random-selectors.ts';
import { type Asked, programText, type Request, violationsIn } from './admission-text.ts';

const CASES = [...VERSIONS.flatMap((minor) => [plain('baseline', minor), plain('restricted', minor)]), ...OVERRIDDEN];

const evaluator = new Evaluator();

describe('the text of an admission policy', () => {
  for (const { name, policy } of CASES) {
    it(`finds what the operator finds: ${name}`, () => {
      const text = programText([policy], { kind: policy.spec.mode });
      const resolution = resolvePolicy(policy, NEWEST_KNOWN_MINOR);
      assert.ok('policy' in resolution);
      fc.assert(
        fc.property(randomPods(), (pod) => {
          const expected = lines(contentOf(pod), resolution.policy);
          const request = { resource: 'pods', object: pod, namespaceLabels: { [CASE_LABEL]: name } };
          assert.deepEqual(violationsIn(text, request), expected);
          assert.equal((text.run('complying', request) as unknown[]).length, expected.length === 0 ? 1 : 0);
          assert.equal(text.refusal(request) === undefined, expected.length === 0);
        }),
        { numRuns: 50 },
      );
    });
  }

  it('a program finds the same violations in each kind of template', () => {
    const text = programText([policy('restricted')]);
    const restricted = resolved('restricted');
    fc.assert(
      fc.property(randomPods(), fc.constantFrom(...Object.keys(TEMPLATES)), (pod, resource) => {
        const object = TEMPLATES[resource]?.({ metadata: pod.metadata, spec: pod.spec });
        const expected = lines(contentOf(pod), restricted);
        assert.deepEqual(violationsIn(text, { resource, object }), expected);
        assert.equal(text.refusal({ resource, object }) === undefined, expected.length === 0);
      }),
    );
  });

  it('a program evaluates the whole pod with its added containers, but only the added containers if the pod satisfied no policy before', () => {
    const cases = fc.array(fc.constantFrom(...CASES), { minLength: 1, maxLength: 3 });
    const containers = fc.tuple(randomPods(), randomEphemeralContainers(), randomEphemeralContainers());
    const seen = { admitted: 0, refused: 0, alone: 0 };
    fc.assert(
      fc.property(cases, containers, ([...chosen], [pod, old, later]) => {
        // The API server accepts no AppArmor annotation for a container that does not exist yet. Random pods may have
        // an annotation for `debug`, so the added container gets another name.
        const added = { ...later, name: 'later' };
        const policies = chosen.map(({ policy: { spec } }, i) =>
          policy(`p${i}`, { ...spec, namespaceSelector: {}, podSecurityLabels: 'Off' }),
        );
        const deciders = policies.map(({ metadata, spec }) => resolved(metadata?.name ?? '', spec));
        const [before, after] = [[old], [old, added]].map((all) => withEphemeral(pod, all)) as [Pod, Pod];
        const mounting = { ...added, volumeMounts: mountsOf(pod) };
        const text = programText(policies);
        for (const now of [after, withEphemeral(pod, [old, mounting])]) {
          const change = { before, after: now } as unknown as Record<'before' | 'after', StatedPod>;
          const isFine = (decider: ResolvedPolicy, one: StatedPod, apart: readonly string[] = []) =>
            evaluator
              .violations(contentOf(one as unknown as Pod), decider)
              .every(({ rule, container }) => container === undefined && apart.includes(rule));
          const admitted = deciders.some((decider) => admitsAddition(decider, deciders, change, isFine));
          const request = { resource: 'pods', subResource: 'ephemeralcontainers', object: now, oldObject: before };
          assert.equal(text.refusal(request) === undefined, admitted);
          seen[admitted ? 'admitted' : 'refused']++;
          if (admitted && !deciders.some((decider) => isFine(decider, change.after))) seen.alone++;
        }
      }),
      { numRuns: 100 },
    );
    assert.ok(Math.min(...Object.values(seen)) > 0, JSON.stringify(seen));
  });

  it('the message names all violations of the pod, but only those of the added containers if the pod satisfied no policy before', () => {
    const restricted = policy('restricted', { level: 'restricted' });
    const secured = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, runAsNonRoot: true };
    const confined = { ...secured, seccompProfile: { type: 'RuntimeDefault' } };
    const says = (policies: CompletePolicy[], spec: Fields, debug: Fields) => {
      const object = { spec: { containers: [{ name: 'app', securityContext: confined }], ...spec } };
      const ephemeralContainers = [{ name: 'debug', ...debug }];
      const after = { spec: { ...object.spec, ephemeralContainers } };
      const request = { resource: 'pods', subResource: 'ephemeralcontainers', object: after, oldObject: object };
      return programText(policies).refusal(request);
    };
    const sees = policy('sees', { overrides: { hostPID: true } });
    assert.equal(
      says([restricted, sees], { hostPID: true }, { securityContext: { ...confined, privileged: true } }),
      'CapabilityPolicy restricted: privileged: container "debug" must not set securityContext.privileged=true; hostPID: pod must not set hostPID=true | CapabilityPolicy sees: privileged: container "debug" must not set securityContext.privileged=true',
    );
    const unconfined = { securityContext: { seccompProfile: { type: 'Unconfined' }, runAsUser: 0 }, hostIPC: true };
    assert.equal(
      says([restricted], unconfined, { securityContext: secured }),
      'CapabilityPolicy restricted: hostIPC: pod must not set hostIPC=true; runAsUser: pod must not set securityContext.runAsUser=0; seccomp: pod must not set securityContext.seccompProfile.type to Unconfined (allowed: RuntimeDefault, Localhost)',
    );
    const update = { spec: { containers: [], hostIPC: true } };
    const same = { resource: 'pods', subResource: 'ephemeralcontainers', object: update, oldObject: update };
    assert.equal(programText([restricted]).refusal(same), undefined, 'nothing is added');
    assert.equal(
      says([restricted], unconfined, { securityContext: { ...confined, runAsUser: 1 } }),
      'CapabilityPolicy restricted: hostIPC: pod must not set hostIPC=true',
    );
  });

  it('the message names no violation of an existing container, because defaulting can no longer fill in the container', () => {
    const capabilities = { allowedAdd: ['CHOWN'], defaultAdd: ['KILL'], allowedBounding: ['CHOWN'] };
    const filling = policy('filling', {
      level: 'privileged',
      defaulting: 'Enabled',
      overrides: { privileged: false, capabilities },
    });
    const container = (name: string, add: string[]) => ({
      name,
      securityContext: { capabilities: { drop: ['ALL'], add } },
    });
    const object = { spec: { containers: [container('app', ['CHOWN'])] } };
    const after = { spec: { ...object.spec, ephemeralContainers: [container('debug', ['CHOWN', 'SYSLOG'])] } };
    const request = { resource: 'pods', subResource: 'ephemeralcontainers', object: after, oldObject: object };
    assert.equal(
      programText([filling]).refusal(request),
      'CapabilityPolicy filling: capabilities: container "debug" must not add capability SYSLOG (allowed: CHOWN, KILL); capabilities.allowedBounding: container "debug" would hold capability SYSLOG, KILL, drop it or ALL (allowed: CHOWN)',
    );
  });

  it('users cannot make a pod count as older than the policies by changing an annotation', () => {
    const v18 = { level: 'baseline', levelVersion: 'v1.18' } as const;
    const policies = [['SYS_PTRACE'], ['NET_ADMIN']].map((allowedAdd, i) =>
      policy(`p${i}`, { ...v18, overrides: { capabilities: { allowedAdd } } }),
    );
    const adding = (name: string, add: string[]) => ({ name, securityContext: { capabilities: { add } } });
    for (const annotations of [{}, { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' }]) {
      const spec = { containers: [adding('app', ['NET_ADMIN'])] };
      const allows = (added: object) => {
        const object = { metadata: { annotations }, spec: { ...spec, ephemeralContainers: [added] } };
        const request = { resource: 'pods', subResource: 'ephemeralcontainers', object, oldObject: { spec } };
        return programText(policies).refusal(request) === undefined;
      };
      assert.equal(allows(adding('debug', ['SYS_PTRACE'])), false);
      assert.equal(allows(adding('debug', ['NET_ADMIN'])), true);
    }
  });

  it('a program admits a pod if the pod complies with a deciding policy that the author may use', () => {
    const meet = { namespaceSelector: { matchLabels: { team: 'net' } } };
    const elsewhere = { namespaceSelector: {} };
    const object = { spec: { containers: [{ name: 'app' }] } };
    for (const [what, own, others, admitted] of [
      ['alone', {}, [], true],
      ['one of several complies', {}, [{ level: 'restricted' }], true],
      ['another one does', { level: 'restricted' }, [{}], true],
      ['none does', { level: 'restricted' }, [{ level: 'restricted' }], false],
      ['only one that nobody may use does', { usableBy: 'Bindings' }, [], false],
      ['one for everyone does', { usableBy: 'Bindings' }, [{}], true],
      ['a policy of higher priority decides', {}, [{ level: 'restricted', priority: 1 }], false],
      [
        'a policy of negative priority complies, but does not decide',
        { level: 'restricted' },
        [{ priority: -1 }],
        false,
      ],
      ['a policy of higher priority decides, and complies', { level: 'restricted' }, [{ priority: 1 }], true],
      ['others meet it', {}, [elsewhere], true],
      ['others meet it, and only they comply', { level: 'restricted' }, [elsewhere], true],
    ] as [string, object, object[], boolean][]) {
      const policies = [own, ...others].map((spec, i) =>
        policy(`p${i}`, { level: 'baseline', ...meet, ...spec } as Partial<CapabilityPolicySpec>),
      );
      const request = { resource: 'pods', object, namespaceLabels: { team: 'net' } };
      assert.equal(programText(policies).refusal(request) === undefined, admitted, what);
    }
  });

  it('a program checks the rights of the service account and of the creator for a policy that admits the pod', () => {
    const policies = [policy('free'), policy('narrow', { level: 'privileged', usableBy: 'Bindings' })];
    const object = { spec: { containers: [{ name: 'app' }], serviceAccountName: 'ping' } };
    const template = { spec: { template: object } };
    const use = { verb: 'use', policy: 'narrow', namespace: 'team-a' };
    const asked = (request: Partial<Request>) => {
      const found: Asked[] = [];
      const allows = (one: Asked) => {
        found.push(one);
        return false;
      };
      const whole = { resource: 'pods', object, namespace: 'team-a', allows, ...request };
      assert.match(programText(policies).refusal(whole) ?? '', /neither its service account nor its creator/);
      return found;
    };
    const serviceAccount = { ...use, serviceAccount: 'team-a/ping' };
    assert.deepEqual(asked({}), [serviceAccount, { ...use, serviceAccount: '' }]);
    assert.deepEqual(asked({ resource: 'replicasets', object: template }), [
      serviceAccount,
      { ...use, serviceAccount: 'kube-system/replicaset-controller' },
    ]);
  });

  it('a program checks the rights to at most ten policies with restricted use, and the tenth policy can admit the pod', () => {
    for (const [count, admitted] of [
      [10, true],
      [11, false],
    ] as const) {
      const policies = Array.from({ length: count }, (_, i) =>
        policy(`p${String(i).padStart(2, '0')}`, { level: 'privileged', usableBy: 'Bindings' }),
      );
      const last = policies.at(-1)?.metadata.name;
      const object = { spec: { containers: [{ name: 'app' }] } };
      const request = { resource: 'pods', object, allows: ({ policy: name }: Asked) => name === last };
      assert.equal(programText(policies).refusal(request) === undefined, admitted, `${count}`);
    }
  });

  it('a program answers every probe, and evaluates neither mirror pods nor excluded namespaces', () => {
    const text = programText([policy('p', { level: 'restricted' })]);
    const refused = { spec: { containers: [{ name: 'app' }] } };
    const labels = { 'capabilitypolicy.dev/probe': 'x' };
    const mirrored = { ...refused, metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } };
    for (const [request, isRefused] of [
      [{ resource: 'pods', object: refused }, true],
      [{ resource: 'pods', object: mirrored, groups: ['system:nodes'] }, false],
      [{ resource: 'pods', object: mirrored }, true],
      [{ resource: 'deployments', object: { ...mirrored, spec: { template: refused } } }, true],
      [{ resource: 'pods', namespace: 'kube-system', object: refused }, false],
      [{ resource: 'pods', namespace: 'operator', object: refused }, false],
      [{ resource: 'clusterroles', namespace: '', object: { metadata: { labels } } }, true],
    ] as const) {
      assert.equal(text.refusal(request) !== undefined, isRefused, JSON.stringify(request));
    }
  });

  it('a program decides in the same way as the operator for random policies', () => {
    const specs = fc.array(
      fc.record({
        namespaceSelector: SELECTOR,
        priority: fc.integer({ min: 0, max: 2 }),
        level: fc.constantFrom('privileged' as const, 'baseline' as const, 'restricted' as const),
        mode: fc.constantFrom('Enforce' as const, 'Warn' as const),
      }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(specs, fc.constantFrom(...UNIVERSE), randomPods(), (list, namespaceLabels, pod) => {
        const policies = list.map((spec, index) => policy(`policy-${index}`, spec));
        const all = list.map((spec, index) => resolved(`policy-${index}`, spec));
        const deciders = deciding(all, 'Enforce', namespaceLabels);
        const admitted = deciders.some((decider) => lines(contentOf(pod), decider).length === 0);
        fc.pre(all.some(({ mode }) => mode === 'Enforce'));
        const refusal = programText(policies).refusal({ resource: 'pods', object: pod, namespaceLabels });
        assert.equal(refusal === undefined, admitted || deciders.length === 0);
        if (refusal !== undefined) assert.equal(refusal, reasonsOf(pod, deciders).join(' | '));
      }),
      { numRuns: 150 },
    );
  });

  it('a message describes some violations of the first three policies by name, and counts all other violations', () => {
    const containers = Array.from({ length: 60 }, (_, index) => ({ name: `container-${index}` }));
    const request = { resource: 'pods', object: { spec: { containers } } };
    for (const count of [1, 2, 3, 4, 13, 40]) {
      const names = Array.from({ length: count }, (_, index) => `p${String(index).padStart(2, '0')}`);
      // The order of the policies in the table must not matter.
      const message = String(programText(names.toReversed().map((name) => policy(name))).refusal(request));
      const described = Math.min(3, count);
      const each = Math.floor(24 / described);
      const parts = message.split(' | ');
      const [first = ''] = parts;
      assert.equal(first.split('; ').length, each + 1, first);
      assert.match(first, new RegExp(`; and ${60 * 4 - each} more$`));
      assert.ok(Buffer.byteLength(message) < 5 * 1024);
      assert.deepEqual(
        parts.slice(0, described).map((part) => /^CapabilityPolicy (\w+): /.exec(part)?.[1]),
        names.slice(0, described),
      );
      const more = `${count - 3} more CapabilityPolicies that decide in the namespace do not admit it either`;
      assert.deepEqual(parts.slice(described), count > 3 ? [more] : []);
    }
  });

  it('a message describes any number of violations in one line under 5 KiB', () => {
    const containers = Array.from({ length: 20 }, (_, index) => ({
      name: `container-${index}`,
      securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: 'ö\n' } },
    }));
    const localhostProfiles = Array.from({ length: 32 }, (_, index) => `profile-${index}`.padEnd(200, 'x'));
    const long = policy('long', {
      level: 'privileged',
      overrides: { appArmor: { types: ['Localhost'], localhostProfiles } },
    });
    const message = String(programText([long]).refusal({ resource: 'pods', object: { spec: { containers } } }));
    assert.ok(message.endsWith('… (cut)'));
    assert.ok(Buffer.byteLength(message) < 5 * 1024);
    assert.ok(!message.includes('\n'));
  });

  it('contains no control characters, but everything else', () => {
    const localhostProfile = 'a\u001b[2J\u0007b\u009b31m\r\nc\u202ed\u2028e\u2066f\u061cg\u200fh 💥 ö';
    const profile = { appArmorProfile: { type: 'Localhost', localhostProfile } };
    const one = policy('one', {
      level: 'privileged',
      overrides: { appArmor: { types: ['Localhost'], localhostProfiles: ['x'] } },
    });
    const object = { spec: { containers: [{ name: 'main', securityContext: profile }] } };
    const message = String(programText([one]).refusal({ resource: 'pods', object }));
    assert.match(message, /a \[2J b 31m c d e f g h 💥 ö/);
    assert.doesNotMatch(message, /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
  });
});

const TEMPLATES: Readonly<Record<string, (template: Fields) => unknown>> = {
  podtemplates: (template) => ({ template }),
  deployments: (template) => ({ spec: { template } }),
  replicasets: (template) => ({ spec: { template } }),
  statefulsets: (template) => ({ spec: { template } }),
  daemonsets: (template) => ({ spec: { template } }),
  replicationcontrollers: (template) => ({ spec: { template } }),
  jobs: (template) => ({ spec: { template } }),
  cronjobs: (template) => ({ spec: { jobTemplate: { spec: { template } } } }),
};

type Fields = Readonly<Record<string, unknown>>;

function withEphemeral(pod: Pod, [old, added]: readonly Fields[]): Pod {
  const ephemeralContainers = [{ ...old, name: 'old' }, ...(added ? [added] : [])];
  return { ...pod, spec: { ...pod.spec, ephemeralContainers } };
}

/** Volume mounts for every second volume of the pod. */
function mountsOf({ spec: { volumes = [] } }: Pod): Fields[] {
  return (volumes as { name: string }[])
    .filter((_, i) => i % 2 === 0)
    .map(({ name }) => ({ name, mountPath: `/${name}` }));
}

function lines(parts: PodContent, ofPolicy: ResolvedPolicy): string[] {
  return evaluator.violations(parts, ofPolicy).map(({ rule, message }) => `${rule}: ${message}`);
}

/** The reasons of each deciding policy for refusing the pod, sorted by the policies' names. */
function reasonsOf(pod: Pod, deciders: readonly ResolvedPolicy[]): string[] {
  return deciders
    .map((decider) => `CapabilityPolicy ${decider.name}: ${lines(contentOf(pod), decider).join('; ')}`)
    .sort();
}
