/**
 * Shows a message from the cluster, which may have any length. At first only its beginning is shown, and the whole
 * message on request.
 */
import { useState } from 'preact/hooks';
import { visibleControls } from '../../analysis/text/printable-values.ts';
import { MESSAGE_CHARACTERS, shortText } from '../model/short-text.ts';

export function Message({ text }: { readonly text: string }) {
  const [isWhole, setWhole] = useState(false);
  const short = shortText(text, MESSAGE_CHARACTERS);
  return (
    <>
      <bdi class="name message">{visibleControls(short === undefined || isWhole ? text : `${short} …`)}</bdi>
      {short !== undefined && (
        <>
          {' '}
          <button type="button" class="link" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
            {isWhole ? 'Show less' : `Show all ${text.length.toLocaleString('en')} characters`}
          </button>
        </>
      )}
    </>
  );
}
