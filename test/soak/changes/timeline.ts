/**
 * The states of the policies that a client writes, one after the other. A state begins when the client sends the write.
 * A state is settled when every policy has the condition Programmed. If all current states admit a pod, the API server
 * must not refuse the pod. If all current states refuse a pod, the API server must not admit the pod.
 */
import type { CapabilityPolicySpec } from '../../../operator/api/capability-policy.ts';
import { NAME_LABEL } from '../../../operator/api/capability-policy.ts';
import { completeSpec } from '../../../operator/api/defaults.ts';
import type { StatedPod } from '../../differential/reference/pod.ts';
import { admits, type Grant, type Person } from '../../differential/sets/reference-model.ts';
import { endOf, Model } from '../../differential/topologies/creation.ts';
import type { Labels } from '../../differential/topologies/in-force.ts';
import { policyManifest } from '../../support/policies.ts';

export interface State {
  readonly policies: ReadonlyMap<string, CapabilityPolicySpec>;
  readonly namespaces: ReadonlyMap<string, Labels>;
}

interface Entry {
  readonly model: Model;
  readonly ends: readonly number[];
  readonly title: string;
  /** The time at which the state began, in ms since 1970. */
  readonly begun: number;
  settled: number;
}

export interface Asked {
  readonly namespace: string;
  readonly people: readonly Person[];
  /** The pod in the form that the API server stores when no policy decides. */
  readonly pod: StatedPod;
  readonly sent: number;
  readonly received: number;
}

export interface Law {
  /**
   * Whether the pod must be admitted. The value is undefined if one state at the time of the request admits the pod and
   * another state refuses the pod.
   */
  readonly admitted: boolean | undefined;
  /** The changes that were not settled when the pod was sent. */
  readonly changes: readonly string[];
}

const SECOND = 1_000;

export class Timeline {
  readonly #grants: readonly Grant[];
  readonly #entries: Entry[] = [];

  constructor(grants: readonly Grant[]) {
    this.#grants = grants;
  }

  /** Adds a state. Call this method before the first write of the change. */
  begin(title: string, { policies, namespaces }: State): void {
    const complete = [...policies].map(([name, spec]) => policyManifest({ name }, completeSpec(spec)));
    const labels = [...namespaces].map(([name, own]): [string, Labels] => [name, { ...own, [NAME_LABEL]: name }]);
    const model = new Model({ policies: complete, labels: new Map(labels) }, this.#grants);
    const ends = complete.flatMap(endOf).map(([, end]) => end);
    this.#entries.push({ model, ends, title, begun: Date.now(), settled: Number.POSITIVE_INFINITY });
  }

  /** Records that the newest state is in force. */
  settle(): void {
    const last = this.#entries.at(-1);
    if (last) last.settled = Math.min(last.settled, Date.now());
  }

  law({ namespace, people, pod, sent, received }: Asked): Law {
    const first = this.#entries.findLastIndex(({ settled }) => settled <= sent);
    const window = this.#entries.slice(Math.max(0, first)).filter(({ begun }) => begun <= received);
    const verdicts = window.flatMap(({ model, ends }) =>
      timesOf(ends, sent, received).map((now) => admits(model.scene(namespace, people, now), 'Enforce', pod)),
    );
    const [admitted] = verdicts;
    return {
      admitted: verdicts.every((one) => one === admitted) ? admitted : undefined,
      changes: window.slice(1).map(({ title }) => title),
    };
  }
}

/**
 * The times at which the verdict on a pod may change, because a policy expires. The API server compares a policy's
 * `expires` with the pod's creation time in whole seconds.
 */
function timesOf(ends: readonly number[], sent: number, received: number): number[] {
  const from = Math.floor(sent / SECOND) * SECOND;
  return [from, ...ends.filter((end) => from < end && end <= received)];
}
