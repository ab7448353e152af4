/**
 * Gives the worker the current snapshot. The answers of the worker are about this snapshot. If the worker has the
 * previous snapshot, the worker gets only the changes.
 */
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import type { ShownCluster } from '../data/clusters.ts';
import type { Requests } from './requests.ts';

type Told = Pick<ShownCluster, 'snapshot' | 'change'>;
type Ask = <Name extends 'load' | 'change'>(name: Name, question: Requests[Name]['question']) => void;

export function snapshotTeller(ask: Ask): (cluster: Told) => void {
  let last: Snapshot | undefined;
  return ({ snapshot, change }) => {
    if (snapshot === last) return;
    // Changes are sent if possible, because copying a whole snapshot into the worker takes long.
    if (change && change.before === last) ask('change', change.difference);
    else ask('load', snapshot);
    last = snapshot;
  };
}
