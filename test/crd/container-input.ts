/** Mistakes of users in spec.containers, with the part of the error message that names the fix. */
import { RULES } from '../../operator/rules/index.ts';
import type { BadInput } from './input.ts';

const INIT = { names: ['istio-init'], overrides: { capabilities: { allowedAdd: ['NET_ADMIN'] } } };

function containers(...entries: object[]) {
  return { containers: entries };
}

function overrides(fields: object, spec: object = {}) {
  return { ...spec, ...containers({ names: ['istio-init'], overrides: fields }) };
}

function image(text: string) {
  return containers({ ...INIT, images: [text] });
}

/** All fields that concern the whole pod, each with a valid value. */
const OF_THE_POD: object = Object.assign(
  {},
  ...RULES.filter(({ ofContainer }) => !ofContainer).flatMap(({ examples }) =>
    examples.map(({ overrides }) => overrides),
  ),
);

export const BAD_CONTAINER_INPUT: readonly BadInput[] = [
  {
    title: 'containers without names',
    spec: containers({ overrides: INIT.overrides }),
    answer: /containers\[0\]\.names: Required value: list the names of the containers, such as \[istio-init\]/,
  },
  {
    title: 'containers with an empty list of names',
    spec: containers({ ...INIT, names: [] }),
    answer: /containers\[0\]\.names: .*list the names of the containers/,
  },
  {
    title: 'containers without overrides',
    spec: containers({ names: ['istio-init'] }),
    answer:
      /containers\[0\]\.overrides: Required value: list the overrides of these containers, such as \{capabilities/,
  },
  {
    title: 'containers with an empty list of images',
    spec: containers({ ...INIT, images: [] }),
    answer: /containers\[0\]\.images: .*an empty list selects no container: list images, .* or remove images/,
  },
  {
    title: 'a container in two entries',
    spec: containers(INIT, { ...INIT, names: ['other', 'istio-init'], images: ['docker.io/istio/proxyv2:*'] }),
    answer:
      /spec\.containers: .*two entries name the same container, but only one entry can apply to it: name each container in only one entry/,
  },
  {
    title: 'a container twice in one entry',
    spec: containers({ ...INIT, names: ['istio-init', 'istio-init'] }),
    answer: /istio-init is listed twice; write it once/,
  },
  {
    title: 'a pattern for names',
    spec: containers({ ...INIT, names: ['istio-*'] }),
    answer: /"istio-\*" is not a container's name: write the whole name in lower case letters/,
  },
  {
    title: "a container's name in upper case",
    spec: containers({ ...INIT, names: ['Istio'] }),
    answer: /"Istio" is not a container's name/,
  },
  {
    title: '17 entries',
    spec: containers(...Array.from({ length: 17 }, (_, i) => ({ ...INIT, names: [`c${i}`] }))),
    answer: /containers: Too many: 17: must have at most 16 items/,
  },
  {
    title: 'any image',
    spec: image('*'),
    answer: /"\*" is not an image: "\*" goes only at the end, after a "\/" or in the tag or digest/,
  },
  { title: 'the beginning of a host', spec: image('docker*'), answer: /"docker\*" is not an image: "\*" goes only/ },
  {
    title: 'the beginning of a repository name, because other repositories can have the same beginning',
    spec: image('docker.io/istio/proxy*'),
    answer:
      /is not an image: "\*" goes only at the end, after a "\/" or in the tag or digest, such as docker\.io\/istio/,
  },
  {
    title: 'any tag of an image without a host, because the tag could be the port of a host',
    spec: image('proxyv2:*'),
    answer: /"proxyv2:\*" is not an image/,
  },
  { title: 'an image with "*" inside', spec: image('docker.io/*/proxyv2'), answer: /"\*" goes only at the end/ },
  {
    title: 'an image with a scheme',
    spec: image('https://docker.io/istio/proxyv2:*'),
    answer: /is not an image: write it without a scheme, such as docker\.io/,
  },
  { title: 'an image with a blank', spec: image('docker.io/istio proxy'), answer: /is not an image: write its name/ },
  ...Object.entries(OF_THE_POD).map(([field, value]) => ({
    title: `${field} for one container`,
    spec: overrides({ [field]: value }),
    answer: new RegExp(
      `containers\\[0\\]\\.overrides: .*${field} applies to the whole pod, not to single containers: move the field to spec\\.overrides`,
    ),
  })),
  {
    title: 'RefusedOnPod for one container',
    spec: overrides({ seccomp: { unset: 'RefusedOnPod' } }),
    answer:
      /seccomp\.unset: .*RefusedOnPod applies to the whole pod, .* write Refused here, or RefusedOnPod in spec\.overrides/,
  },
  {
    title: 'no seccomp type for one container, although an unset profile is refused',
    spec: overrides({ seccomp: { types: [] } }),
    answer:
      /containers\[0\]\.overrides\.seccomp: .*types: \[\] admits only containers without a profile: write unset: Allowed here/,
  },
  {
    title: 'an unknown capability for one container',
    spec: overrides({ capabilities: { allowedAdd: ['NET_RAWW'] } }),
    answer: /containers\[0\]\.overrides\.capabilities\.allowedAdd\[0\]: .*"NET_RAWW" is not a Linux capability/,
  },
  {
    title: 'allowedAdd of one container, with a capability that spec.overrides drops',
    spec: overrides(
      { capabilities: { allowedAdd: ['NET_RAW'] } },
      { overrides: { capabilities: { requiredDrop: ['NET_RAW'] } } },
    ),
    answer:
      /spec\.containers: .*that its containers must drop by requiredDrop of spec\.overrides: write requiredDrop in the entry/,
  },
  {
    title: 'allowedAdd of one container with any capability, and requiredDrop in spec.overrides',
    spec: overrides(
      { capabilities: { allowedAdd: ['*'] } },
      { overrides: { capabilities: { requiredDrop: ['ALL'] } } },
    ),
    answer: /write requiredDrop in the entry too, without this capability \(\[\] with allowedAdd: \['\*'\]\)/,
  },
  {
    title: 'requiredDrop of one container, with a capability that spec.overrides adds',
    spec: overrides(
      { capabilities: { requiredDrop: ['KILL'] } },
      { overrides: { capabilities: { defaultAdd: ['KILL'] } } },
    ),
    answer:
      /drop a capability that spec\.overrides allows or adds: write allowedAdd, allowedAddInUserNamespace and defaultAdd in the entry too/,
  },
  {
    title: 'allowedAddInUserNamespace of one container, with a capability that spec.overrides drops',
    spec: overrides(
      { capabilities: { allowedAddInUserNamespace: ['NET_RAW'] } },
      { overrides: { capabilities: { requiredDrop: ['NET_RAW'] } } },
    ),
    answer: /write requiredDrop in the entry too, without this capability/,
  },
  {
    title: 'allowedAddInUserNamespace of one container at the level privileged',
    spec: overrides(
      { privileged: false, capabilities: { allowedAddInUserNamespace: ['NET_RAW'] } },
      { level: 'privileged' },
    ),
    answer: /spec\.containers: .*write allowedAdd too, such as allowedAdd: \[\], or remove allowedAddInUserNamespace/,
  },
  {
    title: 'capabilities of one container at level privileged',
    spec: overrides({ capabilities: { allowedAdd: ['NET_RAW'] } }, { level: 'privileged' }),
    answer: /in an entry with capabilities, write privileged: false too \(or true, to admit privileged containers\)/,
  },
  {
    title: 'privilege escalation as the default of one container, although the level refuses escalation',
    spec: overrides({ defaultAllowPrivilegeEscalation: true }),
    answer: /write allowPrivilegeEscalation: true in the entry too/,
  },
  {
    title: 'procMount of one container without Default',
    spec: overrides({ procMount: { types: ['Unmasked'] } }),
    answer: /spec\.containers: .*write procMount: \{types: \[Default\]\} or \[Default, Unmasked\]/,
  },
  {
    title: 'user ID 0 as the default of one container that must not run as root',
    spec: overrides(
      { runAsUser: { rule: 'MustRunAs', ranges: [{ min: 0, max: 9 }] } },
      { mode: 'Enforce', defaulting: 'Enabled' },
    ),
    answer: /begin ranges with a min above 0, or write runAsNonRoot: false in the entry/,
  },
];

export const GOOD_CONTAINER_INPUT: readonly Omit<BadInput, 'answer'>[] = [
  { title: 'one container', spec: containers(INIT) },
  {
    title: '16 entries, each with 16 names and images',
    spec: containers(
      ...Array.from({ length: 16 }, (_, i) => ({
        ...INIT,
        names: Array.from({ length: 16 }, (_, k) => `c${i}-${k}`),
        images: Array.from({ length: 16 }, (_, k) => `registry.example.com/team/app-${k}:*`),
      })),
    ),
  },
  {
    title: 'images of every kind',
    spec: containers({
      ...INIT,
      images: [
        'busybox',
        'busybox:1.36',
        'docker.io/istio/proxyv2:*',
        'docker.io/istio/proxyv2:1.2*',
        'docker.io/istio/proxyv2@sha256:*',
        'docker.io/istio/*',
        'docker.io/*',
        'localhost:5000/app:*',
        'registry.example.com:5000/team/app:1.0@sha256:*',
      ],
    }),
  },
  {
    title: 'every field of a container',
    spec: overrides({
      capabilities: { allowedAdd: ['*'], requiredDrop: [], defaultAdd: [], dropByName: true, allowedBounding: ['*'] },
      privileged: true,
      allowPrivilegeEscalation: true,
      defaultAllowPrivilegeEscalation: true,
      hostProbes: true,
      hostPorts: [{ min: 80, max: 80 }],
      runAsNonRoot: false,
      runAsUser: { rule: 'RunAsAny' },
      runAsGroup: { rule: 'RunAsAny' },
      seccomp: { types: ['Unconfined'], unset: 'Allowed' },
      appArmor: { types: ['Unconfined'] },
      seLinux: { rule: 'RunAsAny' },
      procMount: { types: ['Default', 'Unmasked'] },
      readOnlyRootFilesystem: true,
    }),
  },
  {
    title: 'capabilities of one container at the level privileged, with privileged in the entry',
    spec: overrides({ privileged: false, capabilities: { allowedAdd: ['NET_RAW'] } }, { level: 'privileged' }),
  },
];
