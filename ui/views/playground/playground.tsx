/** The playground: policies and pods as text, the verdict as somebody types, and what the policies would change. */
import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import { NEWEST_KNOWN_MINOR, parseVersion } from '../../../operator/standards/level-version.ts';
import { setParameters } from '../../address.ts';
import { EXAMPLES, playOfExample } from '../../model/examples.ts';
import { labelsOf, linkOf, type Play, playOf } from '../../model/play-link.ts';
import { leftOutText, type Marker, markersOf, shownItems } from '../../model/play-result.ts';
import type { PageWorker } from '../../worker/client.ts';
import { useLatest } from '../../worker/use-latest.ts';
import type { StandaloneProps } from '../view.ts';
import { ChangesSection } from './changes.tsx';
import { CopyLink } from './copy-link.tsx';
import { Editor } from './editor.tsx';
import { Results } from './results.tsx';
import { Start } from './start.tsx';

/**
 * The texts of the playground. The texts are kept outside of the component, so that they survive while another view is
 * shown.
 */
let remembered: Play | undefined;

const FIRST = playOfExample(EXAMPLES[0] as (typeof EXAMPLES)[number]);
/** The time in ms to wait for further typing, so that not every letter of a fast typist is answered. */
const TYPING_MS = 120;
const LINK_MS = 400;

type Reveal = { readonly line: number } | undefined;

export function Playground({ cluster, parameters, worker }: StandaloneProps) {
  const [play, setPlay] = useState<Play>(remembered ?? FIRST);
  const [loaded, setLoaded] = useState(0);
  const linked = useLink(parameters.play, play, (next) => {
    change(next);
    setLoaded((count) => count + 1);
  });
  const change = (changes: Partial<Play>) => {
    setPlay((before) => {
      remembered = { ...before, ...changes };
      return remembered;
    });
  };
  const edit = (changes: Partial<Play>) => {
    linked.edited();
    change(changes);
  };
  const start = (changes: Partial<Play>) => {
    edit(changes);
    setLoaded((count) => count + 1);
  };
  const minor = cluster ? parseVersion(cluster.snapshot.serverVersion) : undefined;
  const { answer, problem } = useCheck(play, minor ?? NEWEST_KNOWN_MINOR, worker);
  const [reveal, setReveal] = useState<{ readonly policies?: Reveal; readonly manifests?: Reveal }>({});
  const leaving = useId();
  const items = useMemo(() => answer && shownItems(answer), [answer]);
  const markers = useMemo(
    () => ({
      policies: answer ? markersOf(answer, 'policies') : NO_MARKERS,
      manifests: answer ? markersOf(answer, 'manifests') : NO_MARKERS,
    }),
    [answer],
  );
  return (
    <div class="playground">
      <div class="play-bar">
        <Start snapshot={cluster?.snapshot} worker={worker} onStart={start} />
        <CopyLink play={play} />
      </div>
      {linked.problem && (
        <p class="play-problem" role="alert">
          {linked.problem} Your texts are unchanged.
        </p>
      )}
      <p class="play-hint" id={leaving}>
        Both texts may have several documents. Tab indents; <kbd>Escape</kbd> and then <kbd>Tab</kbd> leaves an editor,{' '}
        <kbd>Ctrl</kbd>+<kbd>Space</kbd> shows what can be written.
      </p>
      <div class="play-texts">
        <section aria-label="Policies">
          <h2>Policies</h2>
          <Editor
            label="Policies, as YAML. Escape and then Tab leaves the editor."
            describedBy={leaving}
            text={play.policies}
            loaded={loaded}
            onChange={(policies) => edit({ policies })}
            markers={markers.policies}
            reveal={reveal.policies}
          />
        </section>
        <section aria-label="Pods and workloads">
          <h2>Pods and workloads</h2>
          <Editor
            label="Pods and workloads, as YAML. Escape and then Tab leaves the editor."
            describedBy={leaving}
            text={play.manifests}
            loaded={loaded}
            onChange={(manifests) => edit({ manifests })}
            markers={markers.manifests}
            reveal={reveal.manifests}
          />
        </section>
      </div>
      <div class="play-namespace">
        <label class="filter">
          <span>Namespace</span>
          <input
            value={play.namespace}
            spellcheck={false}
            onInput={({ currentTarget }) => edit({ namespace: currentTarget.value })}
          />
        </label>
        <label class="filter play-labels">
          <span>Labels of the namespace</span>
          <input
            value={play.labels}
            spellcheck={false}
            placeholder="team=network,environment=production"
            onInput={({ currentTarget }) => edit({ labels: currentTarget.value })}
          />
        </label>
      </div>
      <Results
        items={items}
        troubles={answer?.troubles ?? []}
        leftOut={answer ? leftOutText(answer) : []}
        problem={problem}
        onReveal={(text, line) => setReveal({ [text]: { line } })}
      />
      {cluster && (
        <ChangesSection
          key={cluster.snapshot.context}
          snapshot={cluster.snapshot}
          policies={play.policies}
          worker={worker}
        />
      )}
    </div>
  );
}

const NO_MARKERS: readonly Marker[] = [];

/** The verdict on the texts. The previous verdict stays until a new verdict arrives. */
function useCheck(play: Play, serverVersion: number, worker: PageWorker) {
  const { answer, problem, ask, setProblem } = useLatest(worker, 'check');
  useEffect(() => {
    const timer = setTimeout(() => {
      try {
        const { policies, manifests, namespace, labels } = play;
        const at = Date.now();
        ask({
          policies,
          manifests,
          namespace: namespace || 'default',
          namespaceLabels: labelsOf(labels),
          serverVersion,
          at,
        });
      } catch (error) {
        setProblem((error as Error).message);
      }
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [play, serverVersion, ask]);
  return { answer, problem };
}

/** Follows the link in the address, and keeps the address up to date once the user edits. */
function useLink(link: string | undefined, play: Play, onPlay: (play: Play) => void) {
  const own = useRef<string | undefined>(undefined);
  const isEdited = useRef(false);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    if (!link || link === own.current) return;
    own.current = link;
    playOf(link).then(
      (linked) => {
        setProblem('');
        onPlay(linked);
      },
      (error) => setProblem((error as Error).message),
    );
  }, [link]);
  useEffect(() => {
    if (!isEdited.current) return;
    let isNewest = true;
    const timer = setTimeout(async () => {
      const next = await linkOf(play);
      // While the link was made, the text may have changed, or another view may have been opened, whose address has no
      // such parameter.
      if (!isNewest) return;
      own.current = next;
      setParameters({ play: next });
    }, LINK_MS);
    return () => {
      isNewest = false;
      clearTimeout(timer);
    };
  }, [play]);
  return {
    problem,
    edited() {
      isEdited.current = true;
      setProblem('');
    },
  };
}
