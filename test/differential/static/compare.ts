/**
 * Compares policies in an API server's files with the same policies as objects of the API. One API server answers the
 * same requests twice. At first, the policies are in files. After the removal of the files, the policies are objects.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { loadAll } from 'js-yaml';
import { Api, type Json } from '../../../hack/controlplane/api.ts';
import { waitFor } from '../../../hack/controlplane/wait.ts';
import { type Identified, pathOf } from '../../../operator/cluster/client.ts';
import { inParallel } from '../../../operator/runtime/in-parallel.ts';
import { cappol } from '../../support/cappol.ts';
import { CREATOR, createNamespace } from '../../support/harness.ts';
import { grant } from '../../support/namespace-changes.ts';
import { privilegedPod, restrictedPod } from '../../support/pod-manifests.ts';
import { writtenPolicy } from '../../support/policies.ts';
import { startWithStatic } from '../../support/protected.ts';
import { randomPods } from '../../support/random-pods.ts';
import { NAMESPACES } from '../../support/rendered.ts';
import { withoutRandomNames } from '../policies/text.ts';
import { joins, objectsInNewCluster, restarts, Start, type Starts } from './starts.ts';

const selecting = (team: string) => ({ matchLabels: { team } });

/**
 * One or two Enforce policies decide in each namespace. In the first of three cases, two policies decide, and a pod has
 * to satisfy only one of the two policies. The other cases have a policy with restricted use, and a policy with
 * defaulting. The policies in modes Warn and Audit decide in all namespaces.
 */
const POLICIES = [
  writtenPolicy('base', { namespaceSelector: selecting('a') }),
  writtenPolicy('ping', {
    namespaceSelector: selecting('a'),
    overrides: { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] }, hostNetwork: true },
  }),
  writtenPolicy('granted', {
    namespaceSelector: selecting('b'),
    level: 'baseline',
    usableBy: 'Subjects',
    subjects: [{ kind: 'ServiceAccount', namespace: 'static-b', name: 'default' }],
  }),
  writtenPolicy('filling', { namespaceSelector: selecting('c'), defaulting: 'Enabled' }),
  writtenPolicy('warning', { level: 'baseline', mode: 'Warn' }),
  writtenPolicy('auditing', { mode: 'Audit' }),
];
const TEAMS = ['a', 'b', 'c'] as const;
const AT_ONCE = 8;
/**
 * The two namespaces of team a. The first namespace already exists. In a new cluster, the clients create the second
 * namespace.
 */
const [OLD, NEW] = ['static-a', 'static-new'];

export interface Comparison {
  readonly pods: number;
  readonly refused: number;
  readonly warned: number;
  readonly filled: number;
  readonly differences: readonly string[];
  /** The counts of answers while an API server starts. Clients send requests all the time. */
  readonly starts: { readonly files: Starts; readonly objects?: Starts };
}

/**
 * @param whole whether to measure additional starts of API servers. The additional starts are the starts of a second
 * API server, and all starts with policies as objects. The test does not check the additional starts.
 */
export async function compareStatic(runs: number, seed: number, { whole = false } = {}): Promise<Comparison> {
  const policies = POLICIES.map((one) => JSON.stringify(one)).join('\n---\n');
  let start: Start | undefined;
  const { controlPlane, directory, stop } = await startWithStatic(['--policy', '-'], policies, {
    controllers: false,
    beforeLaunch: async (kubeconfig) => {
      start = new Start(kubeconfig, NEW);
      await start.waiting();
    },
  });
  const api = new Api(controlPlane.kubeconfig);
  try {
    const newCluster = await start?.end();
    await prepare(api, directory);
    const pods = fc.sample(randomPods(), { numRuns: runs, seed });
    const byFiles = await evaluate(api, pods);
    const startsOf = async (inNewCluster: Starts['newCluster']): Promise<Starts> => ({
      newCluster: inNewCluster,
      restart: await restarts(controlPlane, OLD),
      ...(whole && { joining: await joins(controlPlane, OLD) }),
    });
    const files = await startsOf(newCluster);
    await replaceFiles(api, directory, policies);
    const byObjects = await evaluate(api, pods);
    const objects = whole ? await startsOf(await objectsInNewCluster(await rendered(policies), NEW)) : undefined;
    const differences = byFiles.flatMap((answer, i) =>
      answer === byObjects[i] ? [] : [`${JSON.stringify(pods[i])}\nfiles:   ${answer}\nobjects: ${byObjects[i]}`],
    );
    const counted = (text: string) => byFiles.filter((answer) => answer.includes(text)).length;
    return {
      pods: byFiles.length,
      refused: counted('"status":403'),
      warned: counted('"warnings":["Validation failed'),
      filled: counted('"capabilitypolicy.dev/policy":"filling"'),
      differences,
      starts: { files, ...(objects && { objects }) },
    };
  } finally {
    await api.close();
    await stop();
  }
}

