/**
 * Finds the fields and values that are allowed at a position of a text, and their meaning. The text contains policies,
 * pods or workloads.
 */
import { KUBERNETES_FIELDS, schemaOf } from '../../analysis/manifests/kubernetes-schema.ts';
import policySchema from '../../docs/reference/capabilitypolicy.schema.json' with { type: 'json' };
import { type Schema, schemaAt } from '../../operator/api/schema.ts';
import { CAPABILITIES, CAPABILITY_TABLE } from '../../operator/standards/capabilities.ts';
import { meaningText } from './capability-words.ts';
import { cursorAt, type YamlPath } from './yaml-cursor.ts';

const POLICY_TYPE = 'capabilitypolicy.dev/v1alpha1 CapabilityPolicy';
const POLICY = policySchema as unknown as Schema;

/** The allowed values of some fields of pods. The OpenAPI documents of Kubernetes do not list these values. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  'seccompProfile.type': ['RuntimeDefault', 'Localhost', 'Unconfined', 'OCI'],
  'baseProfile.type': ['RuntimeDefault', 'Localhost'],
  'appArmorProfile.type': ['RuntimeDefault', 'Localhost', 'Unconfined'],
  'capabilities.add': CAPABILITIES,
  'capabilities.drop': ['ALL', ...CAPABILITIES],
  'securityContext.procMount': ['Default', 'Unmasked'],
  'securityContext.supplementalGroupsPolicy': ['Merge', 'Strict'],
  'securityContext.fsGroupChangePolicy': ['OnRootMismatch', 'Always'],
  'os.name': ['linux', 'windows'],
  'spec.restartPolicy': ['Always', 'OnFailure', 'Never'],
};

const MEANINGS: Readonly<Record<string, string>> = {
  securityContext: 'Security settings. The settings of a container take precedence over the settings of its pod.',
  privileged: 'Gives the container every capability and the devices of the node.',
  allowPrivilegeEscalation:
    'false sets no_new_privs: a process cannot gain more privileges than its parent, for instance by a setuid program.',
  capabilities: 'Linux capabilities that the container adds to the defaults of the container runtime, or drops.',
  add: 'Capabilities that the container gets in addition to the defaults of the runtime. Write names without CAP_, such as NET_RAW.',
  drop: 'Capabilities that the container does not get. ALL drops all of them; `add` then adds some back.',
  runAsNonRoot: 'true: the kubelet refuses to start a container whose user is root.',
  runAsUser: 'The user ID of the processes.',
  runAsGroup: 'The primary group ID of the processes.',
  fsGroup: 'The group ID that owns the volumes. All processes also have this group ID.',
  readOnlyRootFilesystem: 'true: the container cannot write to the files of its image.',
  seccompProfile: 'Limits the system calls of the processes. RuntimeDefault is the profile of the container runtime.',
  appArmorProfile: 'The AppArmor profile of the processes.',
  seLinuxOptions: 'The SELinux context of the processes.',
  procMount: 'Unmasked shows all of /proc; it needs hostUsers: false.',
  hostNetwork: 'true: the pod uses the network of the node, with all of its ports and traffic.',
  hostPID: 'true: the pod sees, and may signal, all processes of the node.',
  hostIPC: 'true: the pod uses the shared memory of the node.',
  hostUsers: 'false: the pod runs in a user namespace, in which root is not the root of the node.',
  hostPort: 'A port of the node that leads to the container.',
  hostPath: 'A file or folder of the node.',
  sysctls: 'Kernel parameters of the pod.',
  supplementalGroups: 'Further group IDs of the processes.',
  runtimeClassName: 'The container runtime, such as a sandbox.',
};

export interface Suggestion {
  readonly label: string;
  /** The type of the field in words, such as `boolean` or `list`. */
  readonly type: string;
  readonly meaning: string;
  /** The text that the editor inserts for the suggestion. */
  readonly apply: string;
}

export interface Suggestions {
  readonly from: number;
  readonly options: readonly Suggestion[];
}

/** The suggestions for an offset of the text. If nothing can be suggested, the result is undefined. */
export function suggestionsAt(text: string, offset: number): Suggestions | undefined {
  const cursor = cursorAt(text, offset);
  if (!cursor) return undefined;
  const { around, writes, from, siblings, type } = cursor;
  const schema = schemaFor(type, around);
  const options =
    writes === 'value' || around.at(-1) === 0
      ? valuesOf(schema, around).map((value) => ({
          label: value,
          type: 'value',
          meaning: meaningOfValue(value),
          apply: value,
        }))
      : [];
  const keys = writes === 'key' ? keysOf(schema, around, siblings) : [];
  const all = [...options, ...keys];
  return all.length === 0 ? undefined : { from, options: all };
}

