/** What judging stands on: policies, namespaces, and who may use what; from files, from a cluster, or both. */
import { type CompletePolicy, GROUP, KIND, VERSION } from '../../api/capability-policy.ts';
import { completePolicy, completeSpec } from '../../api/defaults.ts';
import type { Cluster, RoleBindingView, RoleView } from '../../cluster/objects.ts';
import { createProjection, type Projection } from '../../cluster/projection.ts';
import { projectRole, projectRoleBinding } from '../../cluster/rbac-projection.ts';
import { Recent, UNSHARED } from '../../cluster/sharing.ts';
import { type Compiled, type CompileOptions, compile } from '../../compile/compile.ts';
import type { AdmissionOptions } from '../../compile/match.ts';
import { createUseIndex } from '../../evaluate/use.ts';
import type { Court } from '../../evaluate/verdict.ts';
import { Evaluator } from '../../evaluate/violations.ts';
import { deciding, isExcluded, MODES } from '../../policy/deciding.ts';
import type { ResolvedPolicy } from '../../policy/resolve.ts';
import { RULES } from '../../rules/index.ts';
import { formatVersion, type Level } from '../../standards/level-version.ts';
import type { CheckedPolicy } from '../commands/check/result.ts';
import { roleOf } from '../input/kinds.ts';
import type { Manifest } from '../input/manifests.ts';
import type { Trouble } from '../input/trouble.ts';
import { isGround, isReadable } from './ground-problems.ts';
import { validatePolicy } from './validate.ts';

type Labels = Readonly<Record<string, string>>;

/** The API server puts it on every namespace. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

export interface GroundsOptions extends AdmissionOptions {
  /** N of Kubernetes 1.N of the oldest API server. */
  readonly oldestServer: number;
  /** Of namespaces that nothing else is known of. */
  readonly namespaceLabels: Labels;
  readonly lastAccepted?: CompileOptions['lastAccepted'];
}

/** Collects them: what comes later takes the place of what has the same name, as applying it would. */
export class Foundation {
  readonly #projection: Projection = createProjection(RULES, UNSHARED);
  readonly #policies: Map<string, CompletePolicy>;
  /** Of policies from manifests. */
  readonly #sources: Map<string, Pick<CheckedPolicy, 'file' | 'line'>>;
  readonly #namespaces: Map<string, Labels>;
  readonly #roles: Map<string, RoleView>;
  readonly #bindings: Map<string, RoleBindingView>;

  /** Whether it accepts policies from manifests and from a cluster. */
  #takesPolicies: boolean;

  /** @param other to begin with what it has */
  constructor(other?: Foundation) {
    this.#takesPolicies = other ? other.#takesPolicies : true;
    this.#policies = new Map(other ? other.#policies : []);
    this.#sources = new Map(other ? other.#sources : []);
    this.#namespaces = new Map(other ? other.#namespaces : []);
    this.#roles = new Map(other ? other.#roles : []);
    this.#bindings = new Map(other ? other.#bindings : []);
  }

  /** Enforces one level in every namespace, and ignores the policies in manifests and in the cluster. */
  static ofLevel(level: Level, levelVersion: string): Foundation {
    const foundation = new Foundation();
    const name = `level-${level}`;
    const spec = completeSpec({ namespaceSelector: {}, level, levelVersion, mode: 'Enforce' });
    foundation.#policies.set(name, { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata: { name }, spec });
    foundation.#sources.set(name, { file: '--level', line: null });
    foundation.#takesPolicies = false;
    return foundation;
  }

  get isEmpty(): boolean {
    return this.#policies.size === 0;
  }

