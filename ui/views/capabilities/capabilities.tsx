/**
 * Shows the map of all capabilities: which container holds which capability and why, and which capabilities the
 * policies allow.
 */
import { useMemo, useRef, useState } from 'preact/hooks';
import { counted } from '../../../operator/text/wording.ts';
import { setParameters } from '../../address.ts';
import { CsvButton } from '../../components/download.tsx';
import { Empty } from '../../components/empty.tsx';
import { type CapabilityMap, capabilityMap } from '../../model/capability-map.ts';
import { NO_FILTER, questionOf } from '../../model/map-question.ts';
import { type FilteredMap, filterMap, namespaceKey, rowsOf, workloadKey } from '../../model/map-rows.ts';
import { csvRows } from '../../model/map-text.ts';
import type { ViewProps } from '../view.ts';
import { Controls } from './controls.tsx';
import { Detail, type Pointed } from './detail.tsx';
import { HeatMap } from './heat-map.tsx';

/** The maximum number of workloads for which the namespaces are expanded at the start. */
const FEW_WORKLOADS = 80;

export function Capabilities({ cluster: { snapshot }, parameters }: ViewProps) {
  const question = useMemo(() => questionOf(parameters), [parameters]);
  const { filter, order, runtime } = question;
  const before = useRef<CapabilityMap | undefined>(undefined);
  const map = useMemo(() => {
    before.current = capabilityMap(snapshot, runtime, before.current);
    return before.current;
  }, [snapshot, runtime]);
  const filtered = useMemo(() => filterMap(map, filter, order), [map, filter, order]);
  // The keys of the rows that the user has expanded or collapsed since the start.
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => rowsOf(filtered, expandedIn(filtered, toggled)), [filtered, toggled]);
  const point = useRef<(pointed: Pointed | undefined) => void>(() => {});
  const reset = () => setParameters(NO_FILTER);
  const toggle = (index: number) => setToggled(toggled.symmetricDifference(new Set([rows[index]?.key ?? ''])));
  const isExpanded = rows.some(({ expanded }) => expanded);
  return (
    <div class="capabilities">
      <Controls question={question} snapshot={snapshot} />
      <div class="below">
        <p class="count" role="status">
          {counted(filtered.workloads, 'workload')} in {counted(filtered.namespaces.length, 'namespace')}
        </p>
        <button type="button" onClick={() => setToggled(allToggled(filtered, !isExpanded))}>
          {isExpanded ? 'Collapse all' : 'Expand all'}
        </button>
        <CsvButton file={`capabilities-${snapshot.context}.csv`} rows={() => csvRows(filtered)} />
      </div>
      {rows.length === 0 ? (
        <Empty text="No workload matches these filters." onReset={reset} />
      ) : (
        <HeatMap
          rows={rows}
          asked={filter.capability}
          onToggle={toggle}
          onPoint={(pointed) => point.current(pointed)}
        />
      )}
      <Detail runtime={runtime} register={(show) => (point.current = show)} />
    </div>
  );
}

function startsExpanded({ workloads }: FilteredMap): boolean {
  return workloads <= FEW_WORKLOADS;
}

function namespaceKeys({ namespaces }: FilteredMap): Set<string> {
  return new Set(namespaces.map(({ namespace }) => namespaceKey(namespace.name)));
}

function expandedIn(filtered: FilteredMap, toggled: ReadonlySet<string>): ReadonlySet<string> {
  return startsExpanded(filtered) ? namespaceKeys(filtered).symmetricDifference(toggled) : toggled;
}

/** The keys of the rows to toggle, so that every row is expanded or every row is collapsed. */
function allToggled(filtered: FilteredMap, expand: boolean): ReadonlySet<string> {
  const namespaces = namespaceKeys(filtered);
  if (!expand) return startsExpanded(filtered) ? namespaces : new Set();
  const workloads = filtered.namespaces.flatMap(({ namespace, workloads }) =>
    workloads.map((workload) => workloadKey(namespace.name, workload)),
  );
  return startsExpanded(filtered) ? new Set(workloads) : new Set([...namespaces, ...workloads]);
}
