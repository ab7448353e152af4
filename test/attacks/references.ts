/** Attempts to run a pod under a seccomp profile of type OCI (KEP-6061). The profile is not in the policy's list. */
import { ALPHA_FLAGS } from '../support/alpha.ts';
import { type Attack, admitted, create, debug, invalid, refusedBy } from './attack.ts';
import { pod } from './settings.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const REFERENCE = `registry.example.com/profiles/web@${DIGEST}`;

/** A pod that sets a seccomp profile on its container. The function `onPod` sets the profile on the pod itself. */
const onContainer = (seccompProfile: object, metadata: object = {}) =>
  pod({ containers: [{ name: 'main', image: 'example.org/app', securityContext: { seccompProfile } }] }, metadata);
const onPod = (seccompProfile: object) => pod({ securityContext: { seccompProfile } });
const oci = (ref: string, fields: object = {}) => ({ type: 'OCI', oci: { ref, ...fields } });
const based = { baseProfile: { type: 'Localhost', localhostProfile: 'permissive.json' } };
const DEFAULT = { type: 'RuntimeDefault' };
const LATE = { name: 'late', image: 'example.org/debug' };

/**
 * References that look like an entry of the policy's list. The entries are REFERENCE, `registry.example.com/team/*` and
 * `docker.io/library/web@*`.
 */
const LOOKALIKES: Readonly<Record<string, string>> = {
  'another digest': `${REFERENCE.slice(0, -1)}0`,
  'another algorithm': `registry.example.com/profiles/web@sha512:${DIGEST.slice('sha256:'.length).repeat(2)}`,
  'the registry in upper case': REFERENCE.replace('registry', 'REGISTRY'),
  'the default port': REFERENCE.replace('.com/', '.com:443/'),
  'a registry whose name is longer': REFERENCE.replace('.com/', '.com.evil.example/'),
  'a folder of a registry whose name is longer': `registry.example.com.evil.example/team/web@${DIGEST}`,
  'a folder whose name is longer': `registry.example.com/team-2/web@${DIGEST}`,
  'the folder as a repository': `registry.example.com/team@${DIGEST}`,
  'a repository below a listed one': `docker.io/library/web/web@${DIGEST}`,
  'a repository whose name is longer': `docker.io/library/web2@${DIGEST}`,
};

/** References that the API server refuses in its own validation, even if a list admits them. */
const NOT_CANONICAL: Readonly<Record<string, string>> = {
  'no registry, where docker.io is meant': `web@${DIGEST}`,
  'another name of the registry': `index.docker.io/library/web@${DIGEST}`,
  'a tag in a listed folder': 'registry.example.com/team/web:1',
  'a tag beside the digest': `registry.example.com/team/web:1@${DIGEST}`,
  'no digest in a listed folder': 'registry.example.com/team/web',
  'an empty reference': '',
  '..': `registry.example.com/team/../evil@${DIGEST}`,
};

/** An API server without the feature gate refuses every profile of type OCI. */
const OFF = invalid(/seccompProfile\.(type|oci)/);

function attack(attempt: string, steps: Attack['steps'], expect: Attack['expect']): Attack {
  const answer = ALPHA_FLAGS.length > 0 ? expect : OFF;
  return { attempt, setting: 'references', needs: 'seccompFromOci', steps, expect: answer };
}

export const REFERENCES: readonly Attack[] = [
  attack('names a listed profile', [create(onContainer(oci(REFERENCE)))], admitted('it is listed')),
  attack(
    'names a profile in a listed folder',
    [create(onPod(oci(`registry.example.com/team/a/b@${DIGEST}`)))],
    admitted('the folder is listed'),
  ),
  ...Object.entries(LOOKALIKES).map(([what, ref]) =>
    attack(
      `names an OCI profile with ${what}`,
      [create(onContainer(oci(ref)))],
      refusedBy('references', /seccomp: container "main" must not set securityContext\.seccompProfile\.oci\.ref to /),
    ),
  ),
  ...Object.entries(NOT_CANONICAL).map(([what, ref]) =>
    attack(
      `names an OCI profile with ${what}`,
      [create(onContainer(oci(ref)))],
      invalid(
        /seccompProfile\.oci\.ref: (Required value|Invalid value: .* (canonical|pinned by digest|must not contain a tag))/,
      ),
    ),
  ),
  attack(
    'has an unlisted OCI profile on the pod, and another profile on its container',
    [
      create(
        pod({
          securityContext: { seccompProfile: oci(`example.com/web@${DIGEST}`) },
          containers: [{ name: 'main', image: 'example.org/app', securityContext: { seccompProfile: DEFAULT } }],
        }),
      ),
    ],
    refusedBy('references', /pod must not set securityContext\.seccompProfile\.oci\.ref/),
  ),
  attack(
    'has an unlisted OCI profile on an ephemeral container',
    [create(onPod(DEFAULT)), debug({ ...LATE, securityContext: { seccompProfile: oci(`example.com/web@${DIGEST}`) } })],
    refusedBy('references', /container "late" must not set securityContext\.seccompProfile\.oci\.ref/),
  ),
  attack(
    'replaces the base profile of a listed OCI profile by a file on the node',
    [create(onContainer(oci(REFERENCE, based)))],
    refusedBy('references', /oci\.baseProfile to Localhost with permissive\.json \(allowed: RuntimeDefault\)/),
  ),
  attack(
    'replaces the base profile of a listed OCI profile on an ephemeral container',
    [create(onPod(DEFAULT)), debug({ ...LATE, securityContext: { seccompProfile: oci(REFERENCE, based) } })],
    refusedBy('references', /container "late" must not set securityContext\.seccompProfile\.oci\.baseProfile/),
  ),
  attack(
    'names a local profile beside a listed OCI profile',
    [create(onContainer({ ...oci(REFERENCE), localhostProfile: 'permissive.json' }))],
    invalid(/seccompProfile\.localhostProfile/),
  ),
  attack(
    'names a listed OCI profile beside another type',
    [create(onContainer({ ...oci(REFERENCE), type: 'Unconfined' }))],
    invalid(/seccompProfile\.oci: .*may only be specified when `type` is "OCI"/),
  ),
  attack(
    'names a listed OCI profile without a type',
    [create(onContainer({ oci: { ref: REFERENCE } }))],
    invalid(/seccompProfile\.type: Required value/),
  ),
  attack(
    'names a listed OCI profile beside the annotation unconfined',
    [
      create(
        onContainer(oci(REFERENCE), {
          annotations: { 'container.seccomp.security.alpha.kubernetes.io/main': 'unconfined' },
        }),
      ),
    ],
    invalid(/seccomp type in annotation and field must match/),
  ),
];
