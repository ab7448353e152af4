/** Test cases with valid and invalid references to seccomp profiles of type OCI. */
import type { BadInput } from './input.ts';

const HEX = '0123456789abcdef'.repeat(4);
const PINNED = `registry.example.com/profiles/web@sha256:${HEX}`;

const seccomp = (fields: object) => ({ overrides: { seccomp: fields } });
const referring = (...ociReferences: string[]) => seccomp({ types: ['RuntimeDefault', 'OCI'], ociReferences });
const inEntry = (fields: object) => ({ containers: [{ names: ['app'], ...seccomp(fields) }] });

/** Invalid references, by the mistake in each reference. */
const NO_REFERENCES: Readonly<Record<string, string>> = {
  'without a digest': 'registry.example.com/profiles/web',
  'with a tag': 'registry.example.com/profiles/web:1',
  'with a tag and a digest': PINNED.replace('web@', 'web:1@'),
  'without a registry': `profiles/web@sha256:${HEX}`,
  'without a repository': `registry.example.com@sha256:${HEX}`,
  'with a scheme': `oci://${PINNED}`,
  'with an upper-case registry': PINNED.replace('registry', 'Registry'),
  'with an upper-case repository': PINNED.replace('web', 'Web'),
  'with an upper-case digest': PINNED.replace(HEX, HEX.toUpperCase()),
  'with a short digest': PINNED.slice(0, -1),
  'with a digest of another algorithm': PINNED.replace('sha256', 'md5'),
  'with the length of another algorithm': PINNED.replace('sha256', 'sha512'),
  'with * inside a name': 'registry.example.com/team*',
  'with * in the registry': '*.example.com/team/*',
  'with * after a registry without a slash': 'registry.example.com*',
  'with * in the middle': 'registry.example.com/*/web@*',
  'with the beginning of a digest': 'registry.example.com/web@sha256:*',
  'that leads up': `registry.example.com/a/../b@sha256:${HEX}`,
  'with an empty folder': 'registry.example.com//*',
  'with a blank': ` ${PINNED}`,
  'with a line break': `${PINNED}\n`,
  'that is only a slash': '/*',
  'that is only @': '@*',
};

export const BAD_OCI_INPUT: readonly BadInput[] = [
  ...Object.entries(NO_REFERENCES).map(([what, text]) => ({
    title: `a reference ${what}`,
    spec: referring(text),
    answer:
      /ociReferences\[0\]: .*write registry\/repository@sha256:DIGEST, registry\/repository@\* for any digest, or/s,
  })),
  {
    title: 'a reference in a container entry, with a tag',
    spec: inEntry({ types: ['OCI'], ociReferences: ['registry.example.com/web:1'] }),
    answer: /containers\[0\]\.overrides\.seccomp\.ociReferences\[0\]: .* is not a reference: write/,
  },
  ...[`docker.io/web@sha256:${HEX}`, 'index.docker.io/library/web@*', 'index.docker.io/*'].map((text) => ({
    title: `a reference that no pod can name: ${text}`,
    spec: referring(text),
    answer: /ociReferences\[0\]: .*no pod can name ".*": Kubernetes knows .* docker\.io\/library\/NAME/,
  })),
  {
    title: 'an empty reference',
    spec: referring(''),
    answer: /ociReferences\[0\]: .*at least 1 char/,
  },
  {
    title: 'the same reference twice',
    spec: referring(PINNED, PINNED),
    answer: /listed twice; write it once/,
  },
  {
    title: 'too many references',
    spec: referring(...Array.from({ length: 33 }, (_, i) => `registry.example.com/team-${i}/*`)),
    answer: /ociReferences: Too many: 33: must have at most 32 items/,
  },
  {
    title: 'type OCI without references',
    spec: seccomp({ types: ['OCI'] }),
    answer: /OCI in types needs ociReferences: list what it admits, such as registry\.example\.com\/team\/\*/,
  },
  {
    title: 'type OCI without references in a container entry',
    spec: inEntry({ types: ['OCI'] }),
    answer: /containers\[0\]\.overrides\.seccomp: .*OCI in types needs ociReferences/,
  },
  {
    title: 'references without type OCI',
    spec: seccomp({ types: ['RuntimeDefault'], ociReferences: [PINNED] }),
    answer: /ociReferences require OCI in types: add OCI, or remove ociReferences/,
  },
  {
    title: 'references without types',
    spec: seccomp({ ociReferences: [PINNED] }),
    answer: /ociReferences require OCI in types: add OCI, or remove ociReferences/,
  },
  {
    title: 'type oci in lower case',
    spec: seccomp({ types: ['oci'], ociReferences: [PINNED] }),
    answer: /supported values: "RuntimeDefault", "Localhost", "Unconfined", "OCI"/,
  },
  {
    title: 'a default profile of type OCI',
    spec: { mode: 'Enforce', defaulting: 'Enabled', ...seccomp({ default: { type: 'OCI' } }) },
    answer: /default\.type: Unsupported value: "OCI"/,
  },
  {
    title: 'an AppArmor profile of type OCI',
    spec: { overrides: { appArmor: { types: ['OCI'] } } },
    answer: /appArmor\.types\[0\]: Unsupported value: "OCI"/,
  },
];

const GOOD_REFERENCES = [
  PINNED,
  PINNED.replace('.com/', '.com:5000/'),
  `localhost/web@sha256:${HEX}`,
  `registry:5000/web@sha256:${HEX}`,
  `docker.io/library/web@sha512:${HEX}${HEX}`,
  `registry.example.com/a_b/c__d/e--f.g@sha384:${HEX}${HEX.slice(32)}`,
  'docker.io/*',
  'registry.example.com/profiles/web@*',
  'registry.example.com/team/*',
  'registry.example.com/*',
  '*',
];

export const GOOD_OCI_INPUT: readonly Omit<BadInput, 'answer'>[] = [
  { title: 'references of every form', spec: referring(...GOOD_REFERENCES) },
  { title: 'no reference', spec: referring() },
  {
    title: 'references in a container entry',
    spec: inEntry({ types: ['OCI'], ociReferences: GOOD_REFERENCES }),
  },
  {
    title: 'the maximum number of references, each with the maximum length',
    spec: referring(
      ...Array.from({ length: 32 }, (_, i) => `registry.example.com/${i}${'a'.repeat(350)}@sha512:${HEX}${HEX}`),
    ),
  },
];
