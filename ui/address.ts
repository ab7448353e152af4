/**
 * The state of the page is in its address, after the `#`: `#/capabilities?namespace=a&sort=name`. A link therefore
 * shows the same state, and the browser's back button works. A page that was opened from a file also has a state in its
 * address.
 */
import { useLayoutEffect, useState } from 'preact/hooks';

export interface Address {
  /** The name of the view. If the name is empty, the page shows the first view. */
  readonly view: string;
  /**
   * The parameters of the address, by name. Each view reads only its own parameters and the common parameter `cluster`.
   */
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

/** Decodes a part of an address. An address that somebody edited may contain a malformed `%`. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Changes parameters of the view without adding an entry to the browser's history. An empty value removes a parameter.
 */
export function setParameters(changes: Readonly<Record<string, string>>): void {
  const { view, parameters } = parseAddress(location.hash);
  history.replaceState(null, '', formatAddress({ view, parameters: { ...parameters, ...changes } }));
  dispatchEvent(new HashChangeEvent('hashchange'));
}

export function useAddress(): Address {
  const [address, setAddress] = useState(() => parseAddress(location.hash));
  // The listener must exist in the frame in which the first links appear. A user may follow a link before the next
  // frame begins.
  useLayoutEffect(() => {
    const follow = () => setAddress(parseAddress(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return address;
}
