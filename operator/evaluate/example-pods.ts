/** The pods of the rules' examples, in the form that the evaluator accepts. */
import type { PodContent } from '../model/objects.ts';
import type { Rule } from '../rules/rule.ts';

type ExamplePod = Rule['examples'][number]['admits'][number];

/** Makes the pod of an example. If the example gives no name, the container of the pod is named `app`. */
export function examplePod({ spec = {}, container = {} }: ExamplePod): PodContent {
  return { annotations: {}, spec: { containers: [{ name: 'app', ...container }], ...spec } };
}
