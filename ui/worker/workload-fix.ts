/**
 * Finds the edits that `cappol fix` makes for a violating workload. The manifest has only the fields of the snapshot.
 */
import { type Finding, findings } from '../../analysis/capabilities/findings.ts';
import { fixText } from '../../analysis/fix/fix-text.ts';
import { Repairer } from '../../analysis/fix/repairer.ts';
import type { FixEdit, LeftViolation } from '../../analysis/fix/result.ts';
import { unifiedDiff } from '../../analysis/fix/unified-diff.ts';
import { PodCandidates } from '../../analysis/policies/candidates.ts';
import { PolicyContext } from '../../analysis/policies/context.ts';
import { fieldPath } from '../../analysis/schema/paths.ts';
import { type Member, membersOf } from '../../operator/evaluate/members.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { valueAt } from '../../operator/model/raw.ts';
import { templatePath, workloadKind } from '../../operator/model/workload-kinds.ts';
import { perObject } from '../../operator/policy/memo.ts';
import { FIX_CLASSES } from '../../operator/rules/rule.ts';
import type { Loaded } from './loaded.ts';
import { yamlText } from './yaml-text.ts';

export interface WorkloadName {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
}

export interface FixQuestion extends WorkloadName {
  /** The paths of the violated fields, starting below the PodSpec. */
  readonly paths: readonly string[];
}

export interface WorkloadFix {
  /** The kind of object in the manifest: the workload itself, or one of its pods. */
  readonly of: 'workload' | 'pod';
  /**
   * Whether only pods of the workload violate, although the template complies. Either an earlier template made the
   * violating pods, or somebody changed the pods.
   */
  readonly onlyPods: boolean;
  readonly file: string;
  readonly before: string;
  readonly after: string;
  /** The unified diff of the edits. If there are no edits, the text is empty. */
  readonly diff: string;
  readonly edits: readonly FixEdit[];
  readonly left: readonly LeftViolation[];
  /** The values of the requested fields, in the order of the question. A value is undefined if the field is not set. */
  readonly values: readonly unknown[];
  readonly findings: readonly Finding[];
}

/**
 * Fixes the template of the workload, or its first violating pod.
 *
 * @returns undefined if the workload no longer exists
 */
export function workloadFix({ paths, ...name }: FixQuestion, loaded: Loaded): WorkloadFix | undefined {
  const members = membersOf(name.namespace, loaded.cluster).filter(
    ({ workload }) => workload.kind === name.kind && workload.name === name.name,
  );
  const templates = members.filter(isTemplate);
  const others = members.filter((member) => !isTemplate(member));
  const pods = new Map(others.map((member) => [member.candidate.content, member]));
  const fixes = [...templates, ...pods.values()].map((member) => ({
    ...fixOf(member, name, loaded),
    onlyPods: !isTemplate(member) && templates.length > 0,
  }));
  const fix = fixes.find(({ edits, left }) => edits.length + left.length > 0) ?? fixes[0];
  if (!fix) return undefined;
  const { content, ...rest } = fix;
  const values = paths.map((path) => valueAt(content.spec, fieldPath(path)));
  return { ...rest, values, findings: findings(content.spec) };
}

/**
 * Whether the given pod or template is the template that a user would edit. cappol does not read custom resources. For
 * a custom resource, a user would edit the object of its controller.
 */
function isTemplate({ pod, own, custom }: Member): boolean {
  return !pod && (own || custom !== undefined);
}

function fixOf(member: Member, name: WorkloadName, loaded: Loaded) {
  const { candidate } = member;
  const pod = !isTemplate(member);
  const kind = pod ? 'Pod' : name.kind;
  const file = `${name.name}.yaml`;
  const before = manifestText({ ...name, kind }, candidate.content);
  const context = contextOf(loaded);
  const fixed = fixText(before, file, false, {
    context,
    candidates: new PodCandidates(name.namespace, undefined),
    repairer: new Repairer(context.evaluation, new Set(FIX_CLASSES)),
    namespace: name.namespace,
    tell: ({ message, severity }) => {
      if (severity !== 'warning') throw new Error(message);
    },
    skip: () => {},
    notEvaluated: () => {},
  });
  const { text: after, edits, left } = fixed;
  const diff = unifiedDiff({ name: file, before, text: after });
  return {
    of: pod ? ('pod' as const) : ('workload' as const),
    file,
    before,
    after,
    diff,
    edits,
    left,
    content: candidate.content,
  };
}

/** The repairer. For each snapshot, the code makes only one repairer. */
const contextOf = perObject(({ cluster, state }: Loaded) => {
  const namespaces = new Map(cluster.namespaces().map(({ name, labels }) => [name, labels]));
  return new PolicyContext({
    cluster,
    state,
    namespaceLabels: {},
    namespaces,
    automounting: new Map(),
    sources: new Map(),
  });
});

/** The manifest as YAML in the style that people use. `cappol fix` reads the values of the snapshot from this YAML. */
export function manifestText({ namespace, kind, name }: WorkloadName, { annotations, spec }: PodContent): string {
  const pod = { ...(Object.keys(annotations).length > 0 && { metadata: { annotations } }), spec: inOrder(spec) };
  const object =
    kind === 'Pod'
      ? { apiVersion: 'v1', kind, metadata: { name, namespace, ...pod.metadata }, spec: pod.spec }
      : {
          apiVersion: workloadKind(kind)?.apiVersion ?? 'v1',
          kind,
          metadata: { name, namespace },
          ...templatePath(kind).reduceRight<object>((inner, field) => ({ [field]: inner }), pod),
        };
  return yamlText(object);
}

/**
 * Puts the fields of the pod first, and the containers after these fields. In each container and volume, the name comes
 * first.
 */
function inOrder({ containers, initContainers, ephemeralContainers, volumes, ...rest }: PodContent['spec']): object {
  const named = (list: readonly { readonly name: string }[] | undefined) =>
    list?.map(({ name, image, ...others }: { readonly name: string; readonly image?: unknown }) => ({
      name,
      ...(image !== undefined && { image }),
      ...others,
    }));
  const lists = { initContainers, containers, ephemeralContainers, volumes };
  const given = Object.entries(lists).flatMap(([field, list]) => (list ? [[field, named(list)]] : []));
  return { ...rest, ...Object.fromEntries(given) };
}
