/**
 * Brings policies with `spec.variables` into force on any API server, in the form for Kubernetes 1.36 and newer. The
 * operator has no flag for this form. This file therefore runs the operator's compiler and the operator's passes in
 * this process, in a loop.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import type { Api, Json } from '../../hack/controlplane/api.ts';
import { renderedObjects } from '../../hack/controlplane/rendered.ts';
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import type { CapabilityPolicy, CompletePolicy } from '../../operator/api/capability-policy.ts';
import { completePolicy } from '../../operator/api/defaults.ts';
import { Programs } from '../../operator/apply/programs.ts';
import { ApiClient } from '../../operator/cluster/client.ts';
import { compile } from '../../operator/compile/compile.ts';
import { EXCLUDED_NAMESPACES } from '../../operator/model/namespaces.ts';
import type { RenderedObject } from '../../operator/model/objects.ts';
import { lastAccepted } from '../../operator/state/accepted-specs.ts';
import { isProgrammed, OPERATOR_NAMESPACE } from '../support/harness.ts';
import { POLICIES } from '../support/rendered.ts';

/** The first version whose admission policies have variables, as N of Kubernetes 1.N. */
const WITH_VARIABLES = 36;
const PAUSE_MS = 50;

export class ProgramsWithVariables {
  readonly #api: Api;
  readonly #client: ApiClient;
  readonly #programs: Programs;
  readonly #working: Promise<void>;
  #stopped = false;

  /** Starts the passes immediately. */
  constructor(kubeconfig: string, api: Api) {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    this.#api = api;
    this.#client = new ApiClient(config, { qps: 1_000, burst: 1_000 });
    const servers = async () => [this.#client];
    this.#programs = new Programs(this.#client, { servers, onWrite: () => {} });
    this.#working = this.#work();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#working;
    await this.#client.close();
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      // A pass fails while the API server is down.
      await this.#pass().catch(() => {});
      await sleep(PAUSE_MS);
    }
  }

  async #pass(): Promise<void> {
    const policies = await this.#api.list(POLICIES);
    const rendered = (await renderedObjects(this.#api)) as unknown as RenderedObject[];
    const compiled = compile(policies.map(atServersLevel), {
      oldestServer: WITH_VARIABLES,
      operatorNamespace: OPERATOR_NAMESPACE,
      excludedNamespaces: EXCLUDED_NAMESPACES,
      lastAccepted: lastAccepted(rendered),
    });
    const { outcomes } = await this.#programs.pass(compiled, rendered);
    for (const policy of policies) {
      const inForce = outcomes.get(policy.metadata.name)?.state === 'InForce';
      if (inForce && !isProgrammed(policy)) await this.#writeProgrammed(policy);
    }
  }

  /** Writes the condition Programmed in place of the operator, because the storm waits for this condition. */
  async #writeProgrammed({ metadata: { name, generation } }: Json): Promise<void> {
    const condition = {
      type: 'Programmed',
      status: 'True',
      observedGeneration: generation,
      lastTransitionTime: new Date().toISOString(),
      reason: 'InForce',
      message: 'Written by the storm.',
    };
    await this.#api.patch(`${POLICIES}/${name}/status`, { status: { conditions: [condition] } });
  }
}

/**
 * The policy with a fixed version of the Standards instead of `latest`. The value `latest` means the API server's own
 * version, as in the operator.
 */
function atServersLevel(policy: CapabilityPolicy): CompletePolicy {
  const complete = completePolicy(policy);
  if (complete.spec.levelVersion !== 'latest') return complete;
  return { ...complete, spec: { ...complete.spec, levelVersion: `v1.${Math.min(SERVER_MINOR, WITH_VARIABLES)}` } };
}