  /** Names of the policies that manifests state; sorted. */
  get stated(): readonly string[] {
    return [...this.#sources.keys()].sort();
  }

  /** The same with these policies in mode Enforce. */
  enforcing(names: readonly string[]): Foundation {
    const copy = new Foundation(this);
    for (const name of names) {
      const policy = this.#policies.get(name);
      if (policy) copy.#policies.set(name, { ...policy, spec: { ...policy.spec, mode: 'Enforce' } });
    }
    return copy;
  }

  /** @param tell receives what is wrong with the object, which is skipped when it can't be read */
  addManifest(manifest: Manifest, tell: (trouble: Trouble) => void): void {
    const { object } = manifest;
    const role = roleOf(object.apiVersion, object.kind);
    if (isGround(role) && !isReadable(manifest, tell)) return;
    switch (role) {
      case 'policy':
        if (this.#takesPolicies) this.#addPolicyManifest(manifest, tell);
        return;
      case 'namespace': {
        const { name, labels } = this.#projection.namespace(object);
        // As kubectl apply leaves labels that others set.
        this.#namespaces.set(name, { ...this.#namespaces.get(name), ...labels });
        return;
      }
      case 'role':
        this.#addRole(object.kind, this.#projection.role(object));
        return;
      case 'roleBinding':
        this.#addBinding(object.kind, this.#projection.roleBinding(object));
        return;
      default:
    }
  }

  addCluster(cluster: Cluster): void {
    if (this.#takesPolicies) {
      for (const policy of cluster.policies()) this.#policies.set(policy.metadata?.name ?? '', policy);
    }
    for (const { name, labels } of cluster.namespaces()) this.#namespaces.set(name, labels);
    for (const role of cluster.roles()) this.#addRole(role.namespace ? 'Role' : 'ClusterRole', role);
    for (const one of cluster.roleBindings()) {
      this.#addBinding(one.namespace ? 'RoleBinding' : 'ClusterRoleBinding', one);
    }
  }

  /** @param tell what is wrong with a policy beyond its form */
  build(options: GroundsOptions, tell: (trouble: Trouble) => void): Grounds {
    const compiled = compile([...this.#policies.values()], options);
    for (const [name, { message }] of compiled.refusals) {
      const { file = null, line = null } = this.#sources.get(name) ?? {};
      tell({
        file: file ?? 'cluster',
        ...(line !== null && { line }),
        message: `CapabilityPolicy ${name}: ${message}`,
      });
    }
    const use = this.#useIndex(compiled);
    return new Grounds({
      compiled,
      options,
      projection: this.#projection,
      court: { evaluator: new Evaluator(), use },
      namespaces: this.#namespaces,
      policies: compiled.policies.map((policy) => describe(policy, this.#sources.get(policy.name))),
    });
  }

  #addPolicyManifest({ object, file, line, lineOf, textOf }: Manifest, tell: (trouble: Trouble) => void): void {
    const { policy, problems } = validatePolicy(object, textOf);
    const name = String(object.metadata?.name ?? '');
    for (const { path, message } of problems) {
      tell({ file, line: lineOf(path), message: `CapabilityPolicy ${name}: ${message}` });
    }
    if (!policy) return;
    const live = this.#policies.get(name)?.metadata;
    const metadata = { ...policy.metadata, ...(live && pickIdentity(live)) };
    this.#policies.set(name, { ...completePolicy(policy), metadata });
    this.#sources.set(name, { file, line });
  }

  #addRole(kind: string, role: RoleView | undefined): void {
    if (role) this.#roles.set(`${kind}/${role.namespace ?? ''}/${role.name}`, role);
  }

  #addBinding(kind: string, binding: RoleBindingView): void {
    this.#bindings.set(`${kind}/${binding.namespace ?? ''}/${binding.name}`, binding);
  }

  /** With the roles and bindings that the operator renders, which manifests lack. */
  #useIndex({ rendered }: Compiled) {
    for (const { role, roleBinding } of rendered.values()) {
      this.#addRole('ClusterRole', projectRole(role as never));
      if (roleBinding) this.#addBinding('ClusterRoleBinding', projectRoleBinding(roleBinding as never));
    }
    return createUseIndex(this.#roles.values(), this.#bindings.values());
  }
}

interface GroundsParts {
  readonly compiled: Compiled;
  readonly options: GroundsOptions;
  readonly projection: Projection;
  readonly court: Court;
  readonly namespaces: ReadonlyMap<string, Labels>;
  readonly policies: readonly CheckedPolicy[];
}

export class Grounds {
  readonly compiled: Compiled;
  readonly projection: Projection;
  readonly court: Court;
  /** By name. */
  readonly policies: readonly CheckedPolicy[];
  readonly #options: GroundsOptions;
  readonly #namespaces: ReadonlyMap<string, Labels>;
  readonly #parties = new Recent<readonly (readonly ResolvedPolicy[])[]>();

  constructor({ compiled, options, projection, court, namespaces, policies }: GroundsParts) {
    this.compiled = compiled;
    this.projection = projection;
    this.court = court;
    this.policies = policies;
    this.#options = options;
    this.#namespaces = namespaces;
  }

  labelsOf(namespace: string): Labels {
    const known = this.#namespaces.get(namespace) ?? this.#options.namespaceLabels;
    return { ...known, [NAME_LABEL]: namespace };
  }

  /** The policies that decide in a namespace, for each mode in which some do. */
  parties(namespace: string): readonly (readonly ResolvedPolicy[])[] {
    return this.#parties.get(namespace, () => {
      if (this.isExcluded(namespace)) return [];
      const labels = this.labelsOf(namespace);
      const all = MODES.map((mode) => deciding(this.compiled.policies, mode, labels));
      return all.filter((policies) => policies.length > 0);
    });
  }

  isExcluded(namespace: string): boolean {
    const { operatorNamespace, excludedNamespaces } = this.#options;
    return isExcluded(namespace, [operatorNamespace, ...excludedNamespaces]);
  }
}

function describe(policy: ResolvedPolicy, source: Pick<CheckedPolicy, 'file' | 'line'> | undefined): CheckedPolicy {
  const { name, mode, priority, standard } = policy;
  return {
    name,
    mode,
    priority,
    level: standard.level,
    version: formatVersion(standard.minor),
    file: source?.file ?? null,
    line: source?.line ?? null,
  };
}

/** What the API server knows of a policy that is to be changed. */
function pickIdentity({ uid, creationTimestamp, generation }: NonNullable<CompletePolicy['metadata']>) {
  return {
    ...(uid !== undefined && { uid }),
    ...(creationTimestamp !== undefined && { creationTimestamp }),
    ...(generation !== undefined && { generation }),
  };
}
