/** Makes addresses of other views about the same cluster. */
import { type Address, formatAddress } from '../address.ts';

export type LinkTo = (view: string, parameters?: Address['parameters']) => string;

/** @param parameters of the current address */
export function linksFrom({ cluster = '' }: Address['parameters']): LinkTo {
  return (view, parameters = {}) => formatAddress({ view, parameters: { cluster, ...parameters } });
}