export interface Meaning {
  readonly from: number;
  readonly to: number;
  readonly title: string;
  readonly text: string;
}

/** The meaning of the word at the given offset of the text. */
export function meaningAt(text: string, offset: number): Meaning | undefined {
  const left = /[\w.*/-]*$/.exec(text.slice(0, offset))?.[0].length ?? 0;
  const right = /^[\w.*/-]*/.exec(text.slice(offset))?.[0].length ?? 0;
  const [from, to] = [offset - left, offset + right];
  const word = text.slice(from, to);
  const cursor = word === '' ? undefined : cursorAt(text, from);
  if (!cursor) return undefined;
  if (/^\s*:(?:\s|$)/.test(text.slice(to)) && cursor.writes === 'key') {
    const path = [...cursor.around, word];
    const schema = schemaFor(cursor.type, path);
    if (!schema) return undefined;
    const meaning = schema.description ?? meaningOfField(word);
    const required = typeText(schema);
    return meaning === '' && required === '' ? undefined : { from, to, title: `${word}: ${required}`, text: meaning };
  }
  const meaning = meaningOfValue(word);
  return meaning === '' ? undefined : { from, to, title: word, text: meaning };
}

function keysOf(schema: Schema | undefined, around: YamlPath, siblings: readonly string[]): Suggestion[] {
  const properties = schema?.properties ?? (around.length === 0 ? ROOT : {});
  return Object.entries(properties)
    .filter(([key]) => !siblings.includes(key) && !(around.length === 0 && key === 'status'))
    .map(([key, of]) => ({
      label: key,
      type: typeText(of),
      meaning: of.description ?? meaningOfField(key),
      apply: `${key}:${isCollection(of) ? '' : ' '}`,
    }));
}

/** The suggested fields for a text that does not state a kind yet. */
const ROOT: Readonly<Record<string, Schema>> = {
  apiVersion: { type: 'string', description: 'The group and version of the API: v1, apps/v1 …' },
  kind: { type: 'string', description: 'The kind of the object: Pod, Deployment, CapabilityPolicy …' },
  metadata: { type: 'object' },
  spec: { type: 'object' },
};

function isCollection({ type }: Schema): boolean {
  return type === 'object' || type === 'array';
}

function valuesOf(schema: Schema | undefined, around: YamlPath): readonly string[] {
  const [last = '', before = ''] = around.filter((step) => step !== 0).toReversed();
  if (around.length === 1 && last === 'kind') return KINDS.map(([, kind]) => kind ?? '');
  if (around.length === 1 && last === 'apiVersion') return [...new Set(KINDS.map(([version]) => version ?? ''))];
  const known = VALUES[`${before}.${last}`];
  if (known) return last === 'add' || last === 'drop' ? (around.at(-1) === 0 ? known : []) : known;
  // For the lists below `capabilities` of a policy, the items are names of capabilities.
  if (before === 'capabilities' && around.at(-1) === 0) {
    return [...(last === 'requiredDrop' ? ['ALL'] : ['*']), ...CAPABILITIES];
  }
  if (schema?.enum) return schema.enum.map(String);
  return schema?.type === 'boolean' ? ['true', 'false'] : [];
}

const KINDS = [POLICY_TYPE, ...Object.keys(KUBERNETES_FIELDS.roots)].map((root) => root.split(' '));

/**
 * The meaning of a field that no schema lists. For example, no schema lists labels, because labels and selectors may
 * have any key.
 */
function meaningOfField(name: string): string {
  return (Object.hasOwn(MEANINGS, name) && MEANINGS[name]) || '';
}

function meaningOfValue(word: string): string {
  const found = CAPABILITY_TABLE.find(({ name }) => name === word);
  return found ? meaningText(found) : '';
}

function schemaFor(type: string | undefined, path: YamlPath): Schema | undefined {
  if (type === POLICY_TYPE) return schemaAt(POLICY, path);
  const root = type === undefined ? undefined : KUBERNETES_FIELDS.roots[type];
  return root === undefined ? undefined : schemaAt(schemaOf(root), path);
}

/** The type of a field in words, such as `true or false` or `list of text`. */
function typeText({ type, enum: values, items }: Schema): string {
  if (values) return values.join(' or ');
  switch (type) {
    case 'boolean':
      return 'true or false';
    case 'array':
      return items?.type === 'object' ? 'list' : `list of ${typeText(items ?? {}) || 'values'}`;
    case 'object':
      return 'fields';
    case 'string':
      return 'text';
    case 'integer':
    case 'number':
      return 'number';
    default:
      return '';
  }
}