/**
 * Creates namespaces, their service accounts, and the roles. Roles cannot be in a file. This control plane has no
 * controller that creates service accounts.
 */
async function prepare(api: Api, directory: string): Promise<void> {
  // The role `edit` stays empty, because this control plane has no controller that aggregates roles.
  await grant(api, CREATOR.user, [{ apiGroups: [''], resources: ['pods'], verbs: ['create'] }]);
  for (const team of TEAMS) await createNamespace(api, `static-${team}`, { team });
  for (const object of objectsIn(readFileSync(join(directory, 'roles.yaml'), 'utf8')))
    await api.apply(pathOf(object), object);
  await inForce(api);
}

function objectsIn(text: string): Identified[] {
  return loadAll(text) as Identified[];
}

/** Waits until each policy decides. The API server reads the policy either from a file or from the API. */
async function inForce(api: Api): Promise<void> {
  let missing: readonly string[] = [];
  const look = async () => {
    const refused = await Promise.all(TEAMS.map((team) => ask(api, team, privilegedPod())));
    const [granted, named] = [await ask(api, 'b', restrictedPod()), await ask(api, 'c', restrictedPod())];
    missing = [
      ...refused.filter((answer) => !answer.includes('"status":403') || !answer.includes('Validation failed')),
      ...[granted].filter((answer) => !answer.includes('"status":201')),
      ...[named].filter((answer) => !answer.includes('"capabilitypolicy.dev/policy":"filling"')),
    ];
    return missing.length === 0;
  };
  await waitFor('the policies to be in force', look).catch((error: Error) => {
    throw new Error(`${error.message}: ${missing.join('\n')}`);
  });
}

/** Removes the files and waits until no policy is enforced. Creates the objects that `cappol render` prints. */
async function replaceFiles(api: Api, directory: string, policies: string): Promise<void> {
  for (const folder of ['validating', 'mutating']) {
    for (const file of readdirSync(join(directory, folder))) rmSync(join(directory, folder, file));
  }
  await waitFor(
    'the API server to drop the files',
    async () => {
      const answers = await Promise.all(TEAMS.map((team) => ask(api, team, privilegedPod())));
      return answers.every((answer) => answer.includes('"status":201') && !answer.includes('Validation failed'));
    },
    { timeoutMs: 90_000 },
  );
  for (const object of await rendered(policies)) await api.apply(pathOf(object), object);
  await inForce(api);
}

async function rendered(policies: string): Promise<Identified[]> {
  return objectsIn((await cappol(['render', '--policy', '-'], policies)).stdout);
}

async function evaluate(api: Api, pods: readonly object[]): Promise<string[]> {
  const answers: string[] = [];
  await inParallel([...pods.entries()], AT_ONCE, async ([i, pod]) => {
    answers[i] = await ask(api, TEAMS[i % TEAMS.length] ?? 'a', pod);
  });
  return answers;
}

/** The API server's answer to the creation of a pod. The result lacks varying parts and the names of files. */
async function ask(api: Api, team: string, pod: object): Promise<string> {
  const body: Json = structuredClone(pod);
  body.metadata = { ...body.metadata, name: 'pod' };
  const path = `${NAMESPACES}/static-${team}/pods`;
  const {
    status,
    body: answer,
    warnings,
  } = await api.ask('POST', path, { body, as: CREATOR, query: { dryRun: 'All' } });
  const { message, spec, metadata } = answer;
  // The API server's own validation errors list the entries of a map (such as annotations) in random order.
  const said = {
    status,
    message: status === 422 ? '' : message,
    spec,
    annotations: sorted(metadata?.annotations),
    warnings: warnings.toSorted(),
  };
  return withoutRandomNames(JSON.stringify(said).replaceAll('.static.k8s.io', ''));
}

function sorted(annotations: Readonly<Record<string, string>> = {}) {
  return Object.fromEntries(Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1)));
}
