/**
 * Reduces a pod to the parts that a snapshot discloses. A snapshot discloses only the parts that rules read. A rule
 * lists whole fields in its `reads`, and some of these fields contain more than the rule needs. For example, the
 * commands and headers of probes may contain tokens, and the options of a volume may contain credentials.
 */
import { withContainers } from '../../operator/model/containers.ts';
import type { Container, PodContent, Volume } from '../../operator/model/objects.ts';
import { arrayOf, objectOf } from '../../operator/model/raw.ts';

type Fields = Readonly<Record<string, unknown>>;

export function disclosed({ annotations, spec }: PodContent): PodContent {
  const volumes = spec.volumes && { volumes: spec.volumes.map(disclosedVolume) };
  return { annotations, spec: { ...withContainers(spec, (list) => list.map(disclosedContainer)), ...volumes } };
}

const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;
const HANDLERS = ['postStart', 'preStop'] as const;

function disclosedContainer(container: Container): Container {
  const probes = PROBES.flatMap((probe) => (probe in container ? [[probe, hostsOf(container[probe])]] : []));
  if (!('lifecycle' in container)) return { ...container, ...Object.fromEntries(probes) };
  const lifecycle = objectOf(container.lifecycle);
  const handlers = HANDLERS.flatMap((handler) =>
    handler in lifecycle ? [[handler, hostsOf(lifecycle[handler])]] : [],
  );
  return { ...container, ...Object.fromEntries(probes), lifecycle: Object.fromEntries(handlers) };
}

/** The hosts to which a probe or handler connects. */
function hostsOf(handler: unknown): Fields {
  const { httpGet, tcpSocket } = objectOf(handler);
  const hosts = Object.entries({ httpGet, tcpSocket }).flatMap(([how, action]) => {
    const { host } = objectOf(action);
    return host === undefined ? [] : [[how, { host }]];
  });
  return Object.fromEntries(hosts);
}

/** For each volume type, the fields that a rule reads. For other volume types, only the name of the type matters. */
const FIELDS_OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  hostPath: ['path'],
  csi: ['driver'],
  flexVolume: ['driver'],
};

function disclosedVolume({ name, ...types }: Volume): Volume {
  const entries = Object.entries(types).map(([type, source]) => [type, disclosedSource(type, objectOf(source))]);
  return { name, ...Object.fromEntries(entries) };
}

function disclosedSource(type: string, source: Fields): Fields {
  if (type === 'projected') return { sources: arrayOf(source.sources) };
  const read = (Object.hasOwn(FIELDS_OF_TYPE, type) && FIELDS_OF_TYPE[type]) || [];
  const kept = read.filter((field) => field in source);
  return Object.fromEntries(kept.map((field) => [field, source[field]]));
}
