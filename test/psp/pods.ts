/** Random pods for PodSecurityPolicies: half of them are pods that one admits, changed in one place or two. */
import fc, { type Arbitrary } from 'fast-check';
import { boundary } from '../differential/policies/boundary.ts';
import { anyField, walked } from '../differential/policies/pods.ts';
import { podManifest } from '../support/pod-manifests.ts';
import type { Steps } from '../support/random-fields.ts';
import type { Pod } from '../support/random-pods.ts';
import { bordersOf } from './borders.ts';
import { APP_ARMOR_OF_CONTAINER, type PodSecurityPolicy } from './objects.ts';
import { SOURCES } from './volume-sources.ts';

type Fields = Record<string, unknown>;

/** Only fields that 1.24 knows, or may safely drop because it has no policy about them. */
export function podsFor(policy: PodSecurityPolicy): Arbitrary<Pod> {
  const bases = fc.constantFrom(...basesOf(policy));
  const steps = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...boundary(bordersOf(policy))) },
    { weight: 1, arbitrary: volumes() },
    { weight: 2, arbitrary: anyField() },
  );
  const near = fc.array(steps, { maxLength: 2, size: 'max' });
  const farther = fc.array(steps, { minLength: 3, maxLength: 6, size: 'max' });
  return fc
    .tuple(bases, fc.oneof({ weight: 2, arbitrary: near }, { weight: 1, arbitrary: farther }))
    .map(([base, all]) => asOfOld(walked(base, all.flat())));
}

function volumes(): Arbitrary<Steps> {
  const sources = fc.array(fc.constantFrom(...SOURCES), { minLength: 1, maxLength: 2 });
  return sources.map((all) => [
    { to: 'pod', path: ['volumes'], value: all.map((source, i) => ({ name: `volume-${i}`, ...source })) },
  ]);
}

/**
 * One that leaves everything to the policy, and pods that set themselves what it requires: on the pod, or on the
 * container.
 */
function basesOf(policy: PodSecurityPolicy): Pod[] {
  const { runAsUser, runAsGroup, supplementalGroups, fsGroup } = policy.spec;
  const { seccomp, appArmor, seLinux, capabilities } = bordersOf(policy);
  const minimum = (field: string, of: { rule: string; ranges?: readonly { min: number }[] } | undefined) =>
    of?.rule === 'MustRunAs' && of.ranges?.[0] ? { [field]: of.ranges[0].min } : {};
  const [group] = Object.values(minimum('supplementalGroups', supplementalGroups));
  const ofPod = { ...minimum('fsGroup', fsGroup), ...(group !== undefined && { supplementalGroups: [group] }) };
  const shared = {
    ...(runAsUser.rule === 'MustRunAsNonRoot' && { runAsNonRoot: true }),
    ...minimum('runAsUser', runAsUser),
    ...minimum('runAsGroup', runAsGroup),
    ...(seccomp.types[0] && { seccompProfile: { type: seccomp.types[0], ...localProfile(seccomp) } }),
    ...(seLinux.options && { seLinuxOptions: seLinux.options }),
  };
  const { requiredDrop, defaultAdd } = capabilities;
  const ofContainer = {
    ...((requiredDrop.length > 0 || defaultAdd.length > 0) && {
      capabilities: { drop: requiredDrop, add: defaultAdd },
    }),
    ...(policy.spec.allowPrivilegeEscalation === false && { allowPrivilegeEscalation: false }),
    ...(policy.spec.readOnlyRootFilesystem && { readOnlyRootFilesystem: true }),
  };
  const [profile] = appArmor.types.map((type) => (type === 'Localhost' ? 'localhost/profile' : APP_ARMOR[type]));
  const annotations = profile === undefined ? {} : { [`${APP_ARMOR_OF_CONTAINER}app`]: profile };
  return [
    pod({}, {}),
    pod({ ...ofPod, ...shared }, ofContainer, annotations),
    pod(ofPod, { ...shared, ...ofContainer }, annotations),
  ];
}

const APP_ARMOR: Readonly<Record<string, string>> = { RuntimeDefault: 'runtime/default', Unconfined: 'unconfined' };

function localProfile({
  types,
  localhostProfiles = [],
}: {
  types: readonly string[];
  localhostProfiles?: readonly string[];
}) {
  return types[0] === 'Localhost' && { localhostProfile: localhostProfiles[0] };
}

function pod(ofPod: Fields, ofContainer: Fields, annotations: Fields = {}): Pod {
  const container = {
    name: 'app',
    image: 'app',
    ...(Object.keys(ofContainer).length > 0 && { securityContext: ofContainer }),
  };
  const securityContext = Object.keys(ofPod).length > 0 && { securityContext: ofPod };
  const spec = { ...securityContext, containers: [container] };
  return podManifest({ name: 'random', annotations }, spec);
}

/**
 * Without fields that only one of the servers understands: AppArmor had annotations, seccomp has fields (1.27 reads no
 * annotations), and init containers had no probes. PodSecurityPolicy knew only the spelling of sysctls with dots. Only
 * one of the servers would mount a token.
 */
function asOfOld({ metadata, spec, ...rest }: Pod): Pod {
  const annotations = Object.entries(metadata.annotations).filter(([key]) => !key.includes('seccomp.security'));
  const { initContainers, containers, volumes, ...ofPod } = spec;
  return {
    ...rest,
    metadata: { ...metadata, annotations: Object.fromEntries(annotations) },
    spec: {
      ...ofPod,
      ...secured(ofPod),
      automountServiceAccountToken: false,
      ...(Array.isArray(volumes) && { volumes: volumes.filter((one) => !('image' in one)) }),
      containers: containers.map((c) => ({ ...c, ...secured(c) })),
      ...(initContainers && {
        initContainers: initContainers.map(
          ({ livenessProbe: _, readinessProbe: __, startupProbe: ___, lifecycle: ____, ...c }) => ({
            ...c,
            ...secured(c),
          }),
        ),
      }),
    },
  };
}

function secured({ securityContext }: Fields): Fields {
  if (securityContext === undefined) return {};
  const { appArmorProfile: _, sysctls, ...rest } = securityContext as Fields;
  const dotted = Array.isArray(sysctls) && {
    sysctls: sysctls.map((one) => ({ ...one, name: one.name.replaceAll('/', '.') })),
  };
  return { securityContext: { ...rest, ...dotted } };
}
