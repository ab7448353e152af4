/** The frame of the page: navigation, the choice of a cluster, problems, and the view. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { visibleControls } from '../cli/output/printable.ts';
import { type Address, formatAddress, useAddress } from './address.ts';
import { type ClusterSource, type Clusters, NO_CLUSTERS, type ShownCluster } from './data/clusters.ts';
import { Name } from './parts/name.tsx';
import { OpenFile } from './parts/open-file.tsx';
import { VIEWS } from './views/index.ts';
import type { View } from './views/view.ts';
import type { Judge } from './worker/client.ts';

interface AppProps {
  readonly source: ClusterSource | undefined;
  /** Opens files with snapshots; undefined where the page has its own. */
  readonly onOpen?: ((files: Iterable<File>) => void) | undefined;
  readonly judge: Judge;
}

export function App({ source, onOpen, judge }: AppProps) {
  const address = useAddress();
  const [clusters, setClusters] = useState<Clusters>(NO_CLUSTERS);
  useEffect(() => source?.(setClusters), [source]);
  const { shown } = clusters;
  const cluster = shown.find(({ snapshot }) => snapshot.context === address.parameters.cluster) ?? shown[0];
  const snapshot = cluster?.snapshot;
  // Questions are answered in order: what a view asks comes after this.
  useMemo(() => snapshot && judge.ask('load', snapshot), [snapshot, judge]);
  const view = viewFor(address.view, clusters);
  return (
    <>
      <button type="button" class="skip" onClick={skipToView}>
        Skip to the content
      </button>
      <header>
        <h1>CapabilityPolicy</h1>
        <Navigation address={address} current={view} />
        <ClusterChoice address={address} clusters={shown} current={cluster} />
        {onOpen && <OpenFile onOpen={onOpen} />}
      </header>
      <Problems clusters={clusters} current={cluster} />
      <main id="view" tabindex={-1} aria-label={view.title}>
        {cluster ? (
          <view.Component cluster={cluster} clusters={shown} parameters={address.parameters} judge={judge} />
        ) : view.Standalone ? (
          <view.Standalone cluster={undefined} clusters={shown} parameters={address.parameters} judge={judge} />
        ) : (
          <Nothing clusters={clusters} />
        )}
      </main>
    </>
  );
}

/** No link to `#view`: the address names the view. */
function skipToView(): void {
  document.getElementById('view')?.focus();
}

/** Without a cluster the page begins with a view that needs none. */
function viewFor(name: string, { shown, loading }: Clusters): View {
  const first = shown.length + loading.length > 0 ? VIEWS[0] : VIEWS.find(({ Standalone }) => Standalone);
  return VIEWS.find((view) => view.name === name) ?? (first as View);
}

function Navigation({ address, current }: { readonly address: Address; readonly current: View }) {
  const { cluster = '' } = address.parameters;
  return (
    <nav aria-label="Views">
      {VIEWS.map(({ name, title }) => (
        <a
          key={name}
          href={formatAddress({ view: name, parameters: { cluster } })}
          aria-current={name === current.name ? 'page' : undefined}
        >
          {title}
        </a>
      ))}
    </nav>
  );
}

interface ClusterChoiceProps {
  readonly address: Address;
  readonly clusters: readonly ShownCluster[];
  readonly current: ShownCluster | undefined;
}

function ClusterChoice({ address, clusters, current }: ClusterChoiceProps) {
  if (!current) return null;
  const { context, serverVersion, taken } = current.snapshot;
  const choose = (cluster: string) => {
    location.hash = formatAddress({ ...address, parameters: { cluster } });
  };
  return (
    <p class="cluster">
      {clusters.length > 1 ? (
        <select aria-label="Cluster" value={context} onChange={({ currentTarget }) => choose(currentTarget.value)}>
          {clusters.map(({ snapshot }) => (
            <option key={snapshot.context} value={snapshot.context}>
              {visibleControls(snapshot.context)}
            </option>
          ))}
        </select>
      ) : (
        <b>
          <Name text={context} />
        </b>
      )}{' '}
      Kubernetes {serverVersion} · {current.live ? 'live' : <>read {new Date(taken).toLocaleString()}</>}
    </p>
  );
}

/** What is missing stands above everything: without it the page would claim too much. */
function Problems({ clusters, current }: { readonly clusters: Clusters; readonly current: ShownCluster | undefined }) {
  const texts = [
    ...clusters.problems,
    ...(current?.stale ? [current.stale] : []),
    ...(current?.snapshot.missing ?? []),
  ];
  if (texts.length === 0) return null;
  return (
    <div class="problems" role="status">
      <ul>
        {texts.map((text) => (
          <li key={text}>{visibleControls(text)}</li>
        ))}
      </ul>
    </div>
  );
}

function Nothing({ clusters }: { readonly clusters: Clusters }) {
  if (clusters.loading.length > 0) return <p role="status">Reading {clusters.loading.join(', ')} …</p>;
  return <p>There is no cluster to show.</p>;
}
