/** Tells the worker which snapshot its answers are about: only the changes, if it has the snapshot before. */
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import type { ShownCluster } from '../data/clusters.ts';
import type { Requests } from './requests.ts';

type Told = Pick<ShownCluster, 'snapshot' | 'change'>;
type Ask = <Name extends 'load' | 'change'>(name: Name, question: Requests[Name]['question']) => void;

export function snapshotTeller(ask: Ask): (cluster: Told) => void {
  let last: Snapshot | undefined;
  return ({ snapshot, change }) => {
    if (snapshot === last) return;
    // A whole snapshot takes long to copy into the worker.
    if (change && change.before === last) ask('change', change.difference);
    else ask('load', snapshot);
    last = snapshot;
  };
}
