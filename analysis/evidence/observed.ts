/**
 * Reads evidence from the lines that `cappol observe` printed. The format of each line is checked, because somebody may
 * have edited the lines.
 */
import { isText, objectOf, textsIn } from '../../operator/model/raw.ts';
import { capabilityIn, RecordError, timeIn } from './fields.ts';
import {
  type CapabilityUse,
  CHECK_OUTCOMES,
  type CheckOutcome,
  type ContainerWatch,
  NOISE,
  type Noise,
  type ObservedContainer,
  type UseExample,
} from './use.ts';

type Fields = Readonly<Record<string, unknown>>;

export function isObservedLine(value: Fields): boolean {
  return 'observed' in value;
}

export function observedUse(value: Fields): CapabilityUse {
  const [first, last] = [timeIn(value.first), timeIn(value.last)];
  const example = exampleIn(value.example);
  const noise = noiseIn(value.noise);
  return {
    ...containerIn(value),
    capability: capabilityIn(value.capability),
    outcome: outcomeIn(value.outcome),
    ...(noise && { noise }),
    count: countIn(value.count, 1),
    ...(first !== undefined && { first }),
    ...(last !== undefined && { last }),
    ...(example && { example }),
  };
}

export function observedWatch(value: Fields): ContainerWatch {
  const [from, to] = [timeIn(value.from), timeIn(value.to)];
  if (from === undefined || to === undefined) throw new RecordError('a watch needs the fields "from" and "to"');
  const lost = countIn(value.lost, 0);
  return {
    ...containerIn(value),
    ...(isText(value.instance) && value.instance !== '' && { instance: value.instance }),
    from,
    to,
    started: value.started === true,
    ...(lost > 0 && { lost }),
  };
}

function containerIn(value: Fields): ObservedContainer {
  const { namespace, pod, container } = value;
  const { kind, name } = objectOf(value.workload);
  const podLabels = textsIn(value.podLabels);
  if (!isText(namespace) || !isText(container) || !(isText(pod) || isText(name))) {
    throw new RecordError('a record needs the fields "namespace", "container", and "pod" or "workload"');
  }
  return {
    namespace,
    ...(isText(pod) && { pod }),
    container,
    ...(isText(kind) && isText(name) && { workload: { kind, name } }),
    ...(Object.keys(podLabels).length > 0 && { podLabels }),
  };
}

function outcomeIn(value: unknown): CheckOutcome {
  const outcome = CHECK_OUTCOMES.find((one) => one === value);
  if (outcome) return outcome;
  throw new RecordError(`unknown outcome ${JSON.stringify(value)}: ${CHECK_OUTCOMES.join(', ')}`);
}

function noiseIn(value: unknown): Noise | undefined {
  if (value === undefined || value === null) return undefined;
  if (isText(value) && Object.hasOwn(NOISE, value)) return value as Noise;
  throw new RecordError(`unknown noise ${JSON.stringify(value)}: ${Object.keys(NOISE).join(', ')}`);
}

function countIn(value: unknown, absent: number): number {
  if (value === undefined) return absent;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new RecordError(`not a count: ${JSON.stringify(value)}`);
}

function exampleIn(value: unknown): UseExample | undefined {
  const { command, callSite } = objectOf(value);
  if (!isText(command)) return undefined;
  return { command, ...(isText(callSite) && { callSite }) };
}
