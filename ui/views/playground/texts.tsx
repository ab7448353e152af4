/** Shows the editors of the playground. The policies are beside the pods, or beside the policies before a change. */
import { useId } from 'preact/hooks';
import type { Play } from '../../model/play-link.ts';
import type { Marker } from '../../model/play-result.ts';
import type { CheckedText } from '../../worker/check.ts';
import { Editor } from './editor.tsx';

interface TextsProps {
  readonly play: Play;
  /** A counter of the texts that come from outside the editors. */
  readonly loaded: number;
  readonly markers: Readonly<Record<CheckedText, readonly Marker[]>>;
  /** The line to which each editor moves. */
  readonly reveal: { readonly [Text in CheckedText]?: { readonly line: number } };
  onEdit(changes: Partial<Play>): void;
  /** Uses the current policies as the policies before the change. */
  onSetBefore(): void;
}

const LEAVES = 'Escape and then Tab leaves the editor.';

export function Texts({ play, loaded, markers, reveal, onEdit, onSetBefore }: TextsProps) {
  const hint = useId();
  const compares = play.before !== undefined;
  const common = { describedBy: hint, loaded };
  return (
    <>
      <p class="play-hint" id={hint}>
        Each text may have several documents. Tab indents; <kbd>Escape</kbd> and then <kbd>Tab</kbd> leaves an editor,{' '}
        <kbd>Ctrl</kbd>+<kbd>Space</kbd> shows what can be written.
      </p>
      <div class="play-texts">
        {play.before !== undefined && (
          <section key="before" aria-label="Policies before">
            <h2>Before</h2>
            <Editor
              {...common}
              label={`Before: policies, as YAML. ${LEAVES}`}
              text={play.before}
              onChange={(before) => onEdit({ before })}
              markers={markers.before}
              reveal={reveal.before}
            />
          </section>
        )}
        <section key="policies" aria-label="Policies">
          <h2>
            Policies
            {compares && (
              <button type="button" class="set-before" onClick={onSetBefore}>
                Set as before
              </button>
            )}
          </h2>
          <Editor
            {...common}
            label={`Policies, as YAML. ${LEAVES}`}
            text={play.policies}
            onChange={(policies) => onEdit({ policies })}
            markers={markers.policies}
            reveal={reveal.policies}
          />
        </section>
        {/* The editor stays, so that its changes can still be undone. */}
        <section key="manifests" aria-label="Pods and workloads" hidden={compares}>
          <h2>Pods and workloads</h2>
          <Editor
            {...common}
            label={`Pods and workloads, as YAML. ${LEAVES}`}
            text={play.manifests}
            onChange={(manifests) => onEdit({ manifests })}
            markers={markers.manifests}
            reveal={reveal.manifests}
          />
        </section>
      </div>
    </>
  );
}
