/** Calculates the rows of the map. The user chooses the filter, the order and the expanded rows. */
import type { CapabilityMap, Cells, MapContainer, MapNamespace, MapWorkload } from './capability-map.ts';
import { riskOf, worstOf } from './capability-map.ts';
import { columnOf, HELD } from './holding.ts';
import type { NamespaceState } from './namespaces.ts';
import { byText } from './violations.ts';

/**
 * The choices of the filter for the way of holding a capability. Most choices are ways of holding a capability. The
 * choice `refused` means held capabilities that the policies do not allow. The choice `unused` means held but unused
 * capabilities.
 */
export const HOLDINGS = ['', 'default', 'added', 'privileged', 'refused', 'unused'] as const;
export type Holding = (typeof HOLDINGS)[number];
export const ORDERS = ['risk', 'name', 'violations'] as const;
export type Order = (typeof ORDERS)[number];

/** A filter of the map. An empty text filters nothing. */
export interface MapFilter {
  /** The text that the name of a namespace, workload or container must contain. */
  readonly text: string;
  readonly capability: string;
  readonly namespace: string;
  /** The name of a policy that must decide in the namespace. */
  readonly policy: string;
  readonly held: Holding;
  readonly state: NamespaceState | '';
  /** The value `Violating` keeps only the workloads that violate a policy. */
  readonly verdict: string;
}

export interface FilteredNamespace {
  readonly namespace: MapNamespace;
  /** The workloads that match the filter, in the order of the rows. */
  readonly workloads: readonly MapWorkload[];
  readonly cells: Cells;
  readonly violating: number;
}

export interface FilteredMap {
  readonly namespaces: readonly FilteredNamespace[];
  readonly workloads: number;
}

export interface MapRow {
  readonly key: string;
  /** The kind of the row: 1 is a namespace, 2 a workload, and 3 a container. */
  readonly level: 1 | 2 | 3;
  readonly cells: Cells;
  readonly namespace: FilteredNamespace;
  readonly workload?: MapWorkload;
  readonly container?: MapContainer;
  /** Whether the row is expanded. If the row contains no other rows, the field is absent. */
  readonly expanded?: boolean;
  /** The index of the row that contains this row. */
  readonly parent?: number;
}

export function filterMap({ namespaces }: CapabilityMap, filter: MapFilter, order: Order): FilteredMap {
  const asks = matcher(filter);
  const compare = ORDER_OF[order];
  const matching = namespaces.flatMap((namespace): FilteredNamespace[] => {
    if (!isWanted(namespace, filter)) return [];
    const workloads = namespace.workloads.filter((workload) => asks(namespace, workload));
    if (workloads.length === 0 && (namespace.workloads.length > 0 || asksForWorkloads(filter))) return [];
    const cells = worstOf([...new Set(workloads.map(({ content }) => content))]);
    const violating = workloads.filter(({ verdict }) => verdict === 'Violating').length;
    return [{ namespace, workloads: [...workloads].sort(compare.workloads), cells, violating }];
  });
  const risks = new Map(matching.map((one) => [one, riskOf(one.cells)]));
  return {
    namespaces: matching.sort((a, b) => compare.namespaces(a, b, risks)),
    workloads: matching.reduce((sum, one) => sum + one.workloads.length, 0),
  };
}

/** @param expanded the keys of the expanded rows */
export function rowsOf({ namespaces }: FilteredMap, expanded: ReadonlySet<string>): MapRow[] {
  const rows: MapRow[] = [];
  for (const namespace of namespaces) {
    const key = namespaceKey(namespace.namespace.name);
    const isOpen = expanded.has(key);
    const parent = rows.length;
    const hasMore = namespace.workloads.length > 0;
    rows.push({ key, level: 1, cells: namespace.cells, namespace, ...(hasMore && { expanded: isOpen }) });
    if (isOpen)
      for (const workload of namespace.workloads) addWorkload(rows, { namespace, workload, parent, expanded });
  }
  return rows;
}

interface Added extends Required<Pick<MapRow, 'namespace' | 'workload' | 'parent'>> {
  readonly expanded: ReadonlySet<string>;
}

