/**
 * The tiers of the tests. Each test file is in exactly one tier:
 *
 * - `CORE` and the unit tests run in `npm test`. The core shows every feature that a user sees, once.
 * - A campaign of `CAMPAIGNS` runs by `npm run test:all -- NAME`, and every night.
 * - Every other test file is a unit test. A unit test needs no cluster, no browser and no other program, and takes less
 *   than two seconds of CPU time.
 *
 * All paths are relative to the project's folder.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/**
 * The files of the core, by the mocha process that runs them. The processes run side by side, and each one starts one
 * control plane for its files. Within a process, the files run in this order: tests that read the whole cluster come
 * before tests that leave objects behind.
 */
export const CORE: Readonly<Record<string, readonly string[]>> = {
  cluster: [
    'crd/crd',
    'migrate/dry-run',
    'cli/render-cluster',
    'cli/suggest-live',
    'cli/explain-live',
    'cli/status-live',
    'install/install',
    'integration/labels',
    'integration/expiry',
    'integration/break-glass',
    'integration/policy-reports',
    'integration/metrics',
    'cli/cluster',
  ].map(testFile),
  operator: [
    'integration/decisions',
    'attacks/attacks',
    'integration/guard',
    'integration/promotion',
    'integration/workloads',
    'integration/bad-input',
  ].map(testFile),
  programs: [
    'cli/compare',
    'cli/compare-commit',
    'cli/fail-on',
    'cli/help',
    'cli/left-out',
    'cli/process',
    'cli/suggest',
    'cli/terminal',
    'compare/compare',
    'compare/findings',
    'compile/decision',
    'compile/expiry',
    'compile/guard',
    'compile/labels',
    'compile/table',
    'crd/generated',
    'defaulting/filling',
    'docs/commands',
    'explain/explained',
    'gitops/health-check',
    'gitops/manifests',
    'install/manifests',
    'migrate/docs',
    'policy/containers',
    'projection/projection',
    'protected/suites',
    'snapshot/snapshot',
    'suggest/suggest',
    'ui/page',
    'ui/live',
    'ui/violations',
    'ui/playground',
    'ui/workload-fix',
    'docs/readme',
    'attacks/protection',
  ].map(testFile),
};

/** The configuration of mocha for the unit tests. */
export const UNIT_CONFIG = 'test/unit.mocharc.mjs';

export interface Campaign {
  /** The folders of the project whose changes the campaign tests. */
  readonly covers: readonly string[];
  /** The test files, as patterns. */
  readonly files: readonly string[];
}

