/**
 * Asks an API server for the level that Pod Security enforces in namespaces without a label, and for the namespaces that
 * are exempt. The API has no object with these settings. They show in the warnings about a change of a namespace's
 * labels (k8s.io/pod-security-admission, admission/admission.go, ValidateNamespace), so the probes change labels by dry
 * run:
 *
 * - If only `enforce-version` is set, the level is the default. Pod Security names this level in its warning about
 *   running pods that violate the level, and in its warning about an exempt namespace.
 * - If `enforce` is set to restricted, an exempt namespace gets a warning.
 *
 * The operator needs no further right for these probes (docs/decisions/0061).
 */
import { type ApiClient, ApiError, pathFor } from '../cluster/client.ts';
import { LABEL_PREFIX, type LevelVersion, minorOf } from '../compile/labels.ts';
import type { NamespaceView, PodView } from '../model/objects.ts';

export interface PodSecurityAnswer {
  /** Whether the API server's answers show the default. */
  readonly isKnown: boolean;
  /** The level that is enforced by default. The field is absent for the level privileged, or if the default is unknown. */
  readonly enforce?: LevelVersion;
  /** The reason why the default is unknown. The message is empty if the default is known. */
  readonly message: string;
}

/** A namespace whose labels a probe changes by dry run. */
export interface ProbedNamespace extends Pick<NamespaceView, 'name' | 'labels'> {
  /** Whether a pod runs here that every version of the level baseline refuses. */
  readonly hasPrivilegedPod: boolean;
}

type Changes = Readonly<Record<'enforce' | 'enforce-version', string | null>>;

/** Two versions, because a change to the default's own version changes nothing and so gets no warning. */
const VERSIONS = ['v1.0', 'v1.1'];
const DEFAULT_LEVEL = /(?:new PodSecurity enforce level "|\(enforce=)(baseline|restricted):([^",)\s]+)/;
const EXEMPT = /is exempt from Pod Security/;
const NOT_CHECKED = /PodSecurity enforce level/;
const UNCLEAR = 'unclear';

/** @param namespaces the namespaces to ask about, in order, until an answer shows the default */
export async function askDefault(
  client: ApiClient,
  namespaces: readonly ProbedNamespace[],
): Promise<PodSecurityAnswer> {
  const refusals: string[] = [];
  for (const namespace of namespaces) {
    try {
      const enforce = await defaultIn(client, namespace);
      if (enforce === UNCLEAR) continue;
      if (enforce) return { isKnown: true, enforce, message: '' };
      if (namespace.hasPrivilegedPod || (await isExempt(client, namespace.name))) return { isKnown: true, message: '' };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      refusals.push(error.message);
    }
  }
  const none = 'no namespace is exempt, and no pod runs that the level baseline refuses';
  return { isKnown: false, message: refusals[0] ?? none };
}

/**
 * Whether Pod Security exempts the namespace, so that neither labels nor defaults have an effect in it. If another
 * component refuses the dry run, the namespace counts as not exempt.
 */
export async function isExempt(client: ApiClient, namespace: string): Promise<boolean> {
  try {
    for (const version of VERSIONS) {
      const warnings = await ask(client, namespace, { enforce: 'restricted', 'enforce-version': version });
      if (warnings.some((warning) => EXEMPT.test(warning))) return true;
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
  return false;
}

/**
 * Whether the pod uses a field that every version of the level baseline refuses. Pod Security may exempt runtime
 * classes, so a pod with a runtime class does not count.
 */
export function isPrivileged({ spec, finished }: Pick<PodView, 'spec' | 'finished'>): boolean {
  if (finished || spec.runtimeClassName !== undefined) return false;
  return spec.hostNetwork === true || spec.hostPID === true || spec.hostIPC === true;
}

/** The default of a namespace. The result is undefined if the default is privileged, or if no warning shows it. */
async function defaultIn(
  client: ApiClient,
  { name, labels }: ProbedNamespace,
): Promise<LevelVersion | typeof UNCLEAR | undefined> {
  for (const version of VERSIONS) {
    const warnings = await ask(client, name, { enforce: null, 'enforce-version': version });
    const found = levelIn(warnings);
    // Pod Security stops after a second, and then warns that it did not check all pods.
    if (!found && warnings.some((warning) => NOT_CHECKED.test(warning))) return UNCLEAR;
    if (!found) continue;
    const isLabelled = `${LABEL_PREFIX}enforce` in labels || `${LABEL_PREFIX}enforce-version` in labels;
    const minor = isLabelled ? await minorOfLabelled(client, name) : await minorOfUnlabelled(client, name);
    return { level: found.level, minor };
  }
  return undefined;
}

/** The version of the default, in a namespace whose labels differ from the default. */
async function minorOfLabelled(client: ApiClient, name: string): Promise<number> {
  const found = levelIn(await ask(client, name, { enforce: null, 'enforce-version': null }));
  return minorOf(found?.version ?? 'latest');
}

/** The version of the default, in a namespace without labels. The default's own version changes nothing. */
async function minorOfUnlabelled(client: ApiClient, name: string): Promise<number> {
  const isOwn = async (version: string) =>
    levelIn(await ask(client, name, { enforce: null, 'enforce-version': version })) === undefined;
  const newest = minorOf('latest');
  if (await isOwn('latest')) return newest;
  for (let minor = newest; minor > 0; minor--) if (await isOwn(`v1.${minor}`)) return minor;
  return 0;
}

function levelIn(warnings: readonly string[]): { level: LevelVersion['level']; version: string } | undefined {
  for (const warning of warnings) {
    const [, level, version = ''] = DEFAULT_LEVEL.exec(warning) ?? [];
    if (level) return { level: level as LevelVersion['level'], version };
  }
  return undefined;
}

/** Changes labels by dry run. @returns the API server's warnings */
function ask(client: ApiClient, name: string, changes: Changes): Promise<readonly string[]> {
  const labels = Object.fromEntries(Object.entries(changes).map(([key, value]) => [LABEL_PREFIX + key, value]));
  return client.warningsOf(pathFor('v1', 'Namespace', undefined, name), { metadata: { labels } });
}
