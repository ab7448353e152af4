/**
 * The folders of the source, each with its purpose and the imports that it may have. imports.test.ts enforces these
 * borders, and `npm run generate` writes the folders as a table into docs/architecture.md.
 */

export interface Folder {
  /**
   * The path from the project's folder. An entry for a folder also covers those subfolders that have no entry of their
   * own.
   */
  readonly path: string;
  /** The purpose of the folder, in Markdown, for docs/architecture.md. */
  readonly does: string;
  /** The folders and single files that the folder may import besides itself. */
  readonly imports: readonly string[];
  /** The npm packages that the folder may import. */
  readonly packages: readonly string[];
  /** Whether the same input always gives the same output. */
  readonly pure?: true;
}

/** The folders in order: each folder imports only from folders above it. */
export const FOLDERS: readonly Folder[] = [
  {
    path: 'operator/api',
    does: 'The API model, generated from `crds/`; names for its parts; the defaults of `spec`.',
    imports: [],
    packages: ['@kubernetes-models/apimachinery', '@kubernetes-models/base', '@kubernetes-models/validate'],
  },
  {
    path: 'operator/model',
    does: 'Plain types: objects as the API server writes them, and the namespaces, pods, workloads and RBAC objects that are kept of them. The workload kinds of Kubernetes.',
    imports: ['operator/api'],
    packages: [],
    pure: true,
  },
  {
    path: 'operator/text',
    does: 'Texts for people: printable and bounded, counts and lists.',
    imports: [],
    packages: [],
    pure: true,
  },
  {
    path: 'operator/standards',
    does: 'Levels and versions of the Pod Security Standards, the table of capabilities.',
    imports: [],
    packages: [],
    pure: true,
  },
  {
    path: 'operator/rules',
    does: "One file a rule: the Standard's words, values by level and version, CEL, Pod Security level, what defaulting fills in, fixes of manifests.",
    imports: ['operator/api', 'operator/standards'],
    packages: [],
    pure: true,
  },
  {
    path: 'operator/policy',
    does: 'A policy with every value resolved; selectors; which policies select a namespace and which decide there.',
    imports: ['operator/api', 'operator/model', 'operator/standards', 'operator/rules'],
    packages: [],
    pure: true,
  },
  {
    path: 'operator/compile',
    does: 'Policies → admission policies, RBAC, labels, the guard.',
    imports: ['operator/api', 'operator/model', 'operator/standards', 'operator/rules', 'operator/policy'],
    packages: [],
    pure: true,
  },
  {
    path: 'operator/evaluate',
    does: 'Pods and templates → violations and verdicts; who may use a policy.',
    imports: [
      'operator/api',
      'operator/model',
      'operator/standards',
      'operator/rules',
      'operator/policy',
      'operator/compile',
    ],
    packages: ['@marcbachmann/cel-js'],
    pure: true,
  },
  {
    path: 'operator/promotion',
    does: 'Rollouts by namespace: the state of a rollout, its next step, and what it means for labels.',
    imports: ['operator/api', 'operator/model', 'operator/policy', 'operator/evaluate'],
    packages: [],
    pure: true,
  },
  {
    path: 'operator/state',
    does: 'The policies that were accepted last, the namespaces that each selects, and their users; the objects in the cluster that record them.',
    imports: ['operator/api', 'operator/model', 'operator/policy', 'operator/compile', 'operator/evaluate'],
    packages: [],
    pure: true,
  },
  {
    path: 'operator/projection',
    does: 'Objects as the API server writes them → what the operator keeps of them; equal pods share one object.',
    imports: ['operator/api', 'operator/model', 'operator/rules'],
    packages: [],
    pure: true,
  },
  {
    path: 'operator/runtime',
    does: 'Queue, election, health, the metrics server, log: nothing about policies.',
    imports: [],
    packages: ['prom-client', 'winston'],
  },
  {
    path: 'operator/cluster',
    does: 'The client of the API server, watches, the store.',
    imports: [
      'operator/api',
      'operator/model',
      'operator/standards',
      'operator/rules',
      'operator/projection',
      'operator/runtime',
    ],
    packages: ['@kubernetes/client-node', 'js-yaml', 'undici'],
  },
  {
    path: 'operator/apply',
    does: 'Programs brought into force and proved by probes; the users of policies; drift; who owns a label.',
    imports: [
      'operator/api',
      'operator/model',
      'operator/policy',
      'operator/compile',
      'operator/promotion',
      'operator/state',
      'operator/runtime',
      'operator/cluster',
    ],
    packages: [],
  },
  {
    path: 'operator/report',
    does: 'Status, conditions, Events, metrics of policies, policy reports. Only the writers among its files write.',
    imports: [
      'operator/api',
      'operator/model',
      'operator/text',
      'operator/standards',
      'operator/rules',
      'operator/policy',
      'operator/compile',
      'operator/evaluate',
      'operator/promotion',
      'operator/runtime',
      'operator/cluster',
      'operator/apply',
    ],
    packages: ['prom-client'],
  },
  {
    path: 'operator/controllers',
    does: 'One file a controller: its keys and its work. `state-change.ts`: the causes of changes, and what they make dirty. `cluster-state.ts`: the state that several controllers need. No controller imports another one.',
    imports: [
      'operator/api',
      'operator/model',
      'operator/policy',
      'operator/compile',
      'operator/evaluate',
      'operator/promotion',
      'operator/state',
      'operator/runtime',
      'operator/cluster',
      'operator/apply',
      'operator/report',
    ],
    packages: [],
  },
  {
    path: 'operator',
    does: '`main.ts` and `flags.ts`: the process. `operator.ts`: the wiring.',
    imports: [
      'operator/model',
      'operator/standards',
      'operator/compile',
      'operator/runtime',
      'operator/cluster',
      'operator/report',
      'operator/controllers',
    ],
    packages: [],
  },
  {
    path: 'analysis/text',
    does: 'Values as JSON and YAML that is safe to print.',
    imports: ['operator/text'],
    packages: ['yaml'],
    pure: true,
  },
  {
    path: 'analysis/schema',
    does: 'Checks of a value against a schema: its fields by name, what is wrong with it, and what to write instead.',
    imports: ['operator/api', 'operator/model', 'operator/text'],
    packages: [],
    pure: true,
  },
  {
    path: 'analysis/capabilities',
    does: 'The capabilities that a container holds, by its manifest, its container runtime and its policy; advice about them.',
    imports: ['operator/model', 'operator/standards', 'operator/rules', 'operator/policy'],
    packages: [],
    pure: true,
  },
  {
    path: 'analysis/manifests',
    does: 'Texts → Kubernetes objects with the places of their fields, as kubectl and the API server read them; the pods in them.',
    imports: ['operator/api', 'operator/model', 'operator/text', 'operator/rules', 'analysis/schema'],
    packages: ['js-yaml'],
    pure: true,
  },
  {
    path: 'analysis/edit',
    does: 'Edits of a YAML or JSON text that change some fields and keep the rest.',
    imports: ['operator/model', 'analysis/schema', 'analysis/manifests'],
    packages: ['yaml'],
    pure: true,
  },
  {
    path: 'analysis/protection',
    does: 'The admission policy in a file of the API server, which protects the objects that the operator writes.',
    imports: ['operator/api', 'operator/model', 'operator/rules', 'operator/compile'],
    packages: [],
    pure: true,
  },
  {
    path: 'analysis/migrate',
    does: 'PodSecurityPolicies and SecurityContextConstraints → policies.',
    imports: [
      'operator/api',
      'operator/model',
      'operator/standards',
      'operator/policy',
      'operator/compile',
      'analysis/schema',
      'analysis/capabilities',
    ],
    packages: [],
    pure: true,
  },
  {
    path: 'analysis/evidence',
    does: 'Records of the capabilities that processes used, by container: read from the formats of several tools, merged, and compared with what a manifest grants.',
    imports: ['operator/model', 'operator/text', 'operator/standards', 'analysis/capabilities', 'analysis/manifests'],
    packages: [],
    pure: true,
  },
  {
    path: 'analysis/observe',
    does: "Lines of the kernel's trace → the capabilities that each container used; names for its containers.",
    imports: ['operator/standards', 'analysis/evidence'],
    packages: [],
    pure: true,
  },
  {
    path: 'analysis/policies',
    does: 'The policies, namespaces and roles of files and clusters, and the pods that they decide about.',
    imports: [
      'operator/api',
      'operator/model',
      'operator/standards',
      'operator/rules',
      'operator/policy',
      'operator/compile',
      'operator/evaluate',
      'operator/state',
      'operator/projection',
      'analysis/schema',
      'analysis/manifests',
      'analysis/migrate',
      'analysis/evidence',
    ],
    packages: [],
    pure: true,
  },
  {
    path: 'analysis/suggest',
    does: 'Workloads → the policies that admit them.',
    imports: [
      'operator/api',
      'operator/model',
      'operator/standards',
      'operator/rules',
      'operator/policy',
      'operator/compile',
      'operator/evaluate',
      'analysis/capabilities',
    ],
    packages: [],
    pure: true,
  },
  {
    path: 'analysis/check',
    does: 'Manifests and running workloads → verdicts; what other policies would change.',
    imports: [
      'operator/api',
      'operator/model',
      'operator/text',
      'operator/standards',
      'operator/rules',
      'operator/policy',
      'operator/evaluate',
      'operator/promotion',
      'analysis/schema',
      'analysis/capabilities',
      'analysis/manifests',
      'analysis/policies',
    ],
    packages: [],
    pure: true,
  },
  {
    path: 'analysis/fix',
    does: 'The edits that make manifests comply.',
    imports: [
      'operator/model',
      'operator/text',
      'operator/rules',
      'operator/policy',
      'operator/evaluate',
      'analysis/schema',
      'analysis/manifests',
      'analysis/edit',
      'analysis/evidence',
      'analysis/policies',
      'analysis/check',
    ],
    packages: ['diff'],
    pure: true,
  },
  {
    path: 'analysis/snapshot',
    does: 'The snapshot document: a cluster and all verdicts as JSON, and back to a cluster that can be evaluated again.',
    imports: [
      'operator/api',
      'operator/model',
      'operator/standards',
      'operator/policy',
      'operator/compile',
      'operator/evaluate',
      'analysis/schema',
      'analysis/capabilities',
      'analysis/evidence',
    ],
    packages: [],
    pure: true,
  },
  {
    path: 'cli',
    does: '`cappol`: reads files or a cluster and prints text; `commands/ui/` follows clusters, and sends snapshots and their differences to the page.',
    imports: [
      'operator/api',
      'operator/model',
      'operator/text',
      'operator/standards',
      'operator/rules',
      'operator/policy',
      'operator/compile',
      'operator/evaluate',
      'operator/promotion',
      'operator/state',
      'operator/projection',
      'operator/runtime/aborted.ts',
      'operator/runtime/connections.ts',
      'operator/runtime/log.ts',
      'operator/runtime/turns.ts',
      'operator/runtime/in-parallel.ts',
      'operator/cluster',
      'operator/apply/drift.ts',
      'operator/apply/protection-probe.ts',
      'operator/report/violations.ts',
      'analysis/text',
      'analysis/schema',
      'analysis/capabilities',
      'analysis/manifests',
      'analysis/protection',
      'analysis/migrate',
      'analysis/evidence',
      'analysis/observe',
      'analysis/policies',
      'analysis/suggest',
      'analysis/check',
      'analysis/fix',
      'analysis/snapshot',
      'package.json',
    ],
    packages: ['commander', 'diff', 'js-yaml', 'junit-report-builder', 'node-sarif-builder', 'yaml'],
  },
  {
    path: 'ui/platform',
    does: "Counterparts in the browser of Node's modules that the folders above use; the build puts them in place.",
    imports: [],
    packages: ['@noble/hashes'],
  },
  {
    path: 'ui',
    does: 'The page of `cappol ui` and `cappol report`: shows snapshots, evaluates in the browser. No code of its own for evaluating.',
    imports: [
      'operator/api',
      'operator/model',
      'operator/text',
      'operator/standards',
      'operator/rules',
      'operator/policy',
      'operator/compile',
      'operator/evaluate',
      'operator/state',
      'operator/report/reasons.ts',
      'analysis/text',
      'analysis/schema',
      'analysis/capabilities',
      'analysis/manifests',
      'analysis/policies',
      'analysis/check',
      'analysis/fix',
      'analysis/snapshot',
      'docs/reference',
    ],
    packages: [
      '@codemirror/autocomplete',
      '@codemirror/commands',
      '@codemirror/lang-yaml',
      '@codemirror/language',
      '@codemirror/lint',
      '@codemirror/state',
      '@codemirror/view',
      '@lezer/highlight',
      'preact',
    ],
  },
  {
    path: 'hack',
    does: 'Tools for developers: preflight, control plane, a real node, demo, benchmarks, generators of the model and of pages.',
    imports: ['operator', 'cli', 'analysis'],
    packages: ['@kubernetes/client-node', 'js-yaml', 'undici'],
  },
  {
    path: 'config',
    does: 'Manifests, Helm chart, dashboards; scripts for a release.',
    imports: ['operator', 'hack'],
    packages: ['esbuild', 'yaml'],
  },
  {
    path: 'test/support',
    does: 'Helpers of several test folders: the harness of a cluster, builders of policies and pods, generators of random ones.',
    imports: ['operator', 'cli', 'hack', 'config', 'analysis'],
    packages: [
      'axe-core',
      'diff',
      'fast-check',
      'github-slugger',
      'js-yaml',
      'marked',
      'mocha',
      'playwright-core',
      'prom-client',
      'undici',
      'yaml',
    ],
  },
  {
    path: 'test',
    does: 'The tests; [contributing.md](contributing.md#tests) has their folders.',
    imports: ['operator', 'cli', 'ui', 'hack', 'config', 'test/support', 'analysis'],
    packages: [
      '@kubernetes/client-node',
      '@marcbachmann/cel-js',
      'ajv',
      'diff',
      'esbuild',
      'fast-check',
      'js-yaml',
      'marked',
      'prom-client',
      'undici',
    ],
  },
];

