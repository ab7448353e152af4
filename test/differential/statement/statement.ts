/**
 * What each rule says, once more and in plain words: straight-line code after the texts of the Pod Security Standards and
 * of PodSecurityPolicy, without the rules' CEL. It is told the values in force and knows nothing else of operator/rules.
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

/** The rules that the pod breaks, sorted: `seccomp`, and with the container that does `seccomp@app`. */
export function broken({ values, standard }: ResolvedPolicy, pod: StatedPod): string[] {
  const question = { values: values as unknown as Values, minor: standard.minor, pod };
  return Object.entries(STATEMENTS)
    .flatMap(([rule, state]) => {
      const { pod: itself = false, containers = [] } = state(question);
      return [...(itself ? [rule] : []), ...containers.map((name) => `${rule}@${name}`)];
    })
    .sort();
}
