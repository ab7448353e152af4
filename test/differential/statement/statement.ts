/**
 * A reference model of each rule: straight-line code after the texts of the Pod Security Standards and of
 * PodSecurityPolicy, without the rules' CEL. It gets the values in force and uses nothing else of operator/rules.
 */
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import type { Breach, Question, StatedPod } from './pod.ts';
import { STATEMENTS as SECURITY } from './security.ts';
import type { Values } from './values.ts';
import { STATEMENTS as WORKLOAD } from './workload.ts';

const STATEMENTS: Readonly<Record<keyof Values, (question: Question) => Breach>> = {
  ...SECURITY,
  ...WORKLOAD,
};

/** The rules that the pod breaks, sorted: `seccomp`, or `seccomp@app` with the container that breaks it. */
export function broken({ values, standard }: ResolvedPolicy, pod: StatedPod): string[] {
  const question = { values: values as unknown as Values, minor: standard.minor, pod };
  return Object.entries(STATEMENTS)
    .flatMap(([rule, state]) => {
      const { pod: itself = false, containers = [] } = state(question);
      return [...(itself ? [rule] : []), ...containers.map((name) => `${rule}@${name}`)];
    })
    .sort();
}