/** The modules of Node that pure folders may import. */
export const PURE_MODULES = ['node:crypto', 'node:util'];

/** The folders and files that may talk to an API server. */
export const API_CLIENTS = [
  'operator/cluster',
  'operator/apply',
  'operator/report/recorder.ts',
  'operator/report/writer.ts',
  'operator/report/policy-report-writer.ts',
  'operator/controllers/controller.ts',
  'operator/controllers/protection.ts',
  'operator/controllers/programs.ts',
  'operator/operator.ts',
  'operator/main.ts',
  'cli/cluster.ts',
  'cli/read-once.ts',
  'cli/evidence/profiles.ts',
];

/**
 * The folders that may load undici or @kubernetes/client-node. Loading these packages costs half a second and 85 MB.
 */
export const CLIENT_LOADERS = ['operator/cluster'];

/** The folders and files that may read Node's `process`. */
export const PROCESS_READERS = ['operator/main.ts', 'operator/cluster/environment.ts', 'cli'];

/** The folder of a file: the entry with the longest path. */
export function folderOf(file: string): Folder | undefined {
  return FOLDERS.filter(({ path }) => file.startsWith(`${path}/`)).sort((a, b) => b.path.length - a.path.length)[0];
}

/** @param places folders and files */
export function isIn(file: string, places: readonly string[]): boolean {
  return places.some((place) => file === place || file.startsWith(`${place}/`));
}
