/**
 * Finds out whether a controller could not create a pod because a program or Pod Security Admission refused the pod. All
 * other reasons, such as a quota, are left out.
 */
import type { RefusalEvent, RefusalText } from '../model/objects.ts';
import { isText, objectOf, type RawObject, trueConditions } from '../model/raw.ts';
import { Recent } from '../model/recent.ts';

/** The maximum length of a message in memory, in UTF-16 units. */
const MESSAGE_LENGTH = 1_024;
/** The message of k8s.io/apiserver/pkg/admission/plugin/policy/validating. */
const PROGRAM = /ValidatingAdmissionPolicy '(capabilitypolicy[.-][^']*)' with binding '[^']*' denied request: /;
/** The message of k8s.io/pod-security-admission/admission. */
const POD_SECURITY = /violates PodSecurity "[^"]*": /;

/** @param text the API server's answer. A controller may put other words before the answer */
export function refusalIn(text: string): RefusalText | undefined {
  const program = PROGRAM.exec(text);
  if (program) return { by: 'Program', message: shortened(text.slice(program.index + program[0].length)) };
  const podSecurity = POD_SECURITY.exec(text);
  if (podSecurity) return { by: 'PodSecurity', message: shortened(text.slice(podSecurity.index)) };
  return undefined;
}

/** The refusal in the condition ReplicaFailure of a Deployment, ReplicaSet or ReplicationController. */
export function replicaFailure(raw: RawObject): RefusalText | undefined {
  const failure = trueConditions(raw).find(
    ({ type, reason }) => type === 'ReplicaFailure' && reason === 'FailedCreate',
  )?.message;
  return isText(failure) ? refusalIn(failure) : undefined;
}

/** Projects Events of the reason FailedCreate. The pods of a workload, and many workloads, have equal messages. */
export function createRefusalProjection(): (raw: RawObject) => RefusalEvent | undefined {
  const messages = new Recent<RefusalText>(256);
  return ({ metadata, message, involvedObject, reason, count, lastTimestamp, eventTime, series }) => {
    const refusal = reason === 'FailedCreate' && isText(message) ? refusalIn(message) : undefined;
    const { uid, kind, name, namespace } = objectOf(involvedObject);
    if (!refusal || !isText(uid) || !isText(kind) || !isText(name)) return undefined;
    const repeated = objectOf(series);
    const times = [repeated.lastObservedTime, lastTimestamp, eventTime, metadata?.creationTimestamp].filter(isText);
    const time = Date.parse(times[0] ?? '');
    return {
      ...messages.get(`${refusal.by} ${refusal.message}`, () => refusal),
      namespace: isText(namespace) ? namespace : (metadata?.namespace ?? ''),
      uid,
      kind,
      name,
      attempt: [metadata?.uid, repeated.count ?? count, ...times].join(' '),
      time: Number.isNaN(time) ? 0 : time,
    };
  };
}

function shortened(text: string): string {
  return text.length <= MESSAGE_LENGTH ? text : `${text.slice(0, MESSAGE_LENGTH - 1).toWellFormed()}…`;
}