function addWorkload(rows: MapRow[], { namespace, workload, parent, expanded }: Added): void {
  const key = workloadKey(namespace.namespace.name, workload);
  const { content } = workload;
  const isOpen = expanded.has(key);
  const index = rows.length;
  const hasMore = content.containers.length > 0;
  rows.push({ key, level: 2, cells: content, namespace, workload, parent, ...(hasMore && { expanded: isOpen }) });
  if (!isOpen) return;
  for (const container of content.containers) {
    rows.push({
      key: `${key}\n${container.name}`,
      level: 3,
      cells: container,
      namespace,
      workload,
      container,
      parent: index,
    });
  }
}

export function namespaceKey(namespace: string): string {
  return namespace;
}

export function workloadKey(namespace: string, { kind, name }: Pick<MapWorkload, 'kind' | 'name'>): string {
  return `${namespace}\n${kind}\n${name}`;
}

function isWanted(namespace: MapNamespace, filter: MapFilter): boolean {
  return (
    (filter.namespace === '' || namespace.name === filter.namespace) &&
    (filter.policy === '' || namespace.policies.includes(filter.policy)) &&
    (filter.state === '' || namespace.state === filter.state)
  );
}

function asksForWorkloads({ text, capability, held, verdict }: MapFilter): boolean {
  return [text, capability, held, verdict].some((one) => one !== '');
}

function matcher(filter: MapFilter): (namespace: MapNamespace, workload: MapWorkload) => boolean {
  const text = filter.text.toLowerCase();
  const column = columnOf(filter.capability);
  const contents = new Map<MapWorkload['content'], boolean>();
  const isHeld = (content: MapWorkload['content']) => {
    const known = contents.get(content);
    if (known !== undefined) return known;
    const columns = column === undefined ? [...content.how.keys()] : [column];
    const holds = content.containers.some((cells) => columns.some((one) => isHeldAs(cells, one, filter.held)));
    contents.set(content, holds);
    return holds;
  };
  const asksForHeld = filter.held !== '' || filter.capability !== '';
  return (namespace, workload) =>
    (filter.verdict === '' || workload.verdict === filter.verdict) &&
    (!asksForHeld || isHeld(workload.content)) &&
    (text === '' || isNamed(namespace, workload, text));
}

function isHeldAs({ how, refused, unused }: Cells, column: number, held: Holding): boolean {
  const way = how[column];
  if (held === 'refused') return refused[column] === 1;
  if (held === 'unused') return unused?.[column] === 1;
  if (held === '') return way !== HELD.no;
  return way === { default: HELD.byDefault, added: HELD.added, privileged: HELD.privileged }[held];
}

function isNamed(namespace: MapNamespace, { kind, name, content }: MapWorkload, text: string): boolean {
  return (
    namespace.name.includes(text) ||
    name.includes(text) ||
    kind.toLowerCase().includes(text) ||
    content.containers.some((container) => container.name.includes(text))
  );
}

interface Comparison {
  namespaces(a: FilteredNamespace, b: FilteredNamespace, risks: ReadonlyMap<FilteredNamespace, number>): number;
  workloads(a: MapWorkload, b: MapWorkload): number;
}

const byNamespaceName = (a: FilteredNamespace, b: FilteredNamespace) => byText(a.namespace.name, b.namespace.name);
const byWorkloadName = (a: MapWorkload, b: MapWorkload) => byText(a.kind, b.kind) || byText(a.name, b.name);
const violates = ({ verdict }: MapWorkload) => Number(verdict === 'Violating');

const ORDER_OF: Readonly<Record<Order, Comparison>> = {
  name: { namespaces: byNamespaceName, workloads: byWorkloadName },
  risk: {
    namespaces: (a, b, risks) => (risks.get(b) ?? 0) - (risks.get(a) ?? 0) || byNamespaceName(a, b),
    workloads: (a, b) => b.content.risk - a.content.risk || byWorkloadName(a, b),
  },
  violations: {
    namespaces: (a, b) => b.violating - a.violating || byNamespaceName(a, b),
    workloads: (a, b) => violates(b) - violates(a) || byWorkloadName(a, b),
  },
};