/** The campaigns by name. mocha runs the files of a campaign in one process, since they share a control plane. */
export const CAMPAIGNS: Readonly<Record<string, Campaign>> = {
  engine: {
    covers: [
      'engine',
      'operator/compile',
      'operator/evaluate',
      'operator/model',
      'operator/policy',
      'operator/rules',
      'operator/standards',
      'operator/state',
    ],
    files: [
      'capabilities/may-hold',
      'compile/{compiler,limits,partition,rows,self-test,without-variables}',
      'corpus/{corpus,fix}',
      'crd/defaults',
      'engine/cel/{engine,fold,on-api-server,rules}',
      'evaluate/{grants,verdict-cache,worst-objects}',
      'manifests/block-style',
      'other-engines/engine-suites',
      'promotion/histories',
      'psp/recorded',
      'report/well-formed',
      'rules/{monotone,rows}',
    ].map(testFile),
  },
  differential: {
    covers: ['engine', 'operator/compile', 'operator/evaluate', 'operator/rules', 'operator/standards'],
    files: ['differential/**/*'].map(testFile),
  },
  compare: {
    covers: ['analysis/compare', 'analysis/suggest', 'cli/commands/compare', 'operator/compile', 'operator/rules'],
    files: [
      'compare/{attack,causes,classes,findings-attack,history-laws,labels,late,opened,several-items,witnesses}',
      'cli/{check-opens,fix-random}',
      'suggest/{in-force,suggest-doors,tighten-opens}',
    ].map(testFile),
  },
  admission: {
    covers: ['operator/api', 'operator/apply', 'operator/compile', 'operator/rules', 'operator/runtime'],
    files: [
      'integration/{bypass,candidates,ceiling,closed-world,conditional-authorization,contradictions,costly-pods}',
      'integration/{dry-run,ephemeral,every-level,image-changes,injected,injected-exceptions,largest-specs}',
      'integration/{newer-pod-fields,older-form,refused-pods,refused-rows,unknown-fields,upgraded-servers}',
      'integration/{break-glass-kinds,expiry-running,many-labels}',
      'integration/guard-{admin-access,changes,groups,overridden,size}',
      'attacks/availability',
      'programs/*',
    ].map(testFile),
  },
  labels: {
    covers: ['operator/apply', 'operator/projection', 'operator/promotion'],
    files: [
      'integration/{beside,definition,deletion,drift,foreign-labels,owners,pod-security-defaults,withdrawal}',
    ].map(testFile),
  },
  rollout: {
    covers: ['operator/controllers', 'operator/promotion', 'operator/state'],
    files: [
      'integration/{etcd-rollback,programmed,refused-writes,restore,restore-orders,rollout-laws,rollout-over-labels}',
      'integration/transitions',
      'rollout/*',
    ].map(testFile),
  },
  status: {
    covers: [
      'hack/bench',
      'operator/controllers',
      'operator/report',
      'operator/text',
      'config/prometheus',
      'config/grafana',
    ],
    files: [
      'integration/{large,metrics-access,prometheus,status,status-claims}',
      'observability/*',
      'support/needs',
    ].map(testFile),
  },
  faults: {
    covers: ['operator/apply', 'operator/cluster', 'operator/runtime', 'hack/controlplane'],
    files: [
      'cluster/{client,reflector,store}',
      'controlplane/*',
      'integration/{credentials,election,hostile,kill,own-grants,stale-stand-by,stopped-leader,stopping}',
      'runtime/{election-faults,health}',
      'soak/**/*',
      'storm/*',
    ].map(testFile),
  },
  cli: {
    covers: ['analysis', 'cli'],
    files: [
      'cli/{cluster-errors,completion,evidence-live,hostile-text,kubectl,kubectl-completion,not-installed}',
      'cli/{observe-live,progress,reader-role,reading-live,scope-live,threads,tighten-live,ui-live,ui-server}',
      'cli/{status-mutators,unwritable}',
    ].map(testFile),
  },
  page: {
    covers: ['analysis/snapshot', 'cli/page', 'ui'],
    files: [
      'snapshot/{difference,large,live,live-memory}',
      'ui/{capabilities,check-answer,compare-texts,comparison,equality,equality-live,findings,findings-shown}',
      'ui/{hostile-details,keyboard,large,late-frames,overview,pictures,policies,reevaluate,reevaluate-large}',
      'ui/{site,snapshot-size,views}',
    ].map(testFile),
  },
  node: {
    covers: ['Dockerfile', 'analysis/capabilities', 'analysis/observe', 'hack/image', 'hack/node'],
    files: [
      'image/*',
      'kernel/*',
      'node/{contexts,debug,deployment,isolation,needs,observe,operator,shared-processes,story}',
      'node/{users-and-tokens,workloads}',
    ].map(testFile),
  },
  release: {
    covers: ['.github', 'config', 'crds', 'hack/generate', 'hack/try'],
    files: [
      'gitops/every-status',
      'install/{beside-platforms,release,rights,try}',
      'preflight',
      'release/{action,artifacthub,dockerfile,executable,installers,package,pre-commit,sbom,workflows}',
    ].map(testFile),
  },
  docs: {
    covers: ['README.md', 'docs', 'hack/demo'],
    files: ['docs/{backup-and-restore,daily-snapshot,enforce-at-once,npm-help,rollout,shell-session,tutorial}'].map(
      testFile,
    ),
  },
  versions: {
    covers: ['operator/standards', 'hack/controlplane'],
    files: ['versions/{execute,older,table}'].map(testFile),
  },
};

/** @param of paths and patterns @returns the files that match, each once, sorted */
export function matching(of: readonly string[]): string[] {
  return [...new Set(of.flatMap((pattern) => globSync(pattern, { cwd: ROOT })))].sort();
}

export function unitFiles(): string[] {
  const others = new Set(
    matching([...Object.values(CORE), ...Object.values(CAMPAIGNS).map(({ files }) => files)].flat()),
  );
  return matching(['test/**/*.test.ts']).filter((file) => !others.has(file));
}

/** @param path the path of a test file in the folder test, without the ending `.test.ts`, or a pattern */
function testFile(path: string): string {
  return `test/${path}.test.ts`;
}

/** @param path a folder or file @returns the names of the campaigns that cover the path, or a part of the folder */
export function campaignsFor(path: string): string[] {
  const within = (inner: string, outer: string) => inner === outer || inner.startsWith(`${outer}/`);
  const asked = path.replace(/\/+$/, '');
  return Object.entries(CAMPAIGNS)
    .filter(([, { covers }]) => covers.some((folder) => within(asked, folder) || within(folder, asked)))
    .map(([name]) => name);
}
