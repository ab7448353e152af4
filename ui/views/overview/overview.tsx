/**
 * Shows what is enforced in which namespaces, how far rollouts are, what violates policies, and what needs attention.
 * The overview is the view at the start.
 */
import { useMemo } from 'preact/hooks';
import { counted } from '../../../operator/text/wording.ts';
import { Name } from '../../components/name.tsx';
import type { ShownCluster } from '../../data/clusters.ts';
import { linksFrom } from '../../model/links.ts';
import { type Overview as Numbers, overviewOf } from '../../model/overview.ts';
import type { ViewProps } from '../view.ts';
import { InUseList } from './in-use.tsx';
import { NamespaceStates } from './namespace-states.tsx';
import type { OverviewProps } from './overview-section.tsx';
import { Remarks } from './remarks.tsx';
import { Rollouts } from './rollouts.tsx';
import { WorstNamespaces, WorstRules } from './worst.tsx';

/** Shows the overviews of all clusters side by side. */
export function Overview({ clusters }: ViewProps) {
  return (
    <div class={`overview ${clusters.length > 1 ? 'several' : ''}`}>
      {clusters.map((cluster) => (
        <ClusterOverview key={cluster.snapshot.context} cluster={cluster} named={clusters.length > 1} />
      ))}
    </div>
  );
}

interface ClusterOverviewProps {
  readonly cluster: ShownCluster;
  /** Whether the name of the cluster is shown above its overview. */
  readonly named: boolean;
}

function ClusterOverview({ cluster, named }: ClusterOverviewProps) {
  const { snapshot } = cluster;
  const numbers = useMemo(() => overviewOf(snapshot, 'containerd'), [snapshot]);
  const props = { cluster, numbers, link: linksFrom(named ? { cluster: snapshot.context } : {}) };
  return (
    <section class="cluster-overview" aria-label={snapshot.context}>
      <header>
        {named && (
          <h2 class="context">
            <Name text={snapshot.context} />
          </h2>
        )}
        <Summary {...props} />
      </header>
      <NamespaceStates {...props} />
      <Remarks {...props} />
      <Rollouts {...props} />
      <WorstRules {...props} />
      <WorstNamespaces {...props} />
      <InUseList {...props} />
    </section>
  );
}

/** Sums up the cluster in the same sentence as `cappol status`. */
function Summary({ numbers: { policies, notReady, violations }, link }: OverviewProps) {
  if (policies === 0) return <p class="summary">There are no policies, so nothing is enforced.</p>;
  const total = violations?.all.total ?? 0;
  return (
    <p class="summary">
      <a href={link('policies')}>{counted(policies, 'policy')}</a>
      {notReady.length > 0 && (
        <>
          ,{' '}
          <a href={link('policies', notReady.length === 1 ? { policy: notReady[0] ?? '' } : {})}>
            {notReady.length} not ready
          </a>
        </>
      )}
      {': '}
      <ViolationsSentence violations={violations} total={total} link={link} />
    </p>
  );
}

interface SentenceProps extends Pick<OverviewProps, 'link'> {
  readonly violations: Numbers['violations'];
  readonly total: number;
}

function ViolationsSentence({ violations, total, link }: SentenceProps) {
  if (!violations) return <>workloads could not be read, so the number that violates is not known.</>;
  if (total === 0) return <>no workload violates.</>;
  return (
    <>
      <a href={link('violations')}>{counted(total, 'workload')}</a> in {counted(violations.namespaces, 'namespace')}{' '}
      {total === 1 ? 'violates' : 'violate'}.
    </>
  );
}
