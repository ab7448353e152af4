/** Shows a button that copies a text. */
import { useEffect, useRef, useState } from 'preact/hooks';

const TOLD_MS = 2_000;

export function CopyButton({ text, what }: { readonly text: string /** `the diff` */; readonly what: string }) {
  const [told, setTold] = useState('');
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    const done = await navigator.clipboard.writeText(text).then(
      () => 'Copied',
      () => 'The browser does not allow it',
    );
    setTold(done);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setTold(''), TOLD_MS);
  };
  return (
    <span class="copy">
      <button type="button" onClick={copy}>
        Copy {what}
      </button>
      <span role="status">{told}</span>
    </span>
  );
}
