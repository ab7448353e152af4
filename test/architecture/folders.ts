/**
 * The folders of the source: what each is for and what it may import. imports.test.ts enforces these borders, and
 * `npm run generate` writes them as a table into docs/architecture.md.
 */

export interface Folder {
  /** From the project's folder. It covers the folders in it that have no entry of their own. */
  readonly path: string;
  /** For docs/architecture.md, in Markdown. */
  readonly does: string;
  /** The folders, or single files, that it may import besides itself. */
  readonly imports: readonly string[];
  /** From npm. */
  readonly packages: readonly string[];
  /** The same input always gives the same output. */
  readonly pure?: true;
}

/** In order: a folder imports only from folders above it. */
export const FOLDERS: readonly Folder[] = [
  {
    path: 'operator/api',
    does: 'The API model, generated from `crds/`; names for its parts; the defaults of `spec`.',
    imports: [],
    packages: ['@kubernetes-models/apimachinery', '@kubernetes-models/base', '@kubernetes-models/validate'],
  },
  {
    path: 'operator/model',
    does: 'Plain types of what is read of a cluster: objects as the API server writes them, and namespaces, pods, workloads and RBAC as they are kept. The workload kinds of Kubernetes.',
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
    does: 'Levels and versions of the Pod Security Standards, the table of capabilities, what container runtimes give.',
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
    does: 'Pods and templates → violations, verdicts, findings; who may use a policy; what a workload needs.',
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
    path: 'operator/evidence',
    does: 'Records of the capabilities that processes used, by container: read from the formats of several tools, merged, and compared with what a manifest grants.',
    imports: ['operator/model', 'operator/standards', 'operator/evaluate'],
    packages: [],
    pure: true,
  },
  {
    path: 'operator/promotion',
    does: 'Roll-outs by namespace: the state of a roll-out, its next step, and what it means for labels.',
    imports: ['operator/api', 'operator/model', 'operator/policy', 'operator/evaluate'],
    packages: [],
    pure: true,
  },
  {
    path: 'operator/snapshot',
    does: 'The snapshot document: a cluster and all verdicts as JSON, and back to a cluster that can be judged again.',
    imports: [
      'operator/api',
      'operator/model',
      'operator/standards',
      'operator/policy',
      'operator/compile',
      'operator/evaluate',
    ],
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
    does: 'The client of the API server, watches, the store; a cluster read once.',
    imports: ['operator/api', 'operator/model', 'operator/rules', 'operator/projection', 'operator/runtime'],
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
    does: 'One file a controller: its keys and its work. `state-change.ts`: the causes of changes, and what they make dirty. `cluster-state.ts`: the state that several of them need. No controller imports another one.',
    imports: [
      'operator/api',
      'operator/model',
      'operator/policy',
      'operator/compile',
      'operator/evaluate',
      'operator/promotion',
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
    path: 'cli/schema',
    does: 'Checks of a value against a schema: its fields by name, what is wrong with it, and what to write instead.',
    imports: ['operator/api/schema.ts', 'operator/model', 'operator/text'],
    packages: [],
    pure: true,
  },
  {
    path: 'cli/migrate',
    does: 'PodSecurityPolicies and SecurityContextConstraints → policies.',
    imports: [
      'operator/api',
      'operator/model',
      'operator/standards',
      'operator/policy',
      'operator/compile',
      'cli/schema',
    ],
    packages: [],
    pure: true,
  },
  {
    path: 'cli/observe',
    does: "Lines of the kernel's trace → the capabilities that each container used; names for its containers.",
    imports: ['operator/standards', 'operator/evidence'],
    packages: [],
    pure: true,
  },
  {
    path: 'cli',
    does: '`cappol`: reads files or a cluster and prints text; `commands/ui/` follows clusters, and sends snapshots and their differences to the page.',
    imports: [
      'operator/api',
      'operator/model',
      'operator/model/namespaces.ts',
      'operator/text',
      'operator/text/wording.ts',
      'operator/standards',
      'operator/rules',
      'operator/policy',
      'operator/compile',
      'operator/evaluate',
      'operator/evidence',
      'operator/promotion/duration.ts',
      'operator/snapshot',
      'operator/projection',
      'operator/runtime/aborted.ts',
      'operator/runtime/connections.ts',
      'operator/runtime/log.ts',
      'operator/runtime/turns.ts',
      'operator/cluster',
      'operator/apply/accepted-specs.ts',
      'operator/apply/drift.ts',
      'operator/apply/protection-probe.ts',
      'operator/report/violations.ts',
      'operator/controllers/cluster-state.ts',
      'cli/schema',
      'cli/migrate',
      'cli/observe',
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
    does: 'The page of `cappol ui` and `cappol report`: shows snapshots, judges in the browser. No code of its own for judging.',
    imports: [
      'operator/api',
      'operator/model',
      'operator/model/namespaces.ts',
      'operator/text/wording.ts',
      'operator/standards',
      'operator/rules',
      'operator/policy',
      'operator/compile',
      'operator/evaluate',
      'operator/snapshot',
      'operator/apply/accepted-specs.ts',
      'operator/report/reasons.ts',
      'operator/controllers/cluster-state.ts',
      'cli/schema',
      'cli/commands/check',
      'cli/commands/fix',
      'cli/input',
      'cli/policies',
      'cli/commands/status/problems.ts',
      'cli/output/merged.ts',
      'cli/output/outcome.ts',
      'cli/output/printable.ts',
      'cli/output/yaml-document.ts',
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
    imports: ['operator', 'cli'],
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
    does: 'Helpers of several test folders: the harness of a cluster, builders of policies and pods, random ones.',
    imports: ['operator', 'cli', 'hack', 'config'],
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
    imports: ['operator', 'cli', 'ui', 'hack', 'config', 'test/support'],
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
export const PURE_MODULES = ['node:crypto'];

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
];

/** The folders that may load @kubernetes/client-node or undici: the first costs half a second and 85 MB. */
export const CLIENT_LOADERS = ['operator/cluster'];

/** The folders and files that may read the process. */
export const PROCESS_READERS = ['operator/main.ts', 'operator/cluster/environment.ts', 'cli'];

/** The folder of a file: the entry with the longest path. */
export function folderOf(file: string): Folder | undefined {
  return FOLDERS.filter(({ path }) => file.startsWith(`${path}/`)).sort((a, b) => b.path.length - a.path.length)[0];
}

/** @param places folders and files */
export function isIn(file: string, places: readonly string[]): boolean {
  return places.some((place) => file === place || file.startsWith(`${place}/`));
}
