/** Builds addresses of other views that show the same cluster. */
import { type Address, formatAddress } from '../address.ts';

export type LinkTo = (view: string, parameters?: Address['parameters']) => string;

/** @param parameters the parameters of the current address */
export function linksFrom({ cluster = '' }: Address['parameters']): LinkTo {
  return (view, parameters = {}) => formatAddress({ view, parameters: { cluster, ...parameters } });
}
