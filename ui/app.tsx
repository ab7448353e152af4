/** The frame of the page: the navigation, the choice of a cluster, the problems, and the view. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { visibleControls } from '../analysis/text/printable-values.ts';
import { type Address, formatAddress, useAddress } from './address.ts';
import { Name } from './components/name.tsx';
import { OpenFile } from './components/open-file.tsx';
import { type ClusterSource, type Clusters, NO_CLUSTERS, type ShownCluster } from './data/clusters.ts';
import { VIEWS } from './views/index.ts';
import type { View } from './views/view.ts';
import type { PageWorker } from './worker/client.ts';
import { snapshotTeller } from './worker/tell-snapshot.ts';

interface AppProps {
  readonly source: ClusterSource | undefined;
  /** Opens files that contain snapshots. The function is undefined if the page contains snapshots itself. */
  readonly onOpen?: ((files: Iterable<File>) => void) | undefined;
  readonly worker: PageWorker;
}

export function App({ source, onOpen, worker }: AppProps) {
  const address = useAddress();
  const [clusters, setClusters] = useState<Clusters>(NO_CLUSTERS);
  useEffect(() => source?.(setClusters), [source]);
  const { shown } = clusters;
  const cluster = shown.find(({ snapshot }) => snapshot.context === address.parameters.cluster) ?? shown[0];
  const snapshot = cluster?.snapshot;
  // The worker answers questions in order, so it has the snapshot before it answers a view's question about the
  // snapshot.
  const tell = useMemo(() => snapshotTeller((name, question) => void worker.ask(name, question)), [worker]);
  useMemo(() => cluster && tell(cluster), [snapshot, tell]);
  const view = viewFor(address.view, clusters, onOpen !== undefined);
  useEffect(() => {
    document.title = titleOf(view, snapshot?.context);
  }, [view, snapshot?.context]);
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
          <view.Component cluster={cluster} clusters={shown} parameters={address.parameters} worker={worker} />
        ) : view.Standalone ? (
          <view.Standalone cluster={undefined} clusters={shown} parameters={address.parameters} worker={worker} />
        ) : (
          <Nothing clusters={clusters} />
        )}
      </main>
    </>
  );
}

/**
 * Moves the focus to the view. A link to `#view` would not work, because the fragment of the address already names the
 * shown view.
 */
function skipToView(): void {
  document.getElementById('view')?.focus();
}

/**
 * @param opens whether the page contains no clusters, so that the user must open a file. Until a file is opened, the
 * page shows a view that needs no cluster
 */
function viewFor(name: string, { shown, loading }: Clusters, opens: boolean): View {
  const isEmpty = opens && shown.length + loading.length === 0;
  const first = isEmpty ? VIEWS.find(({ Standalone }) => Standalone) : VIEWS[0];
  return VIEWS.find((view) => view.name === name) ?? (first as View);
}

/** The title for the browser's tab and history. The part that distinguishes pages comes first. */
function titleOf({ title }: View, context: string | undefined): string {
  const words = [title, ...(context === undefined ? [] : [visibleControls(context)]), 'CapabilityPolicy'];
  return words.join(' · ');
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

const NOT_INSTALLED =
  'CapabilityPolicy is not installed in this cluster. The policies baseline and restricted stand for the levels of the Pod Security Standards: what violates one of them here, the level would refuse.';

/** Lists missing and outdated data above everything else. Users therefore notice that the data is incomplete. */
function Problems({ clusters, current }: { readonly clusters: Clusters; readonly current: ShownCluster | undefined }) {
  const texts = [
    ...clusters.problems,
    ...(current?.stale ? [current.stale] : []),
    ...(current?.snapshot.missing ?? []),
    ...(current?.snapshot.installed === false ? [NOT_INSTALLED] : []),
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
  const { loading, problems } = clusters;
  if (loading.length > 0 || problems.length === 0) {
    // At first, not even the names of the clusters are known.
    const names = loading.length > 0 ? visibleControls(loading.join(', ')) : 'the cluster';
    return <p role="status">Reading {names} …</p>;
  }
  return <p>There is no cluster to show.</p>;
}
