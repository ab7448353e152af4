/**
 * Reads the output of Inspektor Gadget's trace_capabilities. Each event is one JSON object
 * (gadgets/trace_capabilities/program.bpf.c and gadget.yaml, pkg/types/types.go). The output of the built-in gadget of
 * earlier releases is also accepted (pkg/gadgets/trace/capabilities/types/types.go until v0.30).
 *
 * The gadget leaves out checks that overlayfs makes for the user who mounted the overlayfs. The gadget does not say
 * when it begins and stops watching a container. The watch of a container therefore lasts from its first event to its
 * last event.
 */
import { isText, objectOf, textsIn } from '../../operator/model/raw.ts';
import { capabilityIn, RecordError, timeIn } from './fields.ts';
import type { CapabilityUse, ContainerWatch, Noise, ObservedContainer } from './use.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Matches processes of container runtimes that have not executed the container's first program yet. */
const RUNTIME = /^(?:runc(?::\[.*)?|crun|youki|conmon|conmonrs|containerd-shim.*)$/;
/** Matches the system calls in which the kernel accounts for memory (security_vm_enough_memory_mm). */
const MEMORY =
  /^(?:SYS_)?(?:CLONE3?|FORK|VFORK|EXECVE(?:AT)?|MMAP2?|MREMAP|MPROTECT|BRK|SHMAT|SHMGET|MEMFD_CREATE|FTRUNCATE)$/i;
const ENOUGH_MEMORY = 'security_vm_enough_memory_mm';
/** The number of the node's user namespace (PROC_USER_INIT_INO in linux/proc_ns.h). */
const NODE_USER_NAMESPACE = 0xeffffffd;

interface GadgetEvent {
  readonly use: CapabilityUse;
  readonly instance: string;
}

export function isGadgetEvent(value: Fields): boolean {
  return 'cap' in value && ('capable' in value || 'verdict' in value);
}

/**
 * Whether the object is a message from the built-in gadget to its client. For example, a message says that the gadget
 * is ready.
 */
export function isGadgetMessage({ type, cap }: Fields): boolean {
  return isText(type) && type !== 'normal' && cap === undefined;
}

/** An event of the gadget; undefined for a process outside of pods. */
export function gadgetEvent(value: Fields): GadgetEvent | undefined {
  const container = containerOf(value);
  if (!container) return undefined;
  const noise = noiseOf(value);
  const last = timeIn(value.timestamp);
  const command = commandOf(value);
  const callSite = isText(value.syscall) ? value.syscall : undefined;
  return {
    instance: String(objectOf(value.runtime).containerId ?? value.containerId ?? ''),
    use: {
      ...container,
      capability: capabilityIn(isText(value.capName) ? value.capName : value.cap),
      outcome: isGranted(value) ? 'granted' : 'refused',
      ...(noise && { noise }),
      count: 1,
      ...(last !== undefined && { first: last, last }),
      ...(command !== '' && { example: { command, ...(callSite && { callSite }) } }),
    },
  };
}

function containerOf(value: Fields): ObservedContainer | undefined {
  const k8s = objectOf(value.k8s);
  const [namespace, pod, container] = [
    k8s.namespace ?? value.namespace,
    k8s.podName ?? k8s.pod ?? value.pod,
    k8s.containerName ?? k8s.container ?? value.container,
  ].map((one) => (isText(one) ? one : ''));
  if (!namespace || !pod || !container) return undefined;
  const { kind, name } = objectOf(k8s.owner);
  const podLabels = labelsIn(k8s.podLabels);
  return {
    namespace,
    pod,
    container,
    ...(isText(kind) && isText(name) && kind !== '' && name !== '' && { workload: { kind, name } }),
    ...(Object.keys(podLabels).length > 0 && { podLabels }),
  };
}

/** Reads labels from an object or from text such as `app=web,tier=front`. */
function labelsIn(labels: unknown): Record<string, string> {
  if (!isText(labels)) return textsIn(labels);
  const pairs = labels.split(',').map((pair) => pair.split('='));
  return Object.fromEntries(pairs.flatMap(([key = '', value]) => (key && value !== undefined ? [[key, value]] : [])));
}

function commandOf(value: Fields): string {
  const { comm } = objectOf(value.proc);
  return String(comm ?? value.comm ?? '');
}

function isGranted({ capable, verdict }: Fields): boolean {
  if (typeof capable === 'boolean') return capable;
  if (verdict === 'Allow' || verdict === 'Deny') return verdict === 'Allow';
  throw new RecordError(`the record has neither capable nor verdict: ${JSON.stringify(capable ?? verdict)}`);
}

function noiseOf(value: Fields): Noise | undefined {
  if (RUNTIME.test(commandOf(value))) return 'RuntimeSetup';
  if (isInOwnUserNamespace(value)) return 'OwnUserNamespace';
  if (Number(value.audit ?? 1) !== 0) return undefined;
  const { kstack, syscall } = value;
  const isMemory = isText(kstack) && kstack !== '' ? kstack.includes(ENOUGH_MEMORY) : MEMORY.test(String(syscall));
  return isMemory && /SYS_ADMIN$/.test(String(value.capName ?? value.cap)) ? 'MemoryOvercommit' : 'NonAudit';
}

/**
 * Whether the check is about a user namespace that the process itself created. A process holds every capability in a
 * user namespace that it created. At the time of the check, the process still belongs to the node's user namespace.
 */
function isInOwnUserNamespace(value: Fields): boolean {
  const current = Number(value.current_userns ?? value.current_user_ns ?? value.currentuserns ?? 0);
  const target = Number(value.target_userns ?? value.target_user_ns ?? value.targetuserns ?? 0);
  return current === NODE_USER_NAMESPACE && target !== 0 && target !== NODE_USER_NAMESPACE;
}

/** Calculates, from the events of each container, how long the container was watched. */
export class GadgetWatches {
  readonly #watches = new Map<string, ContainerWatch>();

  add({ use, instance }: GadgetEvent): void {
    const { namespace, pod, container, workload, podLabels, first, noise } = use;
    if (first === undefined) return;
    const key = JSON.stringify([namespace, pod, container, instance]);
    const before = this.#watches.get(key);
    this.#watches.set(key, {
      namespace,
      ...(pod !== undefined && { pod }),
      container,
      ...(workload && { workload }),
      ...(podLabels && { podLabels }),
      ...(instance !== '' && { instance }),
      from: before && before.from < first ? before.from : first,
      to: before && before.to > first ? before.to : first,
      started: noise === 'RuntimeSetup' || (before?.started ?? false),
    });
  }

  get all(): ContainerWatch[] {
    return [...this.#watches.values()];
  }
}
