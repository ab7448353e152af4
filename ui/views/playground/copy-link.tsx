/** Shows a button that copies a link to the texts of the playground. */
import { useEffect, useState } from 'preact/hooks';
import { formatAddress } from '../../address.ts';
import { copiedText, linkOf, type Play } from '../../model/play-link.ts';

const SHOWN_MS = 5_000;

export function CopyLink({ play }: { readonly play: Play }) {
  const [told, setTold] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setTold(''), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [told]);
  const copy = async () => {
    const address = formatAddress({ view: 'playground', parameters: { play: await linkOf(play) } });
    const url = new URL(address, location.href).href;
    try {
      await navigator.clipboard.writeText(url);
      setTold(copiedText(url));
    } catch {
      // If the page was opened from a file, it may not use the clipboard.
      history.replaceState(null, '', address);
      setTold('The link is in the address bar: copy it there.');
    }
  };
  return (
    <span class="copy-link">
      <span role="status">{told}</span>
      <button type="button" onClick={copy}>
        Copy link
      </button>
    </span>
  );
}
