/**
 * The state of the page is in its address, behind the `#`: `#/capabilities?namespace=a&sort=name`. Therefore a link
 * shows the same state, the browser's back button works, and a file that was opened from disk has a state, too.
 */
import { useLayoutEffect, useState } from 'preact/hooks';

export interface Address {
  /** The name of the view; empty for the first view. */
  readonly view: string;
  /** The parameters by name. A parameter of one view means nothing to another view, except for `cluster`. */
  readonly parameters: Readonly<Record<string, string>>;
}

function parseAddress(hash: string): Address {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  return { view: decoded(path), parameters: Object.fromEntries(new URLSearchParams(query)) };
}

export function formatAddress({ view, parameters }: Address): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== '');
  const query = new URLSearchParams(given).toString();
  return `#/${encodeURIComponent(view)}${query === '' ? '' : `?${query}`}`;
}

/** Decodes a part of an address. An address that somebody edited may have a malformed `%`. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Changes parameters of the view, without a new entry in the browser's history. An empty value removes a parameter. */
export function setParameters(changes: Readonly<Record<string, string>>): void {
  const { view, parameters } = parseAddress(location.hash);
  history.replaceState(null, '', formatAddress({ view, parameters: { ...parameters, ...changes } }));
  dispatchEvent(new HashChangeEvent('hashchange'));
}

export function useAddress(): Address {
  const [address, setAddress] = useState(() => parseAddress(location.hash));
  // The listener is added in the same frame as the first links, because somebody may follow a link before the next
  // frame.
  useLayoutEffect(() => {
    const follow = () => setAddress(parseAddress(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return address;
}
