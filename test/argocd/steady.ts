/** Checks that three minutes without changes cause no writes. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../hack/controlplane/api.ts';
import { OPERATOR_USER } from '../support/rights.ts';
import { APPLICATIONS, application } from './applications.ts';
import { ENFORCE, MODES, type Mode, namespaceOf, policyOf, REPLACE, slug } from './objects.ts';
import { ARGO_NAMESPACE, ARGO_USER } from './server.ts';
import type { Stage } from './stage.ts';

export const STEADY_MS = 180_000;
const IGNORED = [{ group: '', kind: 'Namespace', managedFieldsManagers: ['capabilitypolicy.dev'] }];

/**
 * Creates an Application with a policy and a namespace for every mode. Also creates Applications whose namespaces have
 * labels in Git.
 */
export async function steadyApplications(stage: Stage): Promise<string[]> {
  const all = [
    ...[...MODES, REPLACE].map((mode) => ({ mode, name: `steady-${slug(mode)}`, labels: {} })),
    ...MODES.map((mode) => ({ mode, name: `steady-named-${slug(mode)}`, labels: { [ENFORCE]: 'baseline' } })),
    ...MODES.map((mode) => ({ mode, name: `steady-equal-${slug(mode)}`, labels: { [ENFORCE]: 'restricted' } })),
    ...MODES.map((mode) => ({
      mode: ignoring(mode),
      name: `steady-ignoring-${slug(mode)}`,
      labels: { [ENFORCE]: 'baseline' },
    })),
  ];
  await Promise.all(
    all.map(async ({ mode, name, labels }) => {
      const repository = stage.repository();
      const commit = repository.commit({
        'policy.yaml': [policyOf(name, {}, { wave: 1 })],
        'namespace.yaml': [namespaceOf(name, { environment: name, ...labels }, { wave: 2 })],
      });
      await stage.applications.create(application(name, { url: repository.url, ...mode }));
      await stage.applications.healthy(name, commit);
    }),
  );
  return all.map(({ name }) => name);
}

function ignoring(mode: Mode): Mode & { readonly ignoreDifferences: readonly object[] } {
  return { ...mode, options: [...mode.options, 'RespectIgnoreDifferences=true'], ignoreDifferences: IGNORED };
}

/** Checks that Argo CD syncs nothing. Argo CD and the operator may write only their own objects. */
export async function assertSteady(stage: Stage, names: readonly string[]): Promise<void> {
  assert.ok(names.length >= 12, `${names.length}`);
  const syncs = async () => {
    const applications = await stage.api.list(APPLICATIONS);
    const own = applications.filter(({ metadata }) => names.includes(metadata.name));
    return own.map(
      ({ metadata, status }: Json) => `${metadata.name} ${status.sync.status} ${status.operationState?.startedAt}`,
    );
  };
  const before = await syncs();
  const began = new Date().toISOString();
  await sleep(STEADY_MS);
  assert.deepEqual(await syncs(), before);
  const writes = stage.audit
    .events()
    .filter(({ requestReceivedTimestamp }) => requestReceivedTimestamp > began)
    .filter(({ requestURI }) => !requestURI.includes('dryRun=All'))
    .filter(({ objectRef }) => objectRef?.resource !== 'leases' && objectRef?.namespace !== ARGO_NAMESPACE)
    .filter(({ user }) => [OPERATOR_USER, ARGO_USER].includes(user.username))
    .map(({ user, verb, requestURI }) => `${user.username} ${verb} ${requestURI}`);
  assert.deepEqual(writes, []);
}
