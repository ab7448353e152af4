/** The pods of the rules' examples, in the form that is evaluated. */
import type { PodContent } from '../model/objects.ts';
import type { Rule } from '../rules/rule.ts';

type ExamplePod = Rule['examples'][number]['admits'][number];

/** The pod of an example, whose container is `app` unless the example names it. */
export function examplePod({ spec = {}, container = {} }: ExamplePod): PodContent {
  return { annotations: {}, spec: { containers: [{ name: 'app', ...container }], ...spec } };
}
