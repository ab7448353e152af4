/** Shows texts of several lines, such as YAML and diffs. */
import type { ComponentChildren } from 'preact';
import { visibleLines, visibleText } from '../model/visible-lines.ts';
import { CopyButton } from './copy.tsx';
import { Scrolled } from './scrolled.tsx';

interface CodeProps {
  readonly text: string;
  /** The name of the text for screen readers and for the copy button, such as `the policy`. */
  readonly what: string;
}

export function Code({ text, what }: CodeProps) {
  return (
    <Copied text={text} what={what}>
      <pre>{visibleText(text)}</pre>
    </Copied>
  );
}

const KINDS: Readonly<Record<string, string>> = { '+': 'added', '-': 'removed', '@': 'place' };

/**
 * A unified diff. The characters `+` and `-` mark added and removed lines. The colours repeat what the characters mark.
 */
export function Diff({ text, what }: CodeProps) {
  return (
    <Copied text={text} what={what}>
      <pre class="diff">
        {visibleLines(text).map((line, index) => (
          <span key={index} class={/^(?:---|\+\+\+) /.test(line) ? 'file' : KINDS[line[0] ?? '']}>
            {line}
            {'\n'}
          </span>
        ))}
      </pre>
    </Copied>
  );
}

function Copied({ text, what, children }: CodeProps & { readonly children: ComponentChildren }) {
  return (
    <div class="code">
      <CopyButton text={text} what={what} />
      <Scrolled label={`Text of ${what}`}>{children}</Scrolled>
    </div>
  );
}
