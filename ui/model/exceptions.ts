/** The overrides of a policy in words: how it differs from its level. */
import type { CompleteSpec, NamedContainers } from '../../operator/api/capability-policy.ts';
import { RULES } from '../../operator/rules/index.ts';

type Words = (value: never) => string;

/** The most overrides that are stated. Each completes the sentence "restricted, except: …". */
const WORDS: Readonly<Record<string, Words>> = {
  'capabilities.allowedAdd': (names: readonly string[]) =>
    names.length > 0 ? `may add ${listed(names)}` : 'may add no capability',
  'capabilities.allowedAddInUserNamespace': (names: readonly string[]) =>
    `may add ${listed(names)} in a user namespace`,
  'capabilities.requiredDrop': (names: readonly string[]) =>
    names.length > 0 ? `must drop ${listed(names)}` : 'need not drop capabilities',
  'capabilities.allowedBounding': (names: readonly string[]) =>
    names.length > 0 ? `may hold only ${listed(names)}` : 'may hold no capability',
  'capabilities.defaultAdd': (names: readonly string[]) => `${listed(names)} added by default`,
  privileged: (allowed: boolean) => may(allowed, 'be privileged'),
  allowPrivilegeEscalation: (allowed: boolean) => may(allowed, 'gain privileges (setuid)'),
  hostNetwork: (allowed: boolean) => may(allowed, "use the node's network"),
  hostPID: (allowed: boolean) => may(allowed, "see the node's processes"),
  hostIPC: (allowed: boolean) => may(allowed, "use the node's IPC"),
  hostProcess: (allowed: boolean) => may(allowed, 'be a Windows HostProcess'),
  hostProbes: (allowed: boolean) => may(allowed, 'probe other hosts'),
  runAsNonRoot: (required: boolean) => (required ? 'must not run as root' : 'may run as root'),
  readOnlyRootFilesystem: (required: boolean) =>
    required ? 'must have a read-only root filesystem' : 'may write to the root filesystem',
  volumes: (types: readonly string[]) => (types.includes('*') ? 'any volume' : `only volumes ${listed(types)}`),
  runtimeClasses: (names: unknown) => `runtime classes ${valueText(names)}`,
};

/** One phrase for each override; none without overrides. */
export function exceptions({
  overrides = {},
  containers = [],
}: Pick<CompleteSpec, 'overrides' | 'containers'>): string[] {
  return [
    ...phrases(overrides),
    ...containers.map(
      (entry) => `${containersText(entry)}: ${phrases(entry.overrides ?? {}).join(', ') || 'as the others'}`,
    ),
  ];
}

/** A container must match both. */
function containersText({ names = [], images = [] }: NamedContainers): string {
  const named = names.length > 0 ? `container ${names.join(', ')}` : 'any container';
  return images.length > 0 ? `${named} of image ${images.join(', ')}` : named;
}

function phrases(overrides: object): string[] {
  return stated(overrides, '').map(([path, value]) => {
    const words = Object.hasOwn(WORDS, path) ? (WORDS[path] as (value: unknown) => string) : undefined;
    return words ? words(value) : `${path} ${valueText(value)}`;
  });
}

/** The overrides whose parts are stated separately. */
const IN_PARTS = RULES.filter(({ inParts }) => inParts).map(({ id }) => id);

function stated(overrides: object, prefix: string): [path: string, value: unknown][] {
  return Object.entries(overrides).flatMap(([field, value]): [string, unknown][] =>
    IN_PARTS.includes(field) && typeof value === 'object' && value !== null
      ? stated(value, `${field}.`)
      : [[prefix + field, value]],
  );
}

function may(allowed: boolean, what: string): string {
  return `${allowed ? 'may' : 'must not'} ${what}`;
}

function listed(names: readonly string[]): string {
  return names.includes('*') ? 'any capability' : names.join(', ');
}

/** `MustRunAs 1-65535`, `RuntimeDefault, Localhost`. */
function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.length > 0 ? value.map(valueText).join(', ') : 'none';
  if (typeof value !== 'object' || value === null) return String(value);
  const { min, max, ...rest } = value as Readonly<Record<string, unknown>>;
  const range = min === undefined && max === undefined ? [] : [`${min ?? ''}–${max ?? ''}`];
  return [...Object.values(rest).map(valueText), ...range].join(' ');
}
