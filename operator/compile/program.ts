/**
 * A program is one admission policy for many CapabilityPolicies. The program has a table with a row for each
 * CapabilityPolicy. A probe shows which version of the program is in force.
 */
import { createHash } from 'node:crypto';
import { GROUP } from '../api/capability-policy.ts';
import type { RenderedObject } from '../model/objects.ts';
import { perObject } from '../policy/memo.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { PROBE_LABEL } from './match.ts';
import { type Manifest, RBAC, UIDS_ANNOTATION } from './objects.ts';

/** The kinds of programs, in the order in which their objects are created. */
export const PROGRAM_KINDS = ['Guard', 'Defaulting', 'Enforce', 'Warn', 'Audit', 'UnknownFields'] as const;
export type ProgramKind = (typeof PROGRAM_KINDS)[number];

/** The names of Enforce programs begin with this text. */
export const ENFORCING = 'capabilitypolicy.enforce';

/** An admission policy for many CapabilityPolicies, with its bindings. */
export interface Program {
  /**
   * The name of the admission policy, such as `capabilitypolicy.enforce`. The name does not depend on the policies in
   * the program.
   */
  readonly name: string;
  readonly kind: ProgramKind;
  /** The hash of the whole program, as 12 hex digits. The probe's answer contains the hash. */
  readonly hash: string;
  /** The hash of the program without its table. */
  readonly rulesHash: string;
  /** The admission policy, which has the labels of `programLabels`. */
  readonly policy: Manifest;
  /**
   * The bindings, in the order in which they are created. The probe's binding comes last. An API server that has loaded
   * the probe's binding has therefore also loaded the other bindings. A change of the table does not change the
   * bindings.
   */
  readonly bindings: readonly Manifest[];
  /** The canary of the program. The value is undefined if programs of this kind need no canary. */
  readonly canary: Canary | undefined;
  /** The hashes of the rows. The key is the ID of the resolved policy. */
  readonly rows: ReadonlyMap<string, string>;
}

/**
 * A copy of a program under another name. The canary's binding matches only the probe. The self-test of the canary has
 * to pass before the operator writes the program.
 */
export interface Canary extends Pick<Program, 'hash' | 'policy' | 'bindings'> {}

/** The objects of a program, in the order in which they are created. */
export function objectsOfProgram({ policy, bindings }: Pick<Program, 'policy' | 'bindings'>): Manifest[] {
  return [policy, ...bindings];
}

/** Whether the object is the binding for the probe of a program or of a canary. */
export function isProbeBinding({ kind, metadata }: Named): boolean {
  return kind.endsWith('AdmissionPolicyBinding') && metadata.name.endsWith('-probe');
}

interface Named {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

const CANARY = '-canary';

export function canaryName(program: string): string {
  return `${program}${CANARY}`;
}

export function isCanary(name: string): boolean {
  return name.endsWith(CANARY);
}

/** The programs among the compiled objects. */
interface Programs {
  readonly programs: readonly Program[];
}

/** The label with a program's name. The program's admission policy and its bindings have this label. */
export const PROGRAM_LABEL = `${GROUP}/program`;
/** The label with the hash of a whole program. */
export const TEXT_LABEL = `${GROUP}/text`;
/** The label with the hash of a program without its table. */
export const RULES_LABEL = `${GROUP}/rules`;

/**
 * The labels of the admission policy of a program or canary. The bindings of a program have only the label with the
 * program's name.
 */
export function programLabels({ name, hash, rulesHash }: Pick<Program, 'name' | 'hash' | 'rulesHash'>) {
  return { [PROGRAM_LABEL]: name, [TEXT_LABEL]: hash, [RULES_LABEL]: rulesHash };
}

/**
 * The programs that contain a row of the resolved policy. The policy is in force when all of these programs are in
 * force.
 */
export function programsOf({ id }: Pick<ResolvedPolicy, 'id'>, { programs }: Programs): Program[] {
  return programs.filter(({ rows }) => rows.has(id));
}

/**
 * The hash of the policy's row in the program of the policy's mode. The result is empty if the program has no row for
 * the policy.
 */
export function rowOf({ id, mode }: ResolvedPolicy, { programs }: Programs): string {
  return programs.find(({ kind, rows }) => kind === mode && rows.has(id))?.rows.get(id) ?? '';
}

/**
 * The names of the CapabilityPolicies that have a row in an admission policy of the cluster. The set is empty if the
 * object was not rendered as a program.
 */
export const rowsIn: (object: RenderedObject) => ReadonlySet<string> = perObject(
  (object) => new Set([...celOf(object).matchAll(/"name": ?\["([^"]+)"\]/g)].map(([, name = '']) => name)),
);

/**
 * Whether a row of the admission policy is for this policy. The row may be for a deleted policy with the same name. An
 * admission policy of an older operator does not say which policy the row is for. In this case, the name decides. If an
 * older operator changes the rows, the annotation of a newer operator stays unchanged. The annotation therefore begins
 * with the hash of its program.
 */
export function hasRowFor(object: RenderedObject, { name, uid }: { readonly name: string; readonly uid: string }) {
  const { annotations, labels } = object.metadata;
  const [text, ...uids] = annotations?.[UIDS_ANNOTATION]?.split(' ') ?? [];
  const isKnown = text !== undefined && text === labels?.[TEXT_LABEL];
  return rowsIn(object).has(name) && (!isKnown || uids.includes(shortHash(uid)));
}

/**
 * The hash of a text as 12 hex digits. The annotations of an object have at most 256 KiB, which is enough for the
 * hashes of thousands of uids.
 */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/**
 * The names of CapabilityPolicies on which an admission policy in the cluster checks the verb `use`. The function also
 * reads admission policies of older operators that had no programs.
 */
export const usesAsked: (object: RenderedObject) => ReadonlySet<string> = perObject((object) => {
  const cel = celOf(object);
  const asked = [...cel.matchAll(/\.name\("([^"]+)"\)\.check\("use"\)/g), ...cel.matchAll(/"use": ?\["([^"]+)"\]/g)];
  return new Set(asked.map(([, name = '']) => name));
});

/**
 * The CEL expressions of an admission policy as one string. The result is empty for a canary, because a canary decides
 * about no request.
 */
function celOf({ kind, metadata, spec }: RenderedObject): string {
  const decides = kind.endsWith('AdmissionPolicy') && !isCanary(metadata.name);
  return decides ? JSON.stringify(spec ?? '').replaceAll('\\"', '"') : '';
}

/** If a program refuses a probe, the message begins with this text. The hash follows this beginning. */
export const PROBE_ANSWER = 'CapabilityPolicy program in force:';
/** A mutating program answers a probe with this annotation. The annotation's value is the hash. */
export const PROBE_ANNOTATION = `${GROUP}/mutation-in-force`;

type ProbeKind = 'ValidatingAdmissionPolicy' | 'MutatingAdmissionPolicy';

/** The labels of the probe carrier. The last binding of the program selects the probe carrier by these labels. */
export function probeLabels({ name }: Pick<Program, 'name'>, of: ProbeKind) {
  const kind = of === 'MutatingAdmissionPolicy' ? 'mutation' : 'validation';
  return { [PROBE_LABEL]: name, [`${PROBE_LABEL}-kind`]: kind };
}

/** The ClusterRole that a probe asks the API server to create, by dry run. The role would grant nothing. */
export function probeCarrier(program: Pick<Program, 'name'>, of: ProbeKind) {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: {
      generateName: 'capabilitypolicy-probe-',
      labels: probeLabels(program, of),
      annotations: { [PROBE_ANNOTATION]: '' },
    },
    rules: [],
  };
}
